import { Hash64, hex64, type Word64 } from './hash64.js';
import { ascii } from './testing/bytes.js';

function hashOf(bytes: Uint8Array): Word64 {
  return new Hash64().start(1, 2).word(bytes.length).bytes(bytes).finish();
}

function bitsOf({ high, low }: Word64): number[] {
  return Array.from({ length: 64 }, (_, i) => ((i < 32 ? low : high) >>> (i & 31)) & 1);
}

describe('Hash64', () => {
  it.each([
    ['', 'd8a3023284ed8b21'],
    ['a', '576be91a78dbb541'],
    ['abcd', '7d0f540e155f9022'],
    ['The quick brown fox jumps over the lazy dog', 'c228cc6749946685'],
  ])('keeps its values, as they are stored: %j', (text, expected) => {
    expect(hex64(hashOf(ascii(text)))).toBe(expected);
  });

  it('hashes a part of a larger buffer as what it is', () => {
    const bytes = ascii('..the part that counts..');
    expect(hashOf(bytes.subarray(2, 21))).toEqual(hashOf(bytes.slice(2, 21)));
  });

  it('lets every bit that goes in turn about half of those that come out', () => {
    // 11 bytes: two words and the tail of a third.
    let random = 1;
    const nextByte = () => (random = (Math.imul(random, 1_664_525) + 1_013_904_223) | 0) >>> 24;
    const inputs = Array.from({ length: 400 }, () => Uint8Array.from({ length: 11 }, nextByte));
    for (let bit = 0; bit < 88; bit++) {
      const turned = new Array<number>(64).fill(0);
      for (const input of inputs) {
        const before = bitsOf(hashOf(input));
        const other = input.slice();
        other[bit >> 3]! ^= 1 << (bit & 7);
        bitsOf(hashOf(other)).forEach((value, at) => (turned[at]! += value ^ before[at]!));
      }
      // 200 is expected; 60 is six standard deviations.
      expect(Math.min(...turned)).toBeGreaterThan(140);
      expect(Math.max(...turned)).toBeLessThan(260);
    }
  });

  it('lets each half alone tell similar inputs apart as well as chance would', () => {
    const count = 200_000;
    const hash = new Hash64();
    const halves = { high: new Set<number>(), low: new Set<number>() };
    for (let i = 0; i < count; i++) {
      hash.start(0, 0).word(i).word(0).finish();
      halves.high.add(hash.high);
      halves.low.add(hash.low);
    }
    // Of 200,000 random words of 32 bits, 4.7 pairs are equal.
    expect(count - halves.high.size).toBeLessThan(25);
    expect(count - halves.low.size).toBeLessThan(25);
  });

  it('goes on from what it has finished, and forgets nothing', () => {
    const words = [0, 1, 2 ** 31, 7];
    const chain = (start: number) => {
      const hash = new Hash64().start(start, start);
      for (const word of words) hash.word(word).finish();
      return hex64(hash);
    };
    const ends = Array.from({ length: 1_000 }, (_, start) => chain(start));
    expect(new Set(ends).size).toBe(1_000);
  });

  it('takes all 53 bits of an integer', () => {
    const hashes = [0, 1, 2 ** 31, 2 ** 32, 2 ** 32 + 1, 2 ** 52, Number.MAX_SAFE_INTEGER].map((value) =>
      hex64(new Hash64().start(0, 0).integer(value)),
    );
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  it('shows all of its digits', () => {
    expect(hex64({ high: -1, low: 0x1f })).toBe('ffffffff0000001f');
  });
});
