/**
 * CRC-32C (Castagnoli), with which LevelDB guards its files; `node:zlib` has the other CRC-32. Eight tables, so that eight bytes are one
 * step. Source: the algorithm "slicing-by-8" (Kounavis and Berry, 2005).
 */
const POLYNOMIAL = 0x82f63b78;
const [T0, T1, T2, T3, T4, T5, T6, T7] = tables();

/** Of the bytes from `start` up to but not including `end`. */
export function crc32c(bytes: Uint8Array, start: number, end: number): number {
  let crc = -1;
  let at = start;
  for (const last = end - 8; at <= last; at += 8) {
    crc ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    crc =
      T7[crc & 0xff]! ^
      T6[(crc >>> 8) & 0xff]! ^
      T5[(crc >>> 16) & 0xff]! ^
      T4[crc >>> 24]! ^
      T3[bytes[at + 4]!]! ^
      T2[bytes[at + 5]!]! ^
      T1[bytes[at + 6]!]! ^
      T0[bytes[at + 7]!]!;
  }
  for (; at < end; at += 1) crc = (crc >>> 8) ^ T0[(crc ^ bytes[at]!) & 0xff]!;
  return ~crc >>> 0;
}

/** As LevelDB stores it: a checksum of bytes that hold checksums would be weak. */
export function masked(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

type Table = Int32Array;

function tables(): [Table, Table, Table, Table, Table, Table, Table, Table] {
  const first = new Int32Array(256);
  for (let byte = 0; byte < 256; byte += 1) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    first[byte] = crc;
  }
  const next = (before: Table): Table => before.map((crc) => (crc >>> 8) ^ first[crc & 0xff]!);
  const t1 = next(first);
  const t2 = next(t1);
  const t3 = next(t2);
  const t4 = next(t3);
  const t5 = next(t4);
  const t6 = next(t5);
  return [first, t1, t2, t3, t4, t5, t6, next(t6)];
}
