import { createHash } from 'node:crypto';
import type { Row } from '@app/kv';
import type { StateSnapshot } from '../state/state-snapshot.js';
import { bytesOfRow } from '../state/state-range.js';
import { setUint64 } from '../uint64.js';
import { BlockKind, END_BYTES, MAGIC, encodeBlock } from './backup-format.js';
import { encodeBackupHeader, type BackupHeader } from './backup-header.js';

/** Of the rows of a block, about: the row that reaches it is the last. */
const BLOCK_ROW_BYTES = 256 * 1024;

/**
 * The bytes of a backup, a block at a time; nothing is read ahead of whoever takes them. The snapshot stays open. Errors are those of the
 * snapshot; bytes without the last block are no backup.
 */
export async function* writeBackup(
  header: BackupHeader,
  snapshot: Pick<StateSnapshot, 'range'>,
  blockRowBytes = BLOCK_ROW_BYTES,
): AsyncGenerator<Uint8Array, void, undefined> {
  const hash = createHash('sha256');
  let offset = 0;
  const counted = (bytes: Uint8Array): Uint8Array => {
    hash.update(bytes);
    offset += bytes.length;
    return bytes;
  };
  yield counted(MAGIC);
  yield counted(encodeBlock(BlockKind.Header, encodeBackupHeader(header), offset));
  let rowCount = 0;
  for (let from: Uint8Array | undefined = new Uint8Array(0); from !== undefined;) {
    const { rows, to } = await snapshot.range(from, blockRowBytes);
    if (rows.length > 0) yield counted(encodeBlock(BlockKind.Rows, encodeRows(rows), offset));
    rowCount += rows.length;
    from = to;
  }
  const end = new Uint8Array(END_BYTES);
  setUint64(new DataView(end.buffer), 0, rowCount);
  end.set(hash.digest(), 8);
  yield encodeBlock(BlockKind.End, end, offset);
}

function encodeRows(rows: readonly Row[]): Uint8Array {
  const bytes = new Uint8Array(rows.reduce((sum, row) => sum + bytesOfRow(row), 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const { key, value } of rows) {
    view.setUint32(at, key.length, true);
    view.setUint32(at + 4, value.length, true);
    bytes.set(key, at + 8);
    bytes.set(value, at + 8 + key.length);
    at += 8 + key.length + value.length;
  }
  return bytes;
}
