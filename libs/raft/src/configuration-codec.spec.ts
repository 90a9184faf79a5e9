import fc from 'fast-check';
import { decodeConfiguration, encodeConfiguration, isName } from './configuration-codec.js';
import { membersOf, simpleConfiguration, type Configuration } from './configuration.js';

const visible = fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code));
const name = fc.oneof(
  fc.string({ unit: visible, minLength: 1, maxLength: 255 }),
  fc.constantFrom('constructor', '__proto__', 'toString', 'hasOwnProperty'),
);
const names = fc.uniqueArray(name, { maxLength: 6 });

const configuration: fc.Arbitrary<Configuration> = fc
  .record({ voters: names, outgoingVoters: names, learners: names })
  .chain((lists) =>
    fc
      .tuple(...membersOf(lists).map((id) => fc.option(name.map((incarnation) => [id, incarnation] as const))))
      .map((pairs) => {
        const known = pairs.filter((pair) => pair !== null);
        return known.length === 0 ? lists : { ...lists, incarnations: Object.fromEntries(known) };
      }),
  );

const incarnationsOf = (decoded: Configuration | undefined) => Object.entries(decoded?.incarnations ?? {});

describe('the encoding of configurations', () => {
  it('gives back what was encoded', () => {
    fc.assert(
      fc.property(configuration, (original) => {
        const decoded = decodeConfiguration(encodeConfiguration(original));
        expect(decoded).toEqual(original);
        expect(incarnationsOf(decoded)).toEqual(incarnationsOf(original));
      }),
    );
  });

  it('is the same on all nodes and in all versions', () => {
    const bytes = encodeConfiguration({
      voters: ['a', 'bc'],
      outgoingVoters: ['d'],
      learners: [],
      incarnations: { a: '1' },
    });
    expect([...bytes]).toEqual([1, 0, 2, 1, 97, 2, 98, 99, 0, 1, 1, 100, 0, 0, 0, 2, 1, 97, 1, 49]);
  });

  it('is refused, and never throws, for other bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const decoded = decodeConfiguration(bytes);
        expect(decoded === undefined ? bytes : encodeConfiguration(decoded)).toEqual(bytes);
      }),
    );
  });

  it('is refused when it is cut off, or something follows', () => {
    fc.assert(
      fc.property(configuration, fc.nat(), (original, at) => {
        const bytes = encodeConfiguration(original);
        expect(decodeConfiguration(bytes.subarray(0, at % bytes.length))).toBeUndefined();
        expect(decodeConfiguration(Uint8Array.from([...bytes, 0]))).toBeUndefined();
      }),
    );
  });

  it.each<[string, number[]]>([
    ['an unknown version', [2, 0, 0, 0, 0, 0, 0, 0, 0]],
    ['a voter twice', [1, 0, 2, 1, 97, 1, 97, 0, 0, 0, 0, 0, 0]],
    ['an empty name', [1, 0, 1, 0, 0, 0, 0, 0, 0, 0]],
    ['a name with a space', [1, 0, 1, 1, 32, 0, 0, 0, 0, 0, 0]],
    ['a name without an incarnation', [1, 0, 1, 1, 97, 0, 0, 0, 0, 0, 1, 1, 97]],
    ['two incarnations of a node', [1, 0, 1, 1, 97, 0, 0, 0, 0, 0, 4, 1, 97, 1, 49, 1, 97, 1, 50]],
    ['the incarnation of a stranger', [1, 0, 1, 1, 97, 0, 0, 0, 0, 0, 2, 1, 98, 1, 49]],
  ])('is refused with %s', (_, bytes) => {
    expect(decodeConfiguration(Uint8Array.from(bytes))).toBeUndefined();
  });

  it('has no form for what is no name', () => {
    for (const id of ['', 'a b', 'ä', 'x'.repeat(256), 'a\n']) {
      expect(isName(id)).toBe(false);
      expect(() => encodeConfiguration(simpleConfiguration([id]))).toThrow(RangeError);
    }
    expect(isName('x'.repeat(255))).toBe(true);
  });
});
