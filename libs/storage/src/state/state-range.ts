import { createHash } from 'node:crypto';
import type { Row } from '@app/kv';

/** All rows of a part of a state, in order. */
export interface StateRange {
  /** The first key that belongs to the range, whether there is a row or not. */
  readonly from: Uint8Array;
  /** The first key behind the range; `undefined`: it reaches to the end. */
  readonly to: Uint8Array | undefined;
  readonly rows: readonly Row[];
  /** SHA-256 over the rows in order, each as length of key and of value (u32, little-endian), key, value. */
  readonly digest: Uint8Array;
}

const GATHERED_BYTES = 4 * 1024;

/** Computes the digest of a `StateRange`, row by row. */
export class RangeDigest {
  private readonly hash = createHash('sha256');
  /** Small rows go to the hash many at a time: a call for each costs more than hashing them. */
  private readonly gathered = Buffer.allocUnsafe(GATHERED_BYTES);
  private length = 0;

  add(row: Row): void {
    const { key, value } = row;
    const { gathered } = this;
    const bytes = bytesOfRow(row);
    const isSmall = bytes <= GATHERED_BYTES;
    if (this.length + (isSmall ? bytes : LENGTHS_BYTES) > GATHERED_BYTES) this.flush();
    this.length = gathered.writeUInt32LE(key.length, this.length);
    this.length = gathered.writeUInt32LE(value.length, this.length);
    if (isSmall) {
      gathered.set(key, this.length);
      gathered.set(value, this.length + key.length);
      this.length += key.length + value.length;
    } else {
      this.flush();
      this.hash.update(key).update(value);
    }
  }

  finish(): Uint8Array {
    this.flush();
    return new Uint8Array(this.hash.digest());
  }

  private flush(): void {
    this.hash.update(this.gathered.subarray(0, this.length));
    this.length = 0;
  }
}

const LENGTHS_BYTES = 8;

/** What a row counts for in the size of a range: its bytes and their lengths. */
export function bytesOfRow({ key, value }: Row): number {
  return LENGTHS_BYTES + key.length + value.length;
}

/** The smallest key behind `key`. */
export function keyAfter(key: Uint8Array): Uint8Array {
  const after = new Uint8Array(key.length + 1);
  after.set(key);
  return after;
}

/** Throws a `RangeError` unless the rows lie within the range, in order, each once. */
export function requireOrder({ from, to, rows }: StateRange): void {
  let least = from;
  let isFirst = true;
  for (const { key } of rows) {
    const order = Buffer.compare(key, least);
    if (order < 0 || (order === 0 && !isFirst)) throw new RangeError('the rows of the range are not in order');
    least = key;
    isFirst = false;
  }
  if (to && !isFirst && Buffer.compare(least, to) >= 0) throw new RangeError('a row lies behind its range');
}
