import { SUMMARY_ROW_KEY, decodeStateSummary } from '@app/kv';
import { decodeConfiguration, membersOf } from '@app/raft';
import type { StateSnapshot } from '../state/state-snapshot.js';
import { CorruptBackupError } from './backup-format.js';
import type { BackupHeader } from './backup-header.js';

/** The header of a backup of this snapshot. Throws what reading it throws, and a `CorruptBackupError` if it does not describe itself. */
export async function backupHeaderOf(
  snapshot: Pick<StateSnapshot, 'range' | 'description'>,
  writer: Pick<BackupHeader, 'clusterId' | 'version' | 'createdAtMs'>,
): Promise<BackupHeader> {
  const { index, term, configuration: encoded } = snapshot.description;
  const { rows } = await snapshot.range(SUMMARY_ROW_KEY, 1);
  const configuration = decodeConfiguration(encoded);
  const first = rows[0];
  if (configuration === undefined || first === undefined || Buffer.compare(first.key, SUMMARY_ROW_KEY) !== 0) {
    throw new CorruptBackupError(0, `the state after entry ${index} does not say what it is`);
  }
  const { revision, logTimeMs, hashes } = decodeStateSummary(first.value);
  return {
    clusterId: writer.clusterId,
    index,
    term,
    revision,
    logTimeMs,
    contentHash: hashes.content,
    historyHash: hashes.history,
    members: membersOf(configuration),
    version: writer.version,
    createdAtMs: writer.createdAtMs,
  };
}
