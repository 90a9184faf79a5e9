/** The order of a `KeySpace`: unsigned bytes, a prefix before what it begins. */
export function compareBytes(one: Uint8Array, other: Uint8Array): number {
  const shared = Math.min(one.length, other.length);
  for (let i = 0; i < shared; i++) {
    const difference = one[i]! - other[i]!;
    if (difference !== 0) return difference;
  }
  return one.length - other.length;
}
