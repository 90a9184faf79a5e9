import type { Word64 } from './hash64.js';

/** Small results are cut out of pieces of this size. Whoever keeps one of them keeps its piece. */
const PIECE_BYTES = 8 * 1024;
/** A larger result gets memory of its own. */
const SHARED_BYTES_MAX = PIECE_BYTES / 4;
/** A larger buffer is not kept for the next use, so that one huge value does not stay in memory. */
const KEPT_BYTES_MAX = 64 * 1024;
const NOTHING = new Uint8Array(0);

/**
 * Builds one encoded thing after another; the counterpart of `ByteReader`. It is made to be used again:
 * `start`, writes, `finish`. Values that do not fit their field throw a `RangeError`: that is the caller's bug.
 */
export class ByteWriter {
  private buffer: Uint8Array = NOTHING;
  /** Where the thing begins that is being written. What is before it was handed over. */
  private from = 0;
  private position = 0;

  /** Forgets what an earlier use left unfinished. Room for `bytes` is made at once, where that is known. */
  start(bytes = 0): this {
    this.position = this.from;
    if (bytes > this.buffer.length - this.from) this.renew(bytes > SHARED_BYTES_MAX ? bytes : PIECE_BYTES);
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

  /**
   * Hands over what was written, in an array of exactly its length that nobody else writes to. It may be a view into memory that it shares
   * with others: look at `byteOffset` wherever `buffer` is looked at.
   */
  finish(): Uint8Array {
    const { buffer, from, position } = this;
    const length = position - from;
    if (length === buffer.length) {
      this.drop();
      return buffer;
    }
    if (buffer.length === PIECE_BYTES && length <= SHARED_BYTES_MAX) {
      this.from = position;
      return buffer.subarray(from, position);
    }
    this.position = from;
    if (buffer.length > KEPT_BYTES_MAX) this.drop();
    return buffer.slice(from, position);
  }

  private reserve(bytes: number): void {
    const needed = this.position + bytes - this.from;
    if (this.from + needed > this.buffer.length)
      this.renew(Math.max(PIECE_BYTES, needed > PIECE_BYTES ? 2 * needed : 0));
  }

  /** Goes on in a new buffer. */
  private renew(bytes: number): void {
    const renewed = new Uint8Array(bytes);
    renewed.set(this.buffer.subarray(this.from, this.position));
    this.position -= this.from;
    this.from = 0;
    this.buffer = renewed;
  }

  private drop(): void {
    this.buffer = NOTHING;
    this.from = 0;
    this.position = 0;
  }
}

/** How many bytes `ByteWriter.varint` takes for this number. */
export function varintBytes(value: number): number {
  let bytes = 1;
  for (let left = value; left >= 0x80; left = Math.floor(left / 0x80)) bytes++;
  return bytes;
}
