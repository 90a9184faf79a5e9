import { crc32 } from 'node:zlib';
import { StorageError } from '../errors.js';

/**
 * A backup: `MAGIC`, then blocks. A block is, little-endian:
 *
 *      0  u8   kind
 *      1  u32  length of the payload
 *      5  u32  CRC-32 of the five bytes before, begun with the low half of the block's offset in the file
 *      9       payload
 *         u32  CRC-32 of the payload, begun with the one before
 *
 * One header (JSON, `BackupHeader`), any number of blocks of rows (each row as length of key and of value, u32 each, key, value; keys
 * strictly rise through the whole file), one end: u64 rows, SHA-256 of all bytes before the block. Nothing follows it.
 */
export const MAGIC: Uint8Array = Buffer.from('RINGRAFT-BACKUP1', 'latin1');

export const BlockKind = { Header: 1, Rows: 2, End: 3 } as const;

export const BLOCK_HEAD_BYTES = 9;
export const CHECKSUM_BYTES = 4;
export const END_BYTES = 40;
/** A reader holds one block in memory and takes none above this. */
export const PAYLOAD_BYTES_MAX = 256 * 1024 * 1024;

/** The bytes are not those of a backup that was written to its end. */
export class CorruptBackupError extends StorageError {
  readonly code = 'CORRUPT_BACKUP';

  constructor(
    /** In the file: where the damage is, or the block that shows it. */
    readonly offset: number,
    readonly reason: string,
  ) {
    super(`the backup is damaged at byte ${offset}: ${reason}. Nothing in it is to be trusted: use another one.`);
  }
}

/** The checksum that the head of a block at `offset` must have. */
export function headChecksum(head: Uint8Array, offset: number): number {
  return crc32(head.subarray(0, 5), offset % 2 ** 32);
}

export function encodeBlock(kind: number, payload: Uint8Array, offset: number): Uint8Array {
  if (payload.length > PAYLOAD_BYTES_MAX) throw new RangeError(`a block of ${payload.length} bytes fits in no backup`);
  const bytes = new Uint8Array(BLOCK_HEAD_BYTES + payload.length + CHECKSUM_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, kind);
  view.setUint32(1, payload.length, true);
  const checksum = headChecksum(bytes, offset);
  view.setUint32(5, checksum, true);
  bytes.set(payload, BLOCK_HEAD_BYTES);
  view.setUint32(BLOCK_HEAD_BYTES + payload.length, crc32(payload, checksum), true);
  return bytes;
}
