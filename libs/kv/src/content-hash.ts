import { Hash64, hex64, type Word64 } from './hash64.js';

const SEED_HIGH = 0x526f7773;
const SEED_LOW = 0x53756d31;

const row = new Hash64();

/**
 * A hash of a set of rows that follows changes: the sum, modulo 2^64, of a hash of each row. It says nothing of how
 * the rows came to be, or of their order; without rows it is 0. Rows that are removed must be there, with these bytes.
 */
export class ContentHash implements Word64 {
  private sumHigh = 0;
  private sumLow = 0;

  get high(): number {
    return this.sumHigh;
  }

  get low(): number {
    return this.sumLow;
  }

  /** Goes on from a sum that was kept. */
  restore({ high, low }: Word64): void {
    this.sumHigh = high | 0;
    this.sumLow = low | 0;
  }

  /** The row's key, not the user's. */
  add(key: Uint8Array, value: Uint8Array): void {
    hashRow(key, value);
    const low = (this.sumLow + row.low) | 0;
    const carry = low >>> 0 < this.sumLow >>> 0 ? 1 : 0;
    this.sumHigh = (this.sumHigh + row.high + carry) | 0;
    this.sumLow = low;
  }

  remove(key: Uint8Array, value: Uint8Array): void {
    hashRow(key, value);
    const low = (this.sumLow - row.low) | 0;
    const borrow = low >>> 0 > this.sumLow >>> 0 ? 1 : 0;
    this.sumHigh = (this.sumHigh - row.high - borrow) | 0;
    this.sumLow = low;
  }

  /** 16 hexadecimal digits. */
  toString(): string {
    return hex64(this);
  }
}

function hashRow(key: Uint8Array, value: Uint8Array): void {
  row.start(SEED_HIGH, SEED_LOW).word(key.length).word(value.length).bytes(key).bytes(value).finish();
}
