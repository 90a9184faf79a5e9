/** Small arrays are cut out of pieces of this size. Whoever keeps one of them keeps its piece. */
export const SLAB_BYTES = 8 * 1024;
/** Beyond it an array gets memory of its own. */
export const SHARED_BYTES_MAX = SLAB_BYTES / 4;

let slab = new Uint8Array(SLAB_BYTES);
let used = 0;

/**
 * An array of zeros. An `ArrayBuffer` for each of the small arrays that every command needs costs several times what is then done with
 * them, so they share their buffers: take care to look at `byteOffset` wherever `buffer` is looked at.
 */
export function allocateBytes(length: number): Uint8Array {
  if (length > SHARED_BYTES_MAX) return new Uint8Array(length);
  if (length > SLAB_BYTES - used) {
    slab = new Uint8Array(SLAB_BYTES);
    used = 0;
  }
  const start = used;
  used += length;
  return slab.subarray(start, used);
}
