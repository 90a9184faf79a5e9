/**
 * MurmurHash3 (x86, 32 bit) of bytes, as published by Austin Appleby: an unsigned 32-bit number, the same on every
 * machine. It spreads the virtual nodes over the ring; it is no defence against chosen input.
 */
export function murmur3(bytes: Uint8Array, seed = 0): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const blocksEnd = bytes.length & ~3;
  let hash = seed | 0;
  for (let at = 0; at < blocksEnd; at += 4) {
    hash ^= scrambled(view.getInt32(at, true));
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  let tail = 0;
  for (let at = bytes.length - 1; at >= blocksEnd; at--) tail = (tail << 8) | bytes[at]!;
  if (blocksEnd < bytes.length) hash ^= scrambled(tail);
  hash ^= bytes.length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function scrambled(block: number): number {
  const product = Math.imul(block, 0xcc9e2d51);
  return Math.imul((product << 15) | (product >>> 17), 0x1b873593);
}
