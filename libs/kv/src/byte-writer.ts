import { SHARED_BYTES_MAX, SLAB_BYTES } from './byte-slab.js';
import type { Word64 } from './hash64.js';

/** The longest varint. */
const VARINT_BYTES_MAX = 8;

/**
 * Builds one encoded thing after another; the counterpart of `ByteReader`. It is made to be used again:
 * `start`, writes, `finish`. Values that do not fit their field throw a `RangeError`: that is the caller's bug.
 */
export class ByteWriter {
  /** A slab that only this writer cuts results out of, so that they are written where they stay. */
  private piece: Uint8Array = new Uint8Array(0);
  /** How much of the piece was handed over. */
  private used = 0;
  /** What is written to: the piece, or memory for one large thing. */
  private buffer = this.piece;
  /** Where the thing begins, is going on and has to move. */
  private from = 0;
  private position = 0;
  private limit = 0;

  /** Forgets what an earlier use left unfinished. Room for `bytes` is made at once, where that is known. */
  start(bytes = 0): this {
    this.writeTo(this.piece, this.used);
    if (bytes > this.limit - this.position) this.move(bytes);
    return this;
  }

  byte(value: number): this {
    this.reserve(1);
    this.buffer[this.position++] = value;
    return this;
  }

  varint(value: number): this {
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${value} is no integer from 0 to 2^53 - 1`);
    if (this.position + VARINT_BYTES_MAX > this.limit) this.reserve(varintBytes(value));
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
    if (buffer === this.piece) {
      this.used = position;
      this.writeTo(buffer, position);
      return buffer.subarray(from, position);
    }
    this.writeTo(this.piece, this.used);
    return position === buffer.length ? buffer : buffer.slice(0, position);
  }

  private writeTo(buffer: Uint8Array, from: number): void {
    this.buffer = buffer;
    this.from = from;
    this.position = from;
    this.limit = buffer === this.piece ? Math.min(from + SHARED_BYTES_MAX, buffer.length) : buffer.length;
  }

  private reserve(bytes: number): void {
    const needed = this.position + bytes - this.from;
    if (this.from + needed > this.limit) this.move(needed);
  }

  /** To where there is room for a thing of so many bytes. A large one is moved as rarely as that doubles, and no more: its last part is most often its largest. */
  private move(needed: number): void {
    const { buffer, from, position } = this;
    const isLarge = buffer !== this.piece;
    if (!isLarge && needed <= SHARED_BYTES_MAX) {
      this.piece = new Uint8Array(SLAB_BYTES);
      this.used = 0;
      this.writeTo(this.piece, 0);
    } else {
      this.writeTo(new Uint8Array(isLarge ? Math.max(needed, 2 * buffer.length) : needed), 0);
    }
    this.buffer.set(buffer.subarray(from, position));
    this.position = position - from;
  }
}

/** How many bytes `ByteWriter.varint` takes for this number. */
export function varintBytes(value: number): number {
  let bytes = 1;
  for (let left = value; left >= 0x80; left = Math.floor(left / 0x80)) bytes++;
  return bytes;
}
