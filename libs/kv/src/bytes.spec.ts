import fc from 'fast-check';
import { byteString, compareBytes } from './bytes.js';
import { fromHex, hex } from './testing/bytes.js';

describe('byteString', () => {
  it('has a character for each byte, whatever the length', () => {
    for (const length of [0, 1, 255, 4_096, 4_097, 100_000]) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 7) & 0xff);
      const text = byteString(bytes);
      expect(text).toHaveLength(length);
      expect(Array.from(text, (character) => character.charCodeAt(0))).toEqual([...bytes]);
    }
  });
});

describe('compareBytes', () => {
  it('orders as hexadecimal text does: unsigned bytes, a prefix first', () => {
    const few = fc.uint8Array({ maxLength: 3 });
    fc.assert(
      fc.property(few, few, (a, b) => {
        const expected = hex(a) < hex(b) ? -1 : hex(a) > hex(b) ? 1 : 0;
        expect(Math.sign(compareBytes(a, b))).toBe(expected);
        expect(compareBytes(a, a.slice())).toBe(0);
      }),
      { numRuns: 500 },
    );
    expect(compareBytes(fromHex('7f'), fromHex('80'))).toBeLessThan(0);
    expect(compareBytes(fromHex('61'), fromHex('6100'))).toBeLessThan(0);
  });
});
