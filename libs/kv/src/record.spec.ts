import fc from 'fast-check';
import { UnsupportedVersionError } from './decode-error.js';
import { decodeRecord, encodeRecord, isExpired } from './record.js';
import { bytes, contentType, number } from './testing/arbitraries.js';
import { ascii, fromHex, hex } from './testing/bytes.js';

describe('stored records', () => {
  it('are read back as they were written', () => {
    fc.assert(
      fc.property(fc.record({ revision: number, expiresAtMs: number, contentType, value: bytes }), (record) => {
        expect(decodeRecord(encodeRecord(record))).toEqual(record);
      }),
    );
  });

  it('keep the bytes of version 1', () => {
    const record = { revision: 300, expiresAtMs: 1, contentType: 'a/b', value: ascii('v') };
    expect(hex(encodeRecord(record))).toBe('01ac020103612f6276');
    expect(() => decodeRecord(fromHex('02ac020103612f6276'))).toThrow(
      new UnsupportedVersionError('record', 'version', 2),
    );
  });

  it('expire at their time, not after it, and never at 0', () => {
    const record = { revision: 1, contentType: '', value: ascii('') };
    expect(isExpired({ ...record, expiresAtMs: 100 }, 99)).toBe(false);
    expect(isExpired({ ...record, expiresAtMs: 100 }, 100)).toBe(true);
    expect(isExpired({ ...record, expiresAtMs: 0 }, Number.MAX_SAFE_INTEGER)).toBe(false);
  });
});
