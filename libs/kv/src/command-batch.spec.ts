import fc from 'fast-check';
import { decodeBatch, encodeBatch } from './command-batch.js';
import { DecodeError, UnsupportedVersionError } from './decode-error.js';
import { bytes, number } from './testing/arbitraries.js';
import { ascii, fromHex, hex } from './testing/bytes.js';
import { thrownBy } from './testing/thrown-by.js';

const commandBytes = fc.array(bytes, { maxLength: 10 });

describe('the codec of batches', () => {
  it('reads back what it wrote', () => {
    fc.assert(
      fc.property(number, commandBytes, (logTimeMs, commands) => {
        expect(decodeBatch(encodeBatch(logTimeMs, commands))).toEqual({ logTimeMs, commands });
      }),
    );
  });

  it('keeps the bytes of version 1', () => {
    const encoded = fromHex('01 8008 02 03 616263 01 64');
    expect(hex(encodeBatch(1024, [ascii('abc'), ascii('d')]))).toBe(hex(encoded));
    expect(decodeBatch(encoded)).toEqual({ logTimeMs: 1024, commands: [ascii('abc'), ascii('d')] });
  });

  it('writes into one array of the exact length', () => {
    const data = encodeBatch(1_790_000_000_000, [new Uint8Array(500), new Uint8Array(70_000)]);
    expect(data.buffer.byteLength).toBe(data.length);
  });

  it('gives commands as views', () => {
    const data = encodeBatch(1, [ascii('abc')]);
    expect(decodeBatch(data).commands[0]!.buffer).toBe(data.buffer);
  });

  it('refuses a batch that is cut short or has something behind it', () => {
    fc.assert(
      fc.property(number, commandBytes, (logTimeMs, commands) => {
        const data = encodeBatch(logTimeMs, commands);
        for (let length = 0; length < data.length; length++) {
          expect(() => decodeBatch(data.subarray(0, length))).toThrow(DecodeError);
        }
        expect(() => decodeBatch(Uint8Array.of(...data, 0))).toThrow('end');
      }),
      { numRuns: 20 },
    );
  });

  it('refuses a count that there is no room for before it reads on', () => {
    expect(thrownBy(() => decodeBatch(fromHex('01 00 ffffffffffffff0f')))).toMatchObject({ field: 'count' });
  });

  it('knows a newer version', () => {
    expect(() => decodeBatch(fromHex('02 00 00'))).toThrow(new UnsupportedVersionError('command batch', 'version', 2));
  });

  it('takes whole milliseconds only', () => {
    expect(() => encodeBatch(1.5, [])).toThrow(RangeError);
    expect(() => encodeBatch(-1, [])).toThrow(RangeError);
  });
});
