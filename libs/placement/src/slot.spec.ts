import calculateSlot from 'cluster-key-slot';
import fc from 'fast-check';
import { SLOT_COUNT, crc16, slotOf } from './slot.js';

const ascii = (text: string): Uint8Array => Buffer.from(text, 'latin1');

describe('crc16', () => {
  it('is CRC16/XMODEM: the published check value of "123456789" is 0x31C3', () => {
    expect(crc16(ascii('123456789'))).toBe(0x31c3);
  });

  it('of nothing is 0', () => {
    expect(crc16(new Uint8Array())).toBe(0);
  });
});

describe('slotOf', () => {
  // The figures are those that `CLUSTER KEYSLOT` of a Redis server gives.
  it.each([
    ['123456789', 0x31c3 % SLOT_COUNT],
    ['foo', 12182],
    ['bar', 5061],
    ['', 0],
  ])('of %j is %i', (key, slot) => {
    expect(slotOf(key)).toBe(slot);
  });

  it('is the same for keys with the same tag', () => {
    expect(slotOf('{user1000}.following')).toBe(slotOf('{user1000}.followers'));
    expect(slotOf('{user1000}.following')).toBe(slotOf('user1000'));
  });

  it.each([
    ['foo{}{bar}', 'nothing stands between the first braces: the whole key counts', undefined],
    ['foo{}', 'nothing stands between the only braces: the whole key counts', undefined],
    ['{}', 'nothing stands between the only braces: the whole key counts', undefined],
    ['foo{bar', 'no brace closes: the whole key counts', undefined],
    ['foo}bar{zap', 'the brace closes before it opens: the whole key counts', undefined],
    ['foo{{bar}}zap', 'the tag runs from the first { to the first } after it', '{bar'],
    ['foo{bar}{zap}', 'the first pair is the tag', 'bar'],
    ['}foo{bar}', 'a } before the first { does not matter', 'bar'],
    ['{bar}', 'the key is nothing but its tag', 'bar'],
  ])('of %j: %s', (key, _rule, tag) => {
    expect(slotOf(key)).toBe(crc16(ascii(tag ?? key)) % SLOT_COUNT);
  });

  it('takes keys as bytes, whether they are text or not', () => {
    const everyByte = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    expect(slotOf(everyByte)).toBe(calculateSlot(Buffer.from(everyByte)));
    expect(slotOf(Uint8Array.of(0xff, 0x7b, 0xfe, 0x7d, 0x00))).toBe(crc16(Uint8Array.of(0xfe)) % SLOT_COUNT);
    expect(slotOf(Uint8Array.of(0xff))).not.toBe(slotOf('\u00ff'));
  });

  it('takes a string for its UTF-8 bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(slotOf(text)).toBe(slotOf(Buffer.from(text, 'utf8')));
      }),
    );
  });

  it('looks only at the bytes of a view into a larger buffer', () => {
    const larger = ascii('xx{user1000}yy');
    expect(slotOf(larger.subarray(3, 11))).toBe(slotOf('user1000'));
  });

  it('agrees with cluster-key-slot on any bytes, but where that package reads on after empty braces', () => {
    const byte = fc.oneof(fc.constantFrom(0x7b, 0x7d, 0x61), fc.nat(255));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 24 }), fc.array(byte, { maxLength: 24 }), (random, braced) => {
        for (const key of [random, Uint8Array.from(braced)]) {
          fc.pre(!/^[^{]*\{\}/.test(Buffer.from(key).toString('latin1')));
          expect(slotOf(key)).toBe(calculateSlot(Buffer.from(key)));
        }
      }),
      { numRuns: 1000 },
    );
  });
});
