import { open, type FileHandle } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ByteCursor, LevelFormatError } from './byte-cursor.js';
import { crc32c, masked } from './crc32c.js';
import { decompressed } from './snappy.js';

/** Where a block lies, without its trailer: one byte for the compression, four for the checksum of both. */
interface BlockHandle {
  readonly offset: number;
  readonly size: number;
}

const FOOTER_BYTES = 48;
const TRAILER_BYTES = 5;
const MAGIC = Uint8Array.of(0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb);
const SNAPPY = 1;
/** Read at once, and then the event loop goes on. */
const READ_BYTES = 256 * 1024;

/**
 * Reads a table of LevelDB to its end and verifies the checksum of every block: all data blocks, the filter and the indexes, which must
 * cover the file without a gap. `LevelFormatError` says what is wrong and where.
 */
export async function verifyTable(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    if (size < FOOTER_BYTES) throw new LevelFormatError('it has no footer');
    const footer = await readAt(file, size - FOOTER_BYTES, FOOTER_BYTES);
    if (Buffer.compare(footer.subarray(FOOTER_BYTES - MAGIC.length), MAGIC) !== 0) {
      throw new LevelFormatError('its last bytes are not those of a table');
    }
    const cursor = new ByteCursor(footer);
    const metaindex = handleOf(cursor);
    const index = handleOf(cursor);
    const handles = [
      ...handlesIn(await readBlock(file, index, size)),
      ...handlesIn(await readBlock(file, metaindex, size)),
      metaindex,
      index,
    ];
    let end = 0;
    for (const { offset, size: blockBytes } of handles) {
      if (offset !== end) throw new LevelFormatError(`no block begins at byte ${end}`);
      end = offset + blockBytes + TRAILER_BYTES;
    }
    if (end !== size - FOOTER_BYTES) throw new LevelFormatError(`the blocks end at byte ${end}`);
    await verifyBlocks(file, handles);
  } finally {
    await file.close();
  }
}

async function verifyBlocks(file: FileHandle, handles: readonly BlockHandle[]): Promise<void> {
  for (let next = 0; next < handles.length;) {
    const start = handles[next]!.offset;
    let end = start;
    let after = next;
    while (after < handles.length && (after === next || end - start < READ_BYTES)) {
      end = handles[after]!.offset + handles[after]!.size + TRAILER_BYTES;
      after += 1;
    }
    const bytes = await readAt(file, start, end - start);
    for (; next < after; next += 1) requireIntact(bytes, handles[next]!.offset - start, handles[next]!);
    await nextTurn();
  }
}

async function readBlock(file: FileHandle, handle: BlockHandle, fileBytes: number): Promise<Uint8Array> {
  if (handle.offset + handle.size + TRAILER_BYTES + FOOTER_BYTES > fileBytes) {
    throw new LevelFormatError(`a block at byte ${handle.offset} that ends behind the file`);
  }
  const bytes = await readAt(file, handle.offset, handle.size + TRAILER_BYTES);
  requireIntact(bytes, 0, handle);
  const content = bytes.subarray(0, handle.size);
  return bytes[handle.size] === SNAPPY ? decompressed(content) : content;
}

function requireIntact(bytes: Uint8Array, at: number, { offset, size }: BlockHandle): void {
  const checksumAt = at + size + 1;
  const stored = new DataView(bytes.buffer, bytes.byteOffset + checksumAt, 4).getUint32(0, true);
  if (masked(crc32c(bytes, at, checksumAt)) !== stored) {
    throw new LevelFormatError(`the checksum of the block at byte ${offset} does not match`);
  }
}

/** What the entries of an index lead to. Entries, then where some of them begin, then how many of those there are. */
function handlesIn(block: Uint8Array): BlockHandle[] {
  if (block.length < 4) throw new LevelFormatError('an index that is too short');
  const restarts = new DataView(block.buffer, block.byteOffset + block.length - 4, 4).getUint32(0, true);
  const entryBytes = block.length - 4 * (restarts + 1);
  if (entryBytes < 0) throw new LevelFormatError('an index with too many restarts');
  const cursor = new ByteCursor(block.subarray(0, entryBytes));
  const handles: BlockHandle[] = [];
  while (!cursor.isAtEnd) {
    cursor.varint();
    const keyBytes = cursor.varint();
    const valueBytes = cursor.varint();
    cursor.take(keyBytes);
    handles.push(handleOf(new ByteCursor(cursor.take(valueBytes))));
  }
  return handles;
}

function handleOf(cursor: ByteCursor): BlockHandle {
  return { offset: cursor.varint(), size: cursor.varint() };
}

async function readAt(file: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let filled = 0; filled < length;) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, offset + filled);
    if (bytesRead === 0) throw new LevelFormatError(`it ends before byte ${offset + length}`);
    filled += bytesRead;
  }
  return bytes;
}
