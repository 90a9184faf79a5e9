import fc from 'fast-check';
import { decodeConfiguration, encodeConfiguration, isName } from './configuration-codec.js';
import { membersOf, simpleConfiguration, type Configuration } from './configuration.js';

const visible = fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code));
const name = fc.oneof(
  fc.string({ unit: visible, minLength: 1, maxLength: 255 }),
  fc.constantFrom('constructor', '__proto__', 'toString', 'hasOwnProperty'),
);
const names = fc.uniqueArray(name, { maxLength: 6 });

/** Something about some of the nodes; nothing at all when it is about none. */
const recordsOf = (
  ids: readonly string[],
  value: fc.Arbitrary<string>,
): fc.Arbitrary<Record<string, string> | undefined> =>
  fc.tuple(...ids.map((id) => fc.option(value.map((text) => [id, text] as const)))).map((pairs) => {
    const known = pairs.filter((pair) => pair !== null);
    return known.length === 0 ? undefined : Object.fromEntries(known);
  });

const configuration: fc.Arbitrary<Configuration> = fc
  .record({ voters: names, outgoingVoters: names, learners: names })
  .chain((lists) => {
    const members = membersOf(lists);
    const records = fc.record({
      incarnations: recordsOf(members, name),
      addresses: recordsOf(members, name),
      joining: recordsOf(lists.learners, members.length === 0 ? name : fc.constantFrom(...members)),
    });
    return records.map(({ incarnations, addresses, joining }) => ({
      ...lists,
      ...(incarnations && { incarnations }),
      ...(addresses && { addresses }),
      ...(joining && { joining }),
    }));
  });

/** Also what `toEqual` does not see: names that every object has. */
const recordsIn = ({ incarnations = {}, addresses = {}, joining = {} }: Configuration) =>
  [incarnations, addresses, joining].map((record) => Object.entries(record));

describe('the encoding of configurations', () => {
  it('gives back what was encoded', () => {
    fc.assert(
      fc.property(configuration, (original) => {
        const decoded = decodeConfiguration(encodeConfiguration(original));
        expect(decoded).toEqual(original);
        expect(recordsIn(decoded!)).toEqual(recordsIn(original));
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

  it('has the form of the first version unless there are places to be told', () => {
    fc.assert(
      fc.property(configuration, (original) => {
        const hasPlaces = original.addresses !== undefined || original.joining !== undefined;
        expect(encodeConfiguration(original)[0]).toBe(hasPlaces ? 2 : 1);
      }),
    );
    const members = { voters: ['a'], outgoingVoters: [], learners: ['b'] };
    expect([...encodeConfiguration({ ...members, addresses: {}, joining: {} })]).toEqual([
      ...encodeConfiguration(members),
    ]);
    const told = encodeConfiguration({ ...members, addresses: { a: 'h:1' }, joining: { b: 'a' } });
    expect([...told]).toEqual([
      ...[2, 0, 1, 1, 97, 0, 0, 0, 1, 1, 98, 0, 0],
      ...[0, 2, 1, 97, 3, 104, 58, 49],
      ...[0, 2, 1, 98, 1, 97],
    ]);
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
    ['an unknown version', [3, 0, 0, 0, 0, 0, 0, 0, 0]],
    ['the second version, though it tells no places', [2, 0, 1, 1, 97, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]],
    ['places in the first version', [1, 0, 1, 1, 97, 0, 0, 0, 0, 0, 0, 0, 2, 1, 97, 1, 49, 0, 0]],
    ['the address of a stranger', [2, 0, 1, 1, 97, 0, 0, 0, 0, 0, 0, 0, 2, 1, 98, 1, 49, 0, 0]],
    ['two addresses of a node', [2, 0, 1, 1, 97, 0, 0, 0, 0, 0, 0, 0, 4, 1, 97, 1, 49, 1, 97, 1, 50, 0, 0]],
    ['a voter that is joining', [2, 0, 1, 1, 97, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 97, 1, 97]],
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
