import { DecodeError, StateCheck, SUMMARY_ROW_KEY, UnsupportedVersionError, decodeStateSummary } from '@app/kv';
import { CorruptBackupError } from './backup-format.js';
import type { BackupHeader } from './backup-header.js';
import { readBackup, type BackupPart } from './read-backup.js';

export interface BackupSummary {
  readonly header: BackupHeader;
  readonly rowCount: number;
  readonly bytes: number;
  /** Of everything before the last block, as that block has it. */
  readonly sha256: string;
}

/**
 * As `readBackup`, and before the end is given out the rows are compared with the hashes that the state machine recorded, and with the
 * header. Throws `CorruptBackupError`; where whole rows contradict each other, its offset is 0.
 */
export async function* checkedBackup(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<BackupPart, void, undefined> {
  const check = new StateCheck();
  let header: BackupHeader | undefined;
  let summary: Uint8Array | undefined;
  for await (const part of readBackup(chunks)) {
    if (part.kind === 'header') {
      header = part.header;
    } else if (part.kind === 'rows') {
      for (const row of part.rows) {
        check.add(row);
        if (Buffer.compare(row.key, SUMMARY_ROW_KEY) === 0) summary = row.value;
      }
    } else {
      requireSound(header!, check, summary);
    }
    yield part;
  }
}

/** Reads the whole of it. Throws as `checkedBackup`. */
export async function verifyBackup(chunks: AsyncIterable<Uint8Array>): Promise<BackupSummary> {
  let header: BackupHeader | undefined;
  for await (const part of checkedBackup(chunks)) {
    if (part.kind === 'header') header = part.header;
    if (part.kind !== 'end') continue;
    const { rowCount, bytes, sha256 } = part;
    return { header: header!, rowCount, bytes, sha256 };
  }
  throw new CorruptBackupError(0, 'it has no end');
}

function requireSound(header: BackupHeader, check: StateCheck, summary: Uint8Array | undefined): void {
  const contradiction = contradictionIn(header, check, summary);
  if (contradiction !== undefined) throw new CorruptBackupError(0, contradiction);
}

function contradictionIn(header: BackupHeader, check: StateCheck, summary: Uint8Array | undefined): string | undefined {
  if (summary === undefined) return 'the row with what the state says of itself is missing';
  try {
    const { isSound, content, recorded } = check.verdict();
    if (!isSound) return `its records have content ${content}, and they were written with ${recorded.content}`;
    const { appliedIndex, revision, logTimeMs, hashes } = decodeStateSummary(summary);
    const pairs: [string, number | string, number | string][] = [
      ['index', header.index, appliedIndex],
      ['revision', header.revision, revision],
      ['log time', header.logTimeMs, logTimeMs],
      ['content hash', header.contentHash, hashes.content],
      ['history hash', header.historyHash, hashes.history],
    ];
    const other = pairs.find(([, said, found]) => said !== found);
    return other && `its header says ${other[0]} ${other[1]}, and its rows say ${other[2]}`;
  } catch (error) {
    if (!(error instanceof DecodeError) && !(error instanceof UnsupportedVersionError)) throw error;
    return `what the state says of itself cannot be read: ${error.message}`;
  }
}
