/**
 * What a node keeps on disk: the Raft log, as a write-ahead log of our own over a small `Disk` port, and the state machine's rows in
 * LevelDB. The log runs on completions only, holds no clock and starts nothing by itself, so that a simulator can run this very
 * code on a disk that tears, forgets and fails.
 */
export { CorruptBackupError } from './backup/backup-format.js';
export { type BackupHeader } from './backup/backup-header.js';
export { backupHeaderOf } from './backup/describe-backup.js';
export { RestoreRefusedError, restoreBackup, type RestoreOptions } from './backup/restore-backup.js';
export { verifyBackup, type BackupSummary } from './backup/verify-backup.js';
export { writeBackup } from './backup/write-backup.js';
export { promised, type Done, type DoneWith } from './completion.js';
export type { Disk, DiskFile, DiskLock } from './disk.js';
export {
  CorruptLogError,
  CorruptStateError,
  DirectoryLockedError,
  DiskError,
  ForeignLogError,
  IndexCompactedError,
  LogClosedError,
  LogFailedError,
  remedyFor,
  StateFailedError,
  StateFullError,
  StorageError,
  WipeUnfinishedError,
} from './errors.js';
export { FaultyDisk, type FaultyOperation, type InjectedFaults } from './faulty-disk.js';
export { type LogBatch } from './log-batch.js';
export { type LogObserver } from './log-writer.js';
export {
  MemoryDisk,
  type DiskOperation,
  type MemoryDiskOptions,
  type QueuedOperation,
  type TornWrite,
} from './memory-disk.js';
export { type KeepUnsynced, type UnsyncedPart } from './memory-file-content.js';
export { ForgetfulDisk } from './forgetful-disk.js';
export { NodeDisk } from './node-disk.js';
export { type LogPosition } from './record.js';
export { type StagedState } from './state/staged-state.js';
export { type StateDescription } from './state/state-description.js';
export { type StateRange } from './state/state-range.js';
export { type StateSnapshot } from './state/state-snapshot.js';
export { StateStore, type StateStoreOptions } from './state/state-store.js';
export { wipeDirectory, type WipeSummary } from './wipe.js';
export { WriteAheadLog, type RecoverySummary, type WriteAheadLogOptions } from './write-ahead-log.js';
