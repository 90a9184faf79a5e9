import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Row } from '@app/kv';
import { getUint64 } from '../uint64.js';
import {
  BLOCK_HEAD_BYTES,
  BlockKind,
  CHECKSUM_BYTES,
  CorruptBackupError,
  END_BYTES,
  MAGIC,
  PAYLOAD_BYTES_MAX,
  headChecksum,
} from './backup-format.js';
import { decodeBackupHeader, type BackupHeader } from './backup-header.js';
import { ByteSource } from './byte-source.js';

/** In this order: one header, rows any number of times, one end. */
export type BackupPart =
  | { readonly kind: 'header'; readonly header: BackupHeader }
  | { readonly kind: 'rows'; readonly rows: readonly Row[] }
  | { readonly kind: 'end'; readonly rowCount: number; readonly bytes: number; readonly sha256: string };

interface Block {
  readonly kind: number;
  readonly offset: number;
  readonly payload: Uint8Array;
  readonly raw: readonly Uint8Array[];
}

/**
 * The parts of a backup, a block in memory at a time. Throws `CorruptBackupError` at the first byte that is not what a writer wrote; only
 * once the end has come is any of it proven to be the whole. Whether the rows are those of the recorded hashes is for who knows them.
 */
export async function* readBackup(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<BackupPart, void, undefined> {
  const source = new ByteSource(chunks);
  try {
    yield* partsOf(source);
  } finally {
    await source.close();
  }
}

async function* partsOf(source: ByteSource): AsyncGenerator<BackupPart, void, undefined> {
  const hash = createHash('sha256');
  const magic = await take(source, MAGIC.length, 'the mark at the beginning');
  if (Buffer.compare(magic, MAGIC) !== 0) {
    throw new CorruptBackupError(0, 'it does not begin as a backup of this format does');
  }
  hash.update(magic);
  let last: Uint8Array | undefined;
  let rowCount = 0;
  let hasHeader = false;
  for (;;) {
    const block = await nextBlock(source);
    if (!hasHeader) {
      if (block.kind !== BlockKind.Header) throw new CorruptBackupError(block.offset, 'the first block is no header');
      const header = decodeBackupHeader(block.payload);
      if (header === undefined) throw new CorruptBackupError(block.offset, 'its header cannot be read');
      hasHeader = true;
      yield { kind: 'header', header };
    } else if (block.kind === BlockKind.Rows) {
      const rows = decodeRows(block, last);
      last = rows.at(-1)!.key;
      rowCount += rows.length;
      yield { kind: 'rows', rows };
    } else if (block.kind === BlockKind.End) {
      const sha256 = hash.digest();
      requireEnd(block, rowCount, sha256);
      if (!(await source.isAtEnd())) throw new CorruptBackupError(source.offset, 'something follows its end');
      yield { kind: 'end', rowCount, bytes: source.offset, sha256: sha256.toString('hex') };
      return;
    } else {
      throw new CorruptBackupError(block.offset, `a block of kind ${block.kind} does not belong there`);
    }
    for (const bytes of block.raw) hash.update(bytes);
  }
}

async function take(source: ByteSource, bytes: number, what: string): Promise<Uint8Array> {
  const { offset } = source;
  const taken = await source.take(bytes);
  if (taken !== undefined) return taken;
  throw new CorruptBackupError(offset, `it ends within ${what}: the rest is missing`);
}

async function nextBlock(source: ByteSource): Promise<Block> {
  const { offset } = source;
  const head = await take(source, BLOCK_HEAD_BYTES, 'or before the head of a block');
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  const checksum = view.getUint32(5, true);
  if (headChecksum(head, offset) !== checksum) {
    throw new CorruptBackupError(offset, 'the checksum of the head of a block is wrong');
  }
  const length = view.getUint32(1, true);
  if (length > PAYLOAD_BYTES_MAX) throw new CorruptBackupError(offset, `a block of ${length} bytes is too large`);
  const body = await take(source, length + CHECKSUM_BYTES, 'a block');
  const payload = body.subarray(0, length);
  const found = new DataView(body.buffer, body.byteOffset, body.length).getUint32(length, true);
  if (crc32(payload, checksum) !== found) {
    throw new CorruptBackupError(offset, `the checksum of the block from here to byte ${source.offset} is wrong`);
  }
  return { kind: head[0]!, offset, payload, raw: [head, body] };
}

function decodeRows({ payload, offset }: Block, last: Uint8Array | undefined): Row[] {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const rows: Row[] = [];
  let previous = last;
  for (let at = 0; at < payload.length || rows.length === 0;) {
    const place = offset + BLOCK_HEAD_BYTES + at;
    if (at + 8 > payload.length) throw new CorruptBackupError(place, 'a row is cut off');
    const valueAt = at + 8 + view.getUint32(at, true);
    const end = valueAt + view.getUint32(at + 4, true);
    if (end > payload.length) throw new CorruptBackupError(place, 'a row is longer than its block');
    const key = payload.slice(at + 8, valueAt);
    if (previous !== undefined && Buffer.compare(previous, key) >= 0) {
      throw new CorruptBackupError(place, 'its key does not lie behind the one before');
    }
    rows.push({ key, value: payload.slice(valueAt, end) });
    previous = key;
    at = end;
  }
  return rows;
}

function requireEnd({ payload, offset }: Block, rowCount: number, sha256: Uint8Array): void {
  if (payload.length !== END_BYTES) throw new CorruptBackupError(offset, 'its end has the wrong length');
  const expected = getUint64(new DataView(payload.buffer, payload.byteOffset, payload.length), 0);
  if (expected !== rowCount) {
    throw new CorruptBackupError(offset, `it holds ${rowCount} rows, and was written with ${expected}`);
  }
  if (Buffer.compare(payload.subarray(8), sha256) !== 0) {
    throw new CorruptBackupError(offset, 'the SHA-256 of all before the end is another one');
  }
}
