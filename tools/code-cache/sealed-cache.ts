import { createHash } from 'node:crypto';

const HASH_BYTES = 32;

/** What V8 made of `source`, with a hash of both in front: V8 itself compares no more of the source than its length, and looks for no damage. */
export function seal(source: Buffer, compiled: Buffer): Buffer {
  return Buffer.concat([hashOf(source, compiled), compiled]);
}

/** What was sealed with this very `source`; undefined for that of another one, and for a damaged one. */
export function unseal(source: Buffer, sealed: Buffer): Buffer | undefined {
  const compiled = sealed.subarray(HASH_BYTES);
  return hashOf(source, compiled).equals(sealed.subarray(0, HASH_BYTES)) ? compiled : undefined;
}

function hashOf(source: Buffer, compiled: Buffer): Buffer {
  return createHash('sha256').update(source).update(compiled).digest();
}
