const BLOCK = new Uint8Array(64 * 1024);

/** A gather list of `count` zeros that takes no memory of its own. */
export function zeros(count: number): Uint8Array[] {
  const list: Uint8Array[] = [];
  for (let left = count; left > 0; left -= BLOCK.length)
    list.push(left < BLOCK.length ? BLOCK.subarray(0, left) : BLOCK);
  return list;
}
