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

/** Computes the digest of a `StateRange`, row by row. */
export class RangeDigest {
  private readonly hash = createHash('sha256');

  add({ key, value }: Row): void {
    const lengths = new Uint8Array(8);
    const view = new DataView(lengths.buffer);
    view.setUint32(0, key.length, true);
    view.setUint32(4, value.length, true);
    this.hash.update(lengths).update(key).update(value);
  }

  finish(): Uint8Array {
    return new Uint8Array(this.hash.digest());
  }
}

/** What a row counts for in the size of a range: its bytes and their lengths. */
export function bytesOfRow({ key, value }: Row): number {
  return 8 + key.length + value.length;
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
