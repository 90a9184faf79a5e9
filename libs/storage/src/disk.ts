import type { Done, DoneWith } from './completion.js';

/**
 * One flat directory of files, as much of a disk as the log needs. It holds no clock and starts nothing by itself; every
 * call ends in exactly one completion, which may come before the call returns. Errors are `DiskError`s that name the file.
 *
 * What survives a power loss, and nothing else is promised:
 * - bytes and size of a file: once a `sync` of it completed that was called after their write, truncate or create completed, or with their `writeDurably`.
 *   Without that, each sector of 512 bytes may hold the old or the new content, independently of all others;
 * - names (create, rename, remove): once a `syncDirectory` completed that was called after they completed. Without that,
 *   each may have happened or not, in any combination. Syncing a file does not make its name durable.
 * What a process wrote survives its own death without any sync.
 *
 * Operations that overlap in time may take effect in any order.
 */
export interface Disk {
  /** How people find it: the path of the directory. */
  readonly name: string;

  /** All names of files, sorted. */
  list(done: DoneWith<readonly string[]>): void;

  /** A new file of `sizeBytes` zeros; an error if the name exists. */
  create(name: string, sizeBytes: number, done: DoneWith<DiskFile>): void;

  open(name: string, done: DoneWith<DiskFile>): void;

  /** Replaces `to` if it exists. */
  rename(from: string, to: string, done: Done): void;

  /** Frees the name; a file that is still open stays readable until it is closed. */
  remove(name: string, done: Done): void;

  syncDirectory(done: Done): void;

  /**
   * Takes the directory for this process: the lock ends with `release` or with the process, however it dies.
   * `DirectoryLockedError` while another holds it.
   */
  lock(done: DoneWith<DiskLock>): void;
}

export interface DiskLock {
  release(done: Done): void;
}

export interface DiskFile {
  readonly name: string;

  size(done: DoneWith<number>): void;

  /** The bytes there, fewer than `lengthBytes` only at the end of the file. The caller owns the array. */
  read(offset: number, lengthBytes: number, done: DoneWith<Uint8Array>): void;

  /** All buffers one after the other, growing the file if needed. They must not change until `done`. */
  write(offset: number, buffers: readonly Uint8Array[], done: Done): void;

  /** Cuts the file, or fills it up with zeros. */
  truncate(sizeBytes: number, done: Done): void;

  /**
   * Write and sync in one, for a disk that can do both for less than each of them costs. It may fail for want of space like a write; the same
   * bytes may then be written again, and all of them are durable if that succeeds.
   */
  writeDurably?(offset: number, buffers: readonly Uint8Array[], done: Done): void;

  /** Content and size reach the disk. After a failure nothing is known of what did: a later success proves nothing. */
  sync(done: Done): void;

  close(done: Done): void;
}

/** What is written here is on the disk when `done` comes without an error. */
export function writeDurably(file: DiskFile, offset: number, buffers: readonly Uint8Array[], done: Done): void {
  if (file.writeDurably) return file.writeDurably(offset, buffers, done);
  file.write(offset, buffers, (error) => (error ? done(error) : file.sync(done)));
}
