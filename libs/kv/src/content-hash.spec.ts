import fc from 'fast-check';
import { ContentHash } from './content-hash.js';
import { bytes } from './testing/arbitraries.js';
import { ascii } from './testing/bytes.js';

type Row = readonly [key: Uint8Array, value: Uint8Array];

const row: fc.Arbitrary<Row> = fc.tuple(fc.uint8Array({ maxLength: 12 }), bytes);

function hashOf(...rows: readonly Row[]): ContentHash {
  const hash = new ContentHash();
  for (const [key, value] of rows) hash.add(key, value);
  return hash;
}

function hex(key: string, value: string): string {
  return hashOf([ascii(key), ascii(value)]).toString();
}

describe('ContentHash', () => {
  it('is 0 without rows, and keeps its values, as they are stored', () => {
    expect(new ContentHash().toString()).toBe('0000000000000000');
    expect(hex('', '')).toBe('3a12905b6365d847');
    expect(hex('key', 'value')).toBe('68f48f0cab4aad5f');
  });

  it('does not depend on the order of the rows', () => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 12 }), fc.infiniteStream(fc.nat()), (rows, order) => {
        const ranked = rows.map((each) => ({ each, rank: order.next().value as number }));
        const shuffled = ranked.toSorted((a, b) => a.rank - b.rank).map(({ each }) => each);
        expect(hashOf(...shuffled).toString()).toBe(hashOf(...rows).toString());
      }),
    );
  });

  it('is the sum of the hashes of its rows, modulo 2^64', () => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 12 }), (rows) => {
        const sum = rows.reduce((total, each) => total + BigInt(`0x${hashOf(each).toString()}`), 0n);
        expect(BigInt(`0x${hashOf(...rows).toString()}`)).toBe(BigInt.asUintN(64, sum));
      }),
      { numRuns: 500 },
    );
  });

  it('is what it was before when a row that was added is removed', () => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 6 }), fc.array(row, { maxLength: 6 }), (rows, others) => {
        const hash = hashOf(...rows, ...others);
        for (const [key, value] of rows) hash.remove(key, value);
        expect(hash.toString()).toBe(hashOf(...others).toString());
      }),
      { numRuns: 500 },
    );
  });

  it('goes on from a sum that was kept', () => {
    const kept = hashOf([ascii('a'), ascii('1')]);
    const hash = hashOf([ascii('z'), ascii('z')]);
    hash.restore({ high: kept.high, low: kept.low });
    hash.add(ascii('b'), ascii('2'));
    expect(hash.toString()).toBe(hashOf([ascii('a'), ascii('1')], [ascii('b'), ascii('2')]).toString());
  });

  it('knows where the key ends, and how long the value is', () => {
    const hashes = [
      hex('ab', 'cd'),
      hex('abc', 'd'),
      hex('abcd', ''),
      hex('', 'abcd'),
      hex('cd', 'ab'),
      hex('ab', 'cd\0'),
      hex('ab\0', 'cd'),
      hex('ab', '\0cd'),
      hex('ab\0\0', 'cd'),
    ];
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  it('differs for rows that have exchanged their values', () => {
    const [a, b, x, y] = ['a', 'b', 'x', 'y'].map(ascii) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
    expect(hashOf([a, x], [b, y]).toString()).not.toBe(hashOf([a, y], [b, x]).toString());
  });

  it('has no two equal hashes among 90,000 rows that are much alike', () => {
    const hashes = new Set<string>();
    for (let i = 0; i < 300; i++) {
      for (let j = 0; j < 300; j++) hashes.add(hex(`key-${i}`, `${j}`));
    }
    expect(hashes.size).toBe(90_000);
  });
});
