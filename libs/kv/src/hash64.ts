/** Looked up once: inside Jest each look at a global costs more than the multiplication. */
const { imul } = Math;

/** A number of 64 bits in two halves, each of them any 32 bits: compare them as they are, show them with `hex64`. */
export interface Word64 {
  readonly high: number;
  readonly low: number;
}

/**
 * Hashes words and byte strings, one after another, to 64 bits: two lanes of 32 bits that each see everything, with other
 * constants (blocks and the final mix are those of MurmurHash3 by Austin Appleby, lanes 1 and 2 of its x86 128-bit form).
 *
 * What is hashed must be self-delimiting: `bytes` pads its last word with zeros and adds no length. For equal words that
 * follow, different states stay different, so a chain forgets nothing. It is no defence against chosen input.
 *
 * The values are part of the replicated state: they change only with a new version of the row that holds them.
 */
export class Hash64 implements Word64 {
  high = 0;
  low = 0;

  start(high: number, low: number): this {
    this.high = high | 0;
    this.low = low | 0;
    return this;
  }

  /** The low 32 bits of `value`. */
  word(value: number): this {
    this.high = firstLane(this.high, value);
    this.low = secondLane(this.low, value);
    return this;
  }

  /** An integer from 0 to 2^53 - 1. */
  integer(value: number): this {
    return this.word(value).word(Math.floor(value / 2 ** 32));
  }

  bytes(bytes: Uint8Array): this {
    const { length } = bytes;
    const wordsEnd = length & ~3;
    let { high, low } = this;
    for (let at = 0; at < wordsEnd; at += 4) {
      const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
      high = firstLane(high, word);
      low = secondLane(low, word);
    }
    if (wordsEnd < length) {
      let tail = 0;
      for (let at = length - 1; at >= wordsEnd; at--) tail = (tail << 8) | bytes[at]!;
      high = firstLane(high, tail);
      low = secondLane(low, tail);
    }
    this.high = high;
    this.low = low;
    return this;
  }

  /** Lets every bit of both lanes reach every bit of the result. It can go on from there. */
  finish(): this {
    const high = (this.high + this.low) | 0;
    const low = (this.low + high) | 0;
    this.high = (mixed(high) + mixed(low)) | 0;
    this.low = (mixed(low) + this.high) | 0;
    return this;
  }
}

/** 16 hexadecimal digits. */
export function hex64({ high, low }: Word64): string {
  return hex32(high) + hex32(low);
}

function hex32(half: number): string {
  return (half >>> 0).toString(16).padStart(8, '0');
}

function firstLane(state: number, word: number): number {
  let block = imul(word, 0x239b961b);
  block = imul((block << 15) | (block >>> 17), 0xab0e9789);
  const next = state ^ block;
  return (imul((next << 19) | (next >>> 13), 5) + 0x561ccd1b) | 0;
}

function secondLane(state: number, word: number): number {
  let block = imul(word, 0xab0e9789);
  block = imul((block << 16) | (block >>> 16), 0x38b34ae5);
  const next = state ^ block;
  return (imul((next << 17) | (next >>> 15), 5) + 0x0bcaa747) | 0;
}

function mixed(half: number): number {
  let value = imul(half ^ (half >>> 16), 0x85ebca6b);
  value = imul(value ^ (value >>> 13), 0xc2b2ae35);
  return value ^ (value >>> 16);
}
