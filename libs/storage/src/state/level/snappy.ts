import { ByteCursor, LevelFormatError } from './byte-cursor.js';

const BYTES_MAX = 64 * 1024 * 1024;

/** What was compressed with Snappy, whole (its raw format, not the framed one). `LevelFormatError` if it was not. */
export function decompressed(compressed: Uint8Array): Uint8Array {
  const cursor = new ByteCursor(compressed);
  const length = cursor.varint();
  if (length > BYTES_MAX) throw new LevelFormatError(`a block of ${length} bytes`);
  const output = new Uint8Array(length);
  let filled = 0;
  while (!cursor.isAtEnd) {
    const tag = cursor.take(1)[0]!;
    const kind = tag & 3;
    if (kind === 0) {
      const literal = cursor.take(literalLength(tag >>> 2, cursor));
      if (literal.length > length - filled) throw new LevelFormatError('more bytes than announced');
      output.set(literal, filled);
      filled += literal.length;
      continue;
    }
    const size = kind === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1;
    const offset = kind === 1 ? (tag >>> 5) * 256 + little(cursor.take(1)) : little(cursor.take(kind === 2 ? 2 : 4));
    if (offset === 0 || offset > filled || size > length - filled) throw new LevelFormatError('a copy from nowhere');
    // One by one: a copy may reach into what it writes.
    for (const end = filled + size; filled < end; filled += 1) output[filled] = output[filled - offset]!;
  }
  if (filled !== length) throw new LevelFormatError('fewer bytes than announced');
  return output;
}

function literalLength(code: number, cursor: ByteCursor): number {
  return (code < 60 ? code : little(cursor.take(code - 59))) + 1;
}

function little(bytes: Uint8Array): number {
  return bytes.reduceRight((value, byte) => value * 256 + byte, 0);
}
