import fc from 'fast-check';
import { integerText, isInt64, parseInteger } from './integer-text.js';
import { ascii, text } from './testing/bytes.js';

describe('integers as text', () => {
  it('reads back every signed 64-bit integer', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        expect(text(integerText(value))).toBe(`${value}`);
        expect(parseInteger(integerText(value))).toBe(value);
      }),
    );
  });

  it.each(['0', '-1', '9223372036854775807', '-9223372036854775808'])('takes %s', (value) => {
    expect(parseInteger(ascii(value))).toBe(BigInt(value));
  });

  it.each([
    '',
    ' 1',
    '1 ',
    '1\n',
    '+1',
    '-',
    '-0',
    '01',
    '1.0',
    '1e3',
    '0x10',
    '9223372036854775808',
    '-9223372036854775809',
    '99999999999999999999',
    '1'.repeat(200_000),
  ])('does not take %j', (value) => {
    expect(parseInteger(ascii(value))).toBeUndefined();
  });

  it('knows the bounds of 64 bits', () => {
    expect([2n ** 63n, 2n ** 63n - 1n, -(2n ** 63n), -(2n ** 63n) - 1n].map(isInt64)).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });
});
