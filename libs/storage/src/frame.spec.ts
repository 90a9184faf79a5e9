import fc from 'fast-check';
import { bodyStart, frameBytesOf, readFrame, sealFrame, type Reading, type Frame } from './frame.js';

const SALT = 0x1234;
const FIELDS = { type: 2, sequence: 2 ** 40 + 7, syncedThrough: 2 ** 33, previousChecksum: 0xdeadbeef };

/** A file in which one frame lies at `offset`. */
function fileWith(body: Uint8Array, offset: number, behind = 64): { file: Uint8Array; end: number } {
  const end = offset + frameBytesOf(body.length);
  const file = new Uint8Array(end + behind);
  file.set(body, offset + bodyStart);
  sealFrame(file, offset, offset, SALT, { ...FIELDS, bodyBytes: body.length });
  return { file, end };
}

const stateAt = (file: Uint8Array, offset: number): Reading<Frame>['state'] => readFrame(file, offset, SALT).state;

const offsets = fc.integer({ min: 0, max: 200 }).map((slot) => slot * 8);
const bodies = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 1200 }), fc.constantFrom(0, 0, 7, 0x9d)), { minLength: 1, maxLength: 4 })
  .map((runs) => Uint8Array.from(runs.flatMap(([length, value]) => Array<number>(length).fill(value))));

describe('a frame', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(bodies, offsets, (body, offset) => {
        const { file, end } = fileWith(body, offset);
        const reading = readFrame(file, offset, SALT);
        expect(reading).toMatchObject({ state: 'whole', value: { ...FIELDS, frameBytes: end - offset } });
        expect(reading.state === 'whole' && Buffer.compare(reading.value.body, body)).toBe(0);
        expect(stateAt(file, end)).toBe('blank');
      }),
      { numRuns: 50 },
    );
  });

  it('starts at a multiple of 8 bytes and ends there, and never ends in zero', () => {
    for (let length = 1; length < 20; length += 1) {
      const { file, end } = fileWith(new Uint8Array(length), 8);
      expect(end % 8).toBe(0);
      expect(file[end - 1]).not.toBe(0);
    }
  });

  it('belongs to its segment: another salt reads nothing', () => {
    const { file } = fileWith(Uint8Array.of(1), 0);
    expect(readFrame(file, 0, SALT + 1).state).toBe('damaged');
  });

  it('is torn, or blank, when it is cut at any byte, and never damaged', () => {
    fc.assert(
      fc.property(bodies, offsets, (body, offset) => {
        const { file, end } = fileWith(body, offset);
        for (let cut = offset; cut < end; cut += 1) {
          const expected = cut === offset ? 'blank' : 'torn';
          const padded = file.slice().fill(0, cut);
          // The first bytes of a header may themselves be zeros.
          const isStillBlank = padded.subarray(offset).every((byte) => byte === 0);
          expect([cut, stateAt(padded, offset)]).toEqual([cut, isStillBlank ? 'blank' : expected]);
          if (stateAt(file.slice(0, cut), offset) === 'damaged') throw new Error(`damaged when cut short at ${cut}`);
        }
      }),
      { numRuns: 4 },
    );
  });

  it('is torn, or blank, when any of its sectors never arrived', () => {
    fc.assert(
      fc.property(
        bodies,
        offsets,
        fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }),
        (body, offset, arrived) => {
          const { file, end } = fileWith(body, offset);
          const before = file.slice();
          for (let sector = Math.floor(offset / 512); sector * 512 < end; sector += 1) {
            const isThere = arrived[sector % arrived.length];
            if (!isThere) file.fill(0, Math.max(offset, sector * 512), Math.min(end, (sector + 1) * 512));
          }
          const isWhole = Buffer.compare(file, before) === 0;
          const allowed = isWhole ? ['whole'] : ['torn', 'blank'];
          expect(allowed).toContain(stateAt(file, offset));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('is damaged, and not torn, when all of it arrived and a bit changed: long zeros by nature do not hide that', () => {
    const body = new Uint8Array(3000).fill(5, 0, 700).fill(6, 2500);
    const { file, end } = fileWith(body, 40);
    for (let at = 40; at < end; at += 1) {
      for (const bit of [1, 128]) {
        file[at]! ^= bit;
        expect([at, stateAt(file, 40)]).toEqual([at, 'damaged']);
        file[at]! ^= bit;
      }
    }
  });
});
