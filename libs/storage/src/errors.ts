import { basename, dirname } from 'node:path';

/** What can go wrong in storage. Callers look at `code` and the fields, never at the text. */
export abstract class StorageError extends Error {
  abstract readonly code: string;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/**
 * What to do about a data directory that is damaged, for the message of the error that found it. An older copy is no remedy: the node
 * has acknowledged more since.
 */
export function remedyFor(dataDirectory: string): string {
  return (
    'Nothing was changed. Do not edit or delete single files: keep a copy and look for the cause (disk, memory). Then either remove this node from ' +
    `its cluster, empty its directory with "raft-node --wipe --data-dir ${dataDirectory}" and let it join again as a new incarnation, ` +
    `or put back a copy of ${dataDirectory} that was taken after this node last stopped.`
  );
}

/** An operation of the disk failed; the original error is the `cause`. */
export class DiskError extends StorageError {
  readonly code = 'DISK';
  /** The operating system's name for it (`ENOSPC`, `EIO`), if there is one. */
  readonly systemCode: string | undefined;

  constructor(
    readonly operation: string,
    readonly file: string,
    cause: Error,
  ) {
    super(`${operation} of ${file} failed: ${cause.message}`, { cause });
    this.systemCode = (cause as NodeJS.ErrnoException).code;
  }

  /**
   * There was no space (`ENOSPC`) or no more of it for this user (`EDQUOT`) for the bytes of this very operation, so it can be made again. Never of
   * a sync that is an operation of its own: what it was for may be lost, whatever the reason.
   */
  get isOutOfSpace(): boolean {
    if (this.operation !== 'write' && this.operation !== 'create' && this.operation !== 'truncate') return false;
    return this.systemCode === 'ENOSPC' || this.systemCode === 'EDQUOT';
  }
}

/** Another process holds the directory. Its lock ends with that process, however it dies. */
export class DirectoryLockedError extends StorageError {
  readonly code = 'DIRECTORY_LOCKED';

  constructor(
    readonly directory: string,
    options?: ErrorOptions,
  ) {
    super(
      `the data directory ${directory} is in use by another process: stop that process, or give this one its own directory`,
      options,
    );
  }
}

/**
 * The log holds something that no crash of ours leaves behind. What follows the damage may have been acknowledged, so
 * nothing is cut and the log stays closed.
 */
export class CorruptLogError extends StorageError {
  readonly code = 'CORRUPT_LOG';

  constructor(
    readonly file: string,
    readonly offset: number,
    /** What is or should be there, for people: `entry 17`, `the hard state behind entry 16`, `the segment header`. */
    readonly record: string,
    readonly reason: string,
  ) {
    super(
      `the log is damaged in ${file} at byte ${offset}, ${record}: ${reason}. What lies there and behind may have been acknowledged. ` +
        remedyFor(dataDirectoryOf(file)),
    );
  }
}

/** The log was written by another node, for another cluster or in another format. */
export class ForeignLogError extends StorageError {
  readonly code = 'FOREIGN_LOG';

  constructor(
    readonly file: string,
    readonly field: 'clusterId' | 'nodeId' | 'incarnation' | 'version',
    readonly expected: string,
    readonly found: string,
  ) {
    super(
      `the log in ${file} has ${field} ${found}, not ${expected}: ${dataDirectoryOf(file)} is not this node's data directory. Nothing was ` +
        'changed. Check the configuration of the node; only if nothing in that directory is needed, empty it with ' +
        `"raft-node --wipe --data-dir ${dataDirectoryOf(file)}".`,
    );
  }
}

/** Someone began to wipe the data directory, and the wipe did not end: what is left is no node. */
export class WipeUnfinishedError extends StorageError {
  readonly code = 'WIPE_UNFINISHED';

  constructor(readonly directory: string) {
    super(
      `${directory} was being wiped, and a part of it is gone: finish that with "raft-node --wipe --data-dir ${directory}". A node can be ` +
        'started there afterwards, as a new incarnation.',
    );
  }
}

/** A write or sync failed earlier. A later success would prove nothing, so the log takes no more; the `cause` is the first failure. */
export class LogFailedError extends StorageError {
  readonly code = 'LOG_FAILED';

  constructor(cause: Error) {
    super(`the log failed and takes no more: ${cause.message}`, { cause });
  }
}

export class LogClosedError extends StorageError {
  readonly code = 'LOG_CLOSED';

  constructor() {
    super('the log is closed');
  }
}

/** The entry was removed with the prefix of the log. */
export class IndexCompactedError extends StorageError {
  readonly code = 'COMPACTED';

  constructor(
    readonly index: number,
    readonly baseIndex: number,
  ) {
    super(`entry ${index} was removed: the log starts after ${baseIndex}`);
  }
}

/** The state database failed (`cause`). What it held in memory is lost; the log repeats it after a restart. */
export class StateFailedError extends StorageError {
  readonly code = 'STATE_FAILED';

  constructor(
    readonly directory: string,
    cause: unknown,
  ) {
    super(`the state database in ${directory} failed: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
}

/**
 * The state holds bytes that are not those that were written. What it would answer may be wrong, so it answers nothing more. The other
 * nodes of the cluster hold everything that was committed.
 */
export class CorruptStateError extends StorageError {
  readonly code = 'CORRUPT_STATE';

  constructor(
    readonly directory: string,
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super(
      `the state in ${directory} is damaged: ${reason}. What it answers may be wrong. ${remedyFor(dataDirectoryOfState(directory))}`,
      options,
    );
  }
}

/** There was no space for a part of a state that is being received. What is there stays; the part can be put again later. */
export class StateFullError extends StorageError {
  readonly code = 'STATE_FULL';

  constructor(
    readonly directory: string,
    cause: unknown,
  ) {
    super(`no space left for the state in ${directory}`, { cause });
  }
}

/** A segment lies in `log/` of the data directory. */
function dataDirectoryOf(segmentFile: string): string {
  return dirname(dirname(segmentFile));
}

/** A state lies in `state/` of the data directory, or in a numbered directory of that. */
function dataDirectoryOfState(directory: string): string {
  return dirname(basename(directory).startsWith('db-') ? dirname(directory) : directory);
}
