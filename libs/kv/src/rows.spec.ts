import fc from 'fast-check';
import { compareBytes } from './bytes.js';
import { decodeUserRow, encodeRecord } from './record.js';
import {
  answersRowKey,
  clientIdOf,
  decodeExpiryRow,
  expiryRange,
  expiryRowKey,
  metaRowKey,
  RESTORE_RANGES,
  pageNumberOfRow,
  sessionRowKey,
  userRange,
  userRowKey,
  type KeyRange,
} from './rows.js';
import { bytes, number } from './testing/arbitraries.js';
import { ascii, hex } from './testing/bytes.js';

const key = fc.uint8Array({ maxLength: 4 });

function isIn({ from, to }: KeyRange, rowKey: Uint8Array): boolean {
  return compareBytes(from, rowKey) <= 0 && compareBytes(rowKey, to) < 0;
}

function startsWith(value: Uint8Array, prefix: Uint8Array): boolean {
  return compareBytes(value.subarray(0, prefix.length), prefix) === 0;
}

describe('the layout of rows', () => {
  it('keeps the bytes of version 1', () => {
    expect(hex(metaRowKey())).toBe('01');
    expect(hex(sessionRowKey(258))).toBe('020000000000000102');
    expect(hex(answersRowKey(1, Number.MAX_SAFE_INTEGER))).toBe('030000000000000001001fffffffffffff');
    expect(hex(userRowKey(ascii('ab')))).toBe('106162');
    expect(hex(expiryRowKey(0x123456789ab, ascii('ab')))).toBe('11000001' + '23456789ab' + '6162');
  });

  it('reads back the numbers of a key', () => {
    fc.assert(
      fc.property(number, number, key, (a, b, userKey) => {
        expect(clientIdOf(sessionRowKey(a))).toBe(a);
        expect(clientIdOf(answersRowKey(a, b))).toBe(a);
        expect(pageNumberOfRow(answersRowKey(a, b))).toBe(b);
        const row = { key: expiryRowKey(a, userKey), value: new Uint8Array(0) };
        expect(decodeExpiryRow(row)).toEqual({ key: userKey, expiresAtMs: a });
      }),
      { numRuns: 500 },
    );
  });

  it('has what is to be restored in its ranges, sessions before their answers, and nothing else', () => {
    const inMemory = [metaRowKey(), sessionRowKey(2 ** 53 - 1), answersRowKey(1, 0)];
    expect(inMemory.toSorted(compareBytes)).toEqual(inMemory);
    fc.assert(
      fc.property(number, number, bytes, (a, b, userKey) => {
        for (const rowKey of [metaRowKey(), sessionRowKey(a), answersRowKey(a, b)]) {
          expect(RESTORE_RANGES.filter((range) => isIn(range, rowKey))).toHaveLength(1);
        }
        for (const rowKey of [userRowKey(userKey), expiryRowKey(a, userKey)]) {
          expect(RESTORE_RANGES.some((range) => isIn(range, rowKey))).toBe(false);
        }
      }),
    );
  });

  it('has in the expiry range exactly what has expired, and sorts it by time', () => {
    fc.assert(
      fc.property(number, number, key, key, (expiresAtMs, nowMs, userKey, other) => {
        expect(isIn(expiryRange(nowMs), expiryRowKey(expiresAtMs, userKey))).toBe(expiresAtMs <= nowMs);
        expect(isIn(expiryRange(expiresAtMs), expiryRowKey(expiresAtMs, userKey))).toBe(true);
        expect(isIn(expiryRange(nowMs), userRowKey(userKey))).toBe(false);
        const byTime = Math.sign(compareBytes(expiryRowKey(expiresAtMs, userKey), expiryRowKey(nowMs, other)));
        expect(byTime).toBe(Math.sign(expiresAtMs - nowMs || compareBytes(userKey, other)));
      }),
      { numRuns: 500 },
    );
  });

  it('has in the range of a prefix exactly the keys that begin with it, and after one exactly those above it', () => {
    const short = fc.uint8Array({ maxLength: 3 }).map((each) => each.map((byte) => [0, 1, 0xfe, 0xff][byte & 3]!));
    fc.assert(
      fc.property(short, short, short, (prefix, after, userKey) => {
        const inPrefix = startsWith(userKey, prefix);
        expect(isIn(userRange(prefix), userRowKey(userKey))).toBe(inPrefix);
        expect(isIn(userRange(prefix, after), userRowKey(userKey))).toBe(inPrefix && compareBytes(userKey, after) > 0);
        expect(isIn(userRange(prefix), expiryRowKey(1, userKey))).toBe(false);
        expect(isIn(userRange(prefix), sessionRowKey(1))).toBe(false);
      }),
      { numRuns: 3_000 },
    );
  });

  it('shows a user row as its key and record until it expires', () => {
    const record = { revision: 7, contentType: 'text/plain', value: ascii('v') };
    const row = { key: userRowKey(ascii('k')), value: encodeRecord({ ...record, expiresAtMs: 100 }) };
    expect(decodeUserRow(row, 99)).toEqual({ key: ascii('k'), record });
    expect(decodeUserRow(row, 100)).toBeUndefined();
  });
});
