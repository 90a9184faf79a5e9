/** Orders byte strings as unsigned bytes, a prefix before what it begins: the order of every `KeySpace`. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const difference = a[i]! - b[i]!;
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** As many arguments as every engine takes in one call. */
const CHUNK_BYTES = 4_096;

/** A string with a character from 0 to 255 for each byte; equal exactly when the bytes are. */
export function byteString(bytes: Uint8Array): string {
  if (bytes.length <= CHUNK_BYTES) return charactersOf(bytes);
  let text = '';
  for (let i = 0; i < bytes.length; i += CHUNK_BYTES) text += charactersOf(bytes.subarray(i, i + CHUNK_BYTES));
  return text;
}

function charactersOf(bytes: Uint8Array): string {
  // A spread would walk an iterator, which takes several times as long.
  return String.fromCharCode.apply(undefined, bytes as unknown as number[]);
}
