import { createReadStream } from 'node:fs';
import { open, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { verifyBackup, type BackupSummary } from '@app/storage';
import { CommandFailure } from '../command-failure.js';
import { EXIT } from '../exit-code.js';

export function chunksOf(path: string): AsyncIterable<Uint8Array> {
  return createReadStream(path) as AsyncIterable<Uint8Array>;
}

/**
 * Writes a backup under a temporary name beside `path`, verifies what passes by, and gives it its name once it is whole and durable: under
 * `path` there is what was there before, or a backup that was verified. Throws a `CommandFailure` if something is there and `isForced` is
 * not set; else what `chunks` throws, and `CorruptBackupError`.
 */
export async function writeBackupFile(
  path: string,
  chunks: AsyncIterable<Uint8Array>,
  isForced: boolean,
  onBytes: (bytes: number) => void,
): Promise<BackupSummary> {
  if (!isForced) await requireNothingAt(path);
  const partial = `${path}.partial`;
  const file = await open(partial, 'w', 0o600);
  try {
    let summary: BackupSummary;
    try {
      summary = await verifyBackup(written(chunks, file, onBytes));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(partial, path);
    await syncDirectory(dirname(path));
    return summary;
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

async function* written(
  chunks: AsyncIterable<Uint8Array>,
  file: FileHandle,
  onBytes: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length;) at += (await file.write(chunk, at)).bytesWritten;
    onBytes(chunk.length);
    yield chunk;
  }
}

async function requireNothingAt(path: string): Promise<void> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (found === undefined) return;
  throw new CommandFailure(EXIT.FAILED, `${path} is there already`, {
    hint: 'name another file, or replace it with --force',
  });
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
