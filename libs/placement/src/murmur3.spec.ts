import { murmur3 } from './murmur3.js';

describe('murmur3', () => {
  // Published vectors of MurmurHash3_x86_32.
  it.each([
    ['', 0, 0],
    ['', 1, 0x514e28b7],
    ['', 0xffffffff, 0x81f16f39],
    ['test', 0, 0xba6bd213],
    ['test', 0x9747b28c, 0x704b81dc],
    ['Hello, world!', 0, 0xc0363e43],
    ['aaa', 0x9747b28c, 0x283e0130],
    ['aa', 0x9747b28c, 0x5d211726],
    ['a', 0x9747b28c, 0x7fa09ea6],
    ['The quick brown fox jumps over the lazy dog', 0x9747b28c, 0x2fa826cd],
  ])('of %j with seed %i is %i', (text, seed, hash) => {
    expect(murmur3(Buffer.from(text), seed)).toBe(hash);
  });

  it('reads the bytes of a view from its own offset', () => {
    expect(murmur3(Buffer.from('xxtestxx').subarray(2, 6))).toBe(0xba6bd213);
  });
});
