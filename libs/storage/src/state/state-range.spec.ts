import { createHash } from 'node:crypto';
import fc from 'fast-check';
import type { Row } from '@app/kv';
import { RangeDigest } from './state-range.js';

/** As `StateRange.digest` says. */
function expected(rows: readonly Row[]): string {
  const hash = createHash('sha256');
  for (const { key, value } of rows) {
    const lengths = Buffer.alloc(8);
    lengths.writeUInt32LE(key.length, 0);
    lengths.writeUInt32LE(value.length, 4);
    hash.update(lengths).update(key).update(value);
  }
  return hash.digest('hex');
}

const bytes = fc
  .tuple(
    fc.oneof(fc.nat({ max: 40 }), fc.nat({ max: 5_000 }), fc.integer({ min: 4_080, max: 4_100 })),
    fc.nat({ max: 255 }),
  )
  .map(([length, byte]) => new Uint8Array(length).fill(byte));
const rows = fc.array(fc.record({ key: bytes, value: bytes }), { maxLength: 60 });

describe('RangeDigest', () => {
  it('is the hash of lengths, keys and values in their order, whatever their sizes', () => {
    fc.assert(
      fc.property(rows, (list) => {
        const digest = new RangeDigest();
        for (const row of list) digest.add(row);
        expect(Buffer.from(digest.finish()).toString('hex')).toBe(expected(list));
      }),
    );
  });
});
