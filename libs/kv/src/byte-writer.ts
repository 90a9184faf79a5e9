import { allocateBytes } from './byte-slab.js';
import type { Word64 } from './hash64.js';

const INITIAL_BYTES = 256;
/** A larger buffer is not kept for the next use, so that one huge value does not stay in memory. */
const KEPT_BYTES_MAX = 64 * 1024;
/** Up to here a loop is faster than `set`. */
const COPIED_ONE_BY_ONE_MAX = 32;
const NOTHING = new Uint8Array(0);

/**
 * Builds one encoded thing after another; the counterpart of `ByteReader`. It is made to be used again:
 * `start`, writes, `finish`. Values that do not fit their field throw a `RangeError`: that is the caller's bug.
 */
export class ByteWriter {
  private buffer: Uint8Array = NOTHING;
  private position = 0;

  /** Forgets what an earlier use left unfinished. Room for `bytes` is made at once, where that is known. */
  start(bytes = 0): this {
    this.position = 0;
    if (bytes > this.buffer.length) this.buffer = new Uint8Array(bytes);
    return this;
  }

  byte(value: number): this {
    this.reserve(1);
    this.buffer[this.position++] = value;
    return this;
  }

  varint(value: number): this {
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${value} is no integer from 0 to 2^53 - 1`);
    this.reserve(8);
    let left = value;
    while (left >= 0x80) {
      this.buffer[this.position++] = (left % 0x80) | 0x80;
      left = left < 0x8000_0000 ? left >>> 7 : Math.floor(left / 0x80);
    }
    this.buffer[this.position++] = left;
    return this;
  }

  int64(value: bigint): this {
    if (BigInt.asIntN(64, value) !== value) throw new RangeError(`${value} does not fit a signed 64-bit integer`);
    this.reserve(8);
    new DataView(this.buffer.buffer, this.buffer.byteOffset + this.position, 8).setBigInt64(0, value);
    this.position += 8;
    return this;
  }

  /** In 8 bytes, highest first. */
  word64({ high, low }: Word64): this {
    this.reserve(8);
    const view = new DataView(this.buffer.buffer, this.buffer.byteOffset + this.position, 8);
    view.setInt32(0, high);
    view.setInt32(4, low);
    this.position += 8;
    return this;
  }

  /** The bytes, preceded by their length. */
  bytes(value: Uint8Array): this {
    return this.varint(value.length).raw(value);
  }

  /** Visible ASCII and spaces, preceded by its length. */
  ascii(value: string, lengthMax: number): this {
    if (value.length > lengthMax) throw new RangeError(`${value.length} characters are more than ${lengthMax}`);
    this.varint(value.length);
    this.reserve(value.length);
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i);
      if (code < 0x20 || code > 0x7e) throw new RangeError('a character is not visible ASCII');
      this.buffer[this.position++] = code;
    }
    return this;
  }

  /** The bytes alone; what reads them must know where they end. */
  raw(value: Uint8Array): this {
    this.reserve(value.length);
    this.buffer.set(value, this.position);
    this.position += value.length;
    return this;
  }

  /** Hands over what was written, in an array of exactly its length that nobody else writes to. */
  finish(): Uint8Array {
    const { buffer, position } = this;
    this.position = 0;
    if (position === buffer.length || buffer.length > KEPT_BYTES_MAX) this.buffer = NOTHING;
    if (position === buffer.length) return buffer;
    const written = allocateBytes(position);
    if (position > COPIED_ONE_BY_ONE_MAX) written.set(buffer.subarray(0, position));
    else for (let at = 0; at < position; at += 1) written[at] = buffer[at]!;
    return written;
  }

  private reserve(bytes: number): void {
    const needed = this.position + bytes;
    if (needed <= this.buffer.length) return;
    const grown = new Uint8Array(Math.max(INITIAL_BYTES, this.buffer.length * 2, needed));
    grown.set(this.buffer.subarray(0, this.position));
    this.buffer = grown;
  }
}

/** How many bytes `ByteWriter.varint` takes for this number. */
export function varintBytes(value: number): number {
  let bytes = 1;
  for (let left = value; left >= 0x80; left = Math.floor(left / 0x80)) bytes++;
  return bytes;
}
