import { byteString } from './bytes.js';
import { DecodeError } from './decode-error.js';
import type { Word64 } from './hash64.js';

/** The text that was read last: most are content types, and like the one before. */
let recentAscii = '';

/**
 * Reads one encoded thing from its start to its end. Every read names the field it is for; bytes that cannot
 * be that field throw a `DecodeError` with this name, and nothing beyond the end is ever read.
 *
 * Byte strings are views into the input, not copies.
 */
export class ByteReader {
  private position = 0;

  constructor(private readonly input: Uint8Array) {}

  byte(field: string): number {
    const value = this.input[this.position];
    if (value === undefined) throw new DecodeError(field, 'the input ends here');
    this.position++;
    return value;
  }

  /** An integer from 0 to 2^53 - 1, in groups of 7 bits, lowest first (LEB128), in its only shortest form. */
  varint(field: string): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.byte(field);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (byte === 0 && scale > 1) throw new DecodeError(field, 'number is not in its shortest form');
        if (value > Number.MAX_SAFE_INTEGER) break;
        return value;
      }
      if (scale === 2 ** 49) break;
      scale *= 0x80;
    }
    throw new DecodeError(field, 'number is above 2^53 - 1');
  }

  /** A signed 64-bit integer in 8 bytes, highest first. */
  int64(field: string): bigint {
    const bytes = this.take(8, field);
    return new DataView(bytes.buffer, bytes.byteOffset, 8).getBigInt64(0);
  }

  /** 64 bits in 8 bytes, highest first. */
  word64(field: string): Word64 {
    const bytes = this.take(8, field);
    const view = new DataView(bytes.buffer, bytes.byteOffset, 8);
    return { high: view.getInt32(0), low: view.getInt32(4) };
  }

  /** A byte string that is preceded by its length. */
  bytes(field: string): Uint8Array {
    return this.take(this.varint(field), field);
  }

  /** Visible ASCII and spaces, preceded by its length. */
  ascii(field: string, lengthMax: number): string {
    const length = this.varint(field);
    if (length > lengthMax) throw new DecodeError(field, `${length} characters are more than ${lengthMax}`);
    const start = this.skip(length, field);
    if (!this.isAt(start, recentAscii, length)) {
      const end = start + length;
      for (let at = start; at < end; at++) {
        const code = this.input[at]!;
        if (code < 0x20 || code > 0x7e) throw new DecodeError(field, 'a character is not visible ASCII');
      }
      recentAscii = byteString(this.input.subarray(start, end));
    }
    return recentAscii;
  }

  /** All that is left. */
  rest(): Uint8Array {
    const bytes = this.input.subarray(this.position);
    this.position = this.input.length;
    return bytes;
  }

  get remaining(): number {
    return this.input.length - this.position;
  }

  /** Refuses bytes after the last field. */
  end(): void {
    if (this.remaining !== 0) throw new DecodeError('end', `${this.remaining} bytes are left over`);
  }

  private take(length: number, field: string): Uint8Array {
    const start = this.skip(length, field);
    return this.input.subarray(start, this.position);
  }

  /** Returns where they begin. */
  private skip(length: number, field: string): number {
    if (length > this.remaining) {
      throw new DecodeError(field, `${length} bytes are announced, ${this.remaining} are left`);
    }
    const start = this.position;
    this.position = start + length;
    return start;
  }

  private isAt(start: number, text: string, length: number): boolean {
    if (text.length !== length) return false;
    for (let i = 0; i < length; i++) if (this.input[start + i] !== text.charCodeAt(i)) return false;
    return true;
  }
}
