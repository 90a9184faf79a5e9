import { getUint64 } from '../../uint64.js';

/** The bytes are not what LevelDB writes. */
export class LevelFormatError extends Error {}

/** Reads the numbers of LevelDB's files one after the other; `LevelFormatError` behind the end. */
export class ByteCursor {
  private readonly view: DataView;
  private at = 0;

  constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get isAtEnd(): boolean {
    return this.at === this.bytes.length;
  }

  uint32(): number {
    return this.view.getUint32(this.step(4), true);
  }

  uint64(): number {
    return getUint64(this.view, this.step(8));
  }

  /** Seven bits a byte, the lowest first. */
  varint(): number {
    let value = 0;
    for (let factor = 1; factor <= 2 ** 49; factor *= 128) {
      const byte = this.bytes[this.step(1)]!;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
    throw new LevelFormatError('a number that is too large');
  }

  take(length: number): Uint8Array {
    const start = this.step(length);
    return this.bytes.subarray(start, start + length);
  }

  /** Behind its length. */
  string(): Uint8Array {
    return this.take(this.varint());
  }

  private step(length: number): number {
    const start = this.at;
    if (length > this.bytes.length - start) throw new LevelFormatError('it ends too early');
    this.at += length;
    return start;
  }
}
