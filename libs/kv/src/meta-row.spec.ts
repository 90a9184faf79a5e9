import fc from 'fast-check';
import { UnsupportedVersionError } from './decode-error.js';
import { decodeMeta, encodeMeta } from './meta-row.js';
import { number } from './testing/arbitraries.js';
import { fromHex, hex } from './testing/bytes.js';

const half = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const hash = fc.record({ high: half, low: half });

describe('what a state says of itself', () => {
  it('is read back as it was written', () => {
    const meta = fc.record({
      appliedIndex: number,
      revision: number,
      logTimeMs: number,
      lastClientId: number,
      content: hash,
      history: hash,
    });
    fc.assert(fc.property(meta, (each) => expect(decodeMeta(encodeMeta(each))).toEqual(each)));
  });

  it('keeps the bytes of version 2', () => {
    const meta = {
      appliedIndex: 9,
      revision: 300,
      logTimeMs: 2,
      lastClientId: 3,
      content: { high: 0x01020304, low: -2 },
      history: { high: 5, low: 6 },
    };
    const encoded = '02 09 ac02 02 03 01020304 fffffffe 00000005 00000006'.replaceAll(' ', '');
    expect(hex(encodeMeta(meta))).toBe(encoded);
    expect(decodeMeta(fromHex(encoded))).toEqual(meta);
    for (const version of [1, 3]) {
      expect(() => decodeMeta(fromHex(`0${version}${encoded.slice(2)}`))).toThrow(
        new UnsupportedVersionError('meta row', 'version', version),
      );
    }
    expect(() => decodeMeta(fromHex(`${encoded}00`))).toThrow('end');
    expect(() => decodeMeta(fromHex(encoded.slice(0, -2)))).toThrow('history');
  });
});
