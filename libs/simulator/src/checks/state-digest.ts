/** A digest of a set of rows that can follow changes: the order of the rows does not matter, one row costs its own bytes. */
export class StateDigest {
  private low = 0;
  private high = 0;

  add(key: Uint8Array, value: Uint8Array): void {
    this.low = (this.low + hashOf(key, value, 0x811c9dc5)) | 0;
    this.high = (this.high + hashOf(key, value, 0x9747b28c)) | 0;
  }

  remove(key: Uint8Array, value: Uint8Array): void {
    this.low = (this.low - hashOf(key, value, 0x811c9dc5)) | 0;
    this.high = (this.high - hashOf(key, value, 0x9747b28c)) | 0;
  }

  /** 53 bits of it. */
  get value(): number {
    return (this.high & 0x1fffff) * 2 ** 32 + (this.low >>> 0);
  }
}

export function digestOf(rows: Iterable<{ readonly key: Uint8Array; readonly value: Uint8Array }>): number {
  const digest = new StateDigest();
  for (const { key, value } of rows) digest.add(key, value);
  return digest.value;
}

/** FNV-1a with a final mix, as sums of it are taken. */
function hashOf(key: Uint8Array, value: Uint8Array, seed: number): number {
  let hash = Math.imul(seed ^ key.length, 0x01000193);
  for (const byte of key) hash = Math.imul(hash ^ byte, 0x01000193);
  for (const byte of value) hash = Math.imul(hash ^ byte, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
