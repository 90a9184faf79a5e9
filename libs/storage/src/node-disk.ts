import {
  close,
  constants,
  fdatasync,
  fstat,
  fsync,
  ftruncate,
  mkdir,
  open,
  read,
  readdir,
  rename,
  unlink,
  writev,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { ClassicLevel } from 'classic-level';
import type { Done, DoneWith } from './completion.js';
import type { Disk, DiskFile, DiskLock } from './disk.js';
import { DirectoryLockedError, DiskError } from './errors.js';
import { zeros } from './zeros.js';

const LOCK_DIRECTORY = 'lock';

export interface NodeDiskOptions {
  /**
   * Files are opened with `O_DSYNC`: every write is followed by its `fdatasync` within the same call (open(2)), so a group of the log goes to the thread
   * pool and back once, not twice. Default: on Linux. Elsewhere it may promise less: macOS leaves the bytes in the cache of the drive.
   */
  readonly syncsWrites?: boolean;
}

/** A directory of the operating system's file system. */
export class NodeDisk implements Disk {
  private constructor(
    readonly name: string,
    private readonly syncsWrites: boolean,
  ) {}

  /** Makes the directory if needed, and its name durable in the directories above. */
  static open(directory: string, done: DoneWith<NodeDisk>, options: NodeDiskOptions = {}): void {
    const { syncsWrites = process.platform === 'linux' } = options;
    const path = resolve(directory);
    mkdir(path, { recursive: true }, (error, firstMade) => {
      if (error) return done(new DiskError('mkdir', path, error), undefined);
      const parents: string[] = [];
      if (firstMade !== undefined) {
        for (let made = path; made.length >= firstMade.length; made = dirname(made)) parents.push(dirname(made));
      }
      const next = (): void => {
        const parent = parents.pop();
        if (parent === undefined) return done(undefined, new NodeDisk(path, syncsWrites));
        syncDirectory(parent, (syncError) => (syncError ? done(syncError, undefined) : next()));
      };
      next();
    });
  }

  list(done: DoneWith<readonly string[]>): void {
    readdir(this.name, { withFileTypes: true }, (error, entries) => {
      if (error) return done(new DiskError('readdir', this.name, error), undefined);
      const names = entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
      done(undefined, names.sort());
    });
  }

  create(name: string, sizeBytes: number, done: DoneWith<DiskFile>): void {
    const path = join(this.name, name);
    open(path, this.flags(constants.O_CREAT | constants.O_EXCL), (error, descriptor) => {
      if (error) return done(new DiskError('create', path, error), undefined);
      const file = new NodeFile(path, descriptor, this.syncsWrites);
      // Real zeros, not a hole: an fdatasync of bytes that overwrite them has no metadata to write.
      file.write(0, zeros(sizeBytes), (writeError) => {
        if (!writeError) return done(undefined, file);
        file.close(() => unlink(path, () => done(writeError, undefined)));
      });
    });
  }

  open(name: string, done: DoneWith<DiskFile>): void {
    const path = join(this.name, name);
    open(path, this.flags(0), (error, descriptor) => {
      if (error) return done(new DiskError('open', path, error), undefined);
      done(undefined, new NodeFile(path, descriptor, this.syncsWrites));
    });
  }

  private flags(more: number): number {
    return constants.O_RDWR | (this.syncsWrites ? constants.O_DSYNC : 0) | more;
  }

  rename(from: string, to: string, done: Done): void {
    const path = join(this.name, from);
    rename(path, join(this.name, to), (error) => done(error ? new DiskError('rename', path, error) : undefined));
  }

  remove(name: string, done: Done): void {
    const path = join(this.name, name);
    unlink(path, (error) => done(error ? new DiskError('remove', path, error) : undefined));
  }

  syncDirectory(done: Done): void {
    syncDirectory(this.name, done);
  }

  /**
   * Node has no flock. LevelDB takes one on its own directory (`fcntl`, which the kernel drops with the process, so that a
   * kill -9 never leaves a stale lock), so an empty LevelDB in `lock/` is the lock.
   */
  lock(done: DoneWith<DiskLock>): void {
    const path = join(this.name, LOCK_DIRECTORY);
    const database = new ClassicLevel(path, { writeBufferSize: 64 * 1024, cacheSize: 0 });
    database.open().then(
      () => leavePromise(() => done(undefined, { release: (released) => releaseLock(path, database, released) })),
      (error: Error) => {
        const cause = (error.cause ?? error) as Error & { code?: string };
        const isLocked = cause.code === 'LEVEL_LOCKED';
        leavePromise(() =>
          done(
            isLocked ? new DirectoryLockedError(this.name, { cause }) : new DiskError('lock', path, cause),
            undefined,
          ),
        );
      },
    );
  }
}

/** An exception of a completion must end in the process' handler for it, not as the rejection of some promise. */
function leavePromise(complete: () => void): void {
  process.nextTick(complete);
}

function releaseLock(path: string, database: ClassicLevel, done: Done): void {
  database.close().then(
    () => leavePromise(() => done(undefined)),
    (error: Error) => leavePromise(() => done(new DiskError('unlock', path, error))),
  );
}

function syncDirectory(path: string, done: Done): void {
  open(path, 'r', (error, descriptor) => {
    if (error) return done(new DiskError('open', path, error));
    fsync(descriptor, (syncError) => {
      close(descriptor, () => done(syncError ? new DiskError('fsync', path, syncError) : undefined));
    });
  });
}

class NodeFile implements DiskFile {
  readonly writeDurably?: DiskFile['write'];
  private isClosed = false;

  constructor(
    readonly name: string,
    private readonly descriptor: number,
    syncsWrites: boolean,
  ) {
    if (syncsWrites) this.writeDurably = (offset, buffers, done) => this.write(offset, buffers, done);
  }

  size(done: DoneWith<number>): void {
    fstat(this.descriptor, (error, stats) => {
      if (error) return done(new DiskError('fstat', this.name, error), undefined);
      done(undefined, stats.size);
    });
  }

  read(offset: number, lengthBytes: number, done: DoneWith<Uint8Array>): void {
    const bytes = new Uint8Array(lengthBytes);
    const readFrom = (filled: number): void => {
      if (filled === lengthBytes) return done(undefined, bytes);
      read(this.descriptor, bytes, filled, lengthBytes - filled, offset + filled, (error, count) => {
        if (error) return done(new DiskError('read', this.name, error), undefined);
        if (count === 0) return done(undefined, bytes.subarray(0, filled));
        readFrom(filled + count);
      });
    };
    readFrom(0);
  }

  write(offset: number, buffers: readonly Uint8Array[], done: Done): void {
    if (this.isClosed) return process.nextTick(done, this.closedError('write'));
    const rest = buffers.filter((buffer) => buffer.byteLength > 0);
    if (rest.length === 0) return process.nextTick(done, undefined);
    writev(this.descriptor, rest, offset, (error, count) => {
      if (error) return done(new DiskError('write', this.name, error));
      const left = without(rest, count);
      if (left.length === 0) return done(undefined);
      // The system may take less than all; a full disk then shows as the error of the next call.
      this.write(offset + count, left, done);
    });
  }

  truncate(sizeBytes: number, done: Done): void {
    if (this.isClosed) return process.nextTick(done, this.closedError('truncate'));
    ftruncate(this.descriptor, sizeBytes, (error) =>
      done(error ? new DiskError('truncate', this.name, error) : undefined),
    );
  }

  sync(done: Done): void {
    if (this.isClosed) return process.nextTick(done, this.closedError('fdatasync'));
    fdatasync(this.descriptor, (error) => done(error ? new DiskError('fdatasync', this.name, error) : undefined));
  }

  /** By the number of its descriptor, another file would be meant. */
  private closedError(operation: string): DiskError {
    return new DiskError(operation, this.name, Object.assign(new Error('it is closed'), { code: 'EBADF' }));
  }

  close(done: Done): void {
    // The system gives the number of a closed file to the next one that is opened: closing twice would close a stranger's.
    if (this.isClosed) return process.nextTick(done, undefined);
    this.isClosed = true;
    close(this.descriptor, (error) => done(error ? new DiskError('close', this.name, error) : undefined));
  }
}

/** What is left of the buffers after their first `count` bytes. */
function without(buffers: readonly Uint8Array[], count: number): Uint8Array[] {
  const left: Uint8Array[] = [];
  let skip = count;
  for (const buffer of buffers) {
    if (skip >= buffer.byteLength) skip -= buffer.byteLength;
    else {
      left.push(buffer.subarray(skip));
      skip = 0;
    }
  }
  return left;
}
