import type { Done, DoneWith } from './completion.js';
import type { Disk, DiskFile, DiskLock } from './disk.js';
import { DiskError } from './errors.js';
import type { DiskOperation } from './memory-disk.js';

/** What faults can be set for: everything that takes effect on the disk, and reads. */
export type FaultyOperation = Extract<
  DiskOperation['kind'],
  'create' | 'open' | 'rename' | 'remove' | 'syncDirectory' | 'read' | 'write' | 'truncate' | 'sync'
>;

/** What of the faults did happen. */
export interface InjectedFaults {
  failed: number;
  delayed: number;
  hung: number;
}

interface Failure {
  readonly systemCode: string;
  /** How many more operations fail. */
  left: number;
}

/**
 * A disk around another one, whose faults are switched on and off from outside while it is in use. With none on it is the disk that it
 * is around, plus nothing. For tests of a node on a real file system; where a simulator is to choose the order of everything,
 * `MemoryDisk` is the one to use.
 *
 * A failed operation has no effect, but for a write that finds too little space: as a file system does it, so much of it is written as
 * there is space for. After a failed sync of such a disk the bytes are still in the page cache: whoever survives it may find them.
 */
export class FaultyDisk implements Disk {
  /** What did happen so far, by operation. */
  readonly injected = new Map<FaultyOperation, InjectedFaults>();
  private readonly failures = new Map<FaultyOperation, Failure>();
  private readonly delays = new Map<FaultyOperation, number>();
  private readonly hanging = new Set<FaultyOperation>();
  private held: { readonly operation: FaultyOperation; readonly go: () => void }[] = [];
  /** Sizes of the files that were seen, as given to the disk; they are what removing them gives back. */
  private readonly sizes = new Map<string, { bytes: number }>();
  private spaceLeft = Infinity;

  constructor(
    private readonly disk: Disk,
    private readonly later: (act: () => void, delayMs: number) => unknown = setTimeout,
  ) {}

  get name(): string {
    return this.disk.name;
  }

  /** The next so many operations of this kind fail with this code of the operating system, such as `EIO`; by default one. */
  failNext(operation: FaultyOperation, systemCode: string, count = 1): void {
    this.failures.set(operation, { systemCode, left: count });
  }

  /** All operations of this kind fail until `heal`. */
  failAll(operation: FaultyOperation, systemCode: string): void {
    this.failNext(operation, systemCode, Infinity);
  }

  /** Every operation of this kind begins so much later; 0 for no delay. */
  delay(operation: FaultyOperation, delayMs: number): void {
    this.delays.set(operation, delayMs);
  }

  /** Operations of this kind do not begin before `release` or `heal`. */
  hang(operation: FaultyOperation): void {
    this.hanging.add(operation);
  }

  /** What hangs goes on, in the order in which it was called, and nothing hangs any more; of one kind, or of all. */
  release(operation?: FaultyOperation): void {
    if (operation === undefined) this.hanging.clear();
    else this.hanging.delete(operation);
    const going = this.held.filter((each) => !this.hanging.has(each.operation));
    this.held = this.held.filter((each) => this.hanging.has(each.operation));
    for (const { go } of going) go();
  }

  /** How many operations hang. */
  get hungCount(): number {
    return this.held.length;
  }

  /** Files can grow by so many bytes together, and by what is removed or cut; then `ENOSPC`. `Infinity` for no limit but the disk's own. */
  set freeBytes(bytes: number) {
    this.spaceLeft = bytes;
  }

  get freeBytes(): number {
    return this.spaceLeft;
  }

  /** No fault is on, and what hung goes on. */
  heal(): void {
    this.failures.clear();
    this.delays.clear();
    this.spaceLeft = Infinity;
    this.release();
  }

  list(done: DoneWith<readonly string[]>): void {
    this.disk.list(done);
  }

  create(name: string, sizeBytes: number, done: DoneWith<DiskFile>): void {
    this.start('create', name, done as Failing, () => {
      if (sizeBytes > this.spaceLeft) return (done as Failing)(this.failure('create', name, 'ENOSPC'));
      this.spaceLeft -= sizeBytes;
      this.disk.create(name, sizeBytes, (error, file) => {
        if (error) {
          this.spaceLeft += sizeBytes;
          return done(error, undefined);
        }
        const size = { bytes: sizeBytes };
        this.sizes.set(name, size);
        done(undefined, this.wrap(file, size));
      });
    });
  }

  open(name: string, done: DoneWith<DiskFile>): void {
    this.start('open', name, done as Failing, () => {
      this.disk.open(name, (error, file) => {
        if (error) return done(error, undefined);
        this.sizeOf(name, file, (sizeError, size) => {
          if (sizeError) file.close(() => done(sizeError, undefined));
          else done(undefined, this.wrap(file, size));
        });
      });
    });
  }

  rename(from: string, to: string, done: Done): void {
    this.start('rename', from, done, () => {
      this.whenSized([from, to], () => {
        this.disk.rename(from, to, (error) => {
          if (!error && from !== to) {
            const size = this.sizes.get(from);
            this.spaceLeft += this.sizes.get(to)?.bytes ?? 0;
            this.sizes.delete(from);
            if (size) this.sizes.set(to, size);
          }
          done(error);
        });
      });
    });
  }

  remove(name: string, done: Done): void {
    this.start('remove', name, done, () => {
      this.whenSized([name], () => {
        this.disk.remove(name, (error) => {
          if (!error) {
            this.spaceLeft += this.sizes.get(name)?.bytes ?? 0;
            this.sizes.delete(name);
          }
          done(error);
        });
      });
    });
  }

  syncDirectory(done: Done): void {
    this.start('syncDirectory', this.name, done, () => this.disk.syncDirectory(done));
  }

  lock(done: DoneWith<DiskLock>): void {
    this.disk.lock(done);
  }

  private wrap(file: DiskFile, size: { bytes: number }): DiskFile {
    const { name } = file;
    return {
      name,
      size: (done) => file.size(done),
      close: (done) => file.close(done),
      read: (offset, lengthBytes, done) => {
        this.start('read', name, done as Failing, () => file.read(offset, lengthBytes, done));
      },
      sync: (done) => this.start('sync', name, done, () => file.sync(done)),
      write: (offset, buffers, done) => {
        this.start('write', name, done, () => this.write(file, size, offset, buffers, done));
      },
      truncate: (sizeBytes, done) => {
        this.start('truncate', name, done, () => {
          const growth = sizeBytes - size.bytes;
          if (growth > this.spaceLeft) return done(this.failure('truncate', name, 'ENOSPC'));
          this.grow(size, growth);
          file.truncate(sizeBytes, (error) => {
            if (error) this.grow(size, -growth);
            done(error);
          });
        });
      },
    };
  }

  private write(
    file: DiskFile,
    size: { bytes: number },
    offset: number,
    buffers: readonly Uint8Array[],
    done: Done,
  ): void {
    const bytes = buffers.reduce((sum, buffer) => sum + buffer.length, 0);
    const growth = bytes === 0 ? 0 : Math.max(0, offset + bytes - size.bytes);
    if (growth <= this.spaceLeft) {
      this.grow(size, growth);
      return file.write(offset, buffers, done);
    }
    const fitting = Math.max(0, size.bytes + this.spaceLeft - offset);
    const full = (): void => done(this.failure('write', file.name, 'ENOSPC'));
    if (fitting === 0) return full();
    this.grow(size, Math.max(0, offset + fitting - size.bytes));
    file.write(offset, startOf(buffers, fitting), (error) => (error ? done(error) : full()));
  }

  private grow(size: { bytes: number }, growth: number): void {
    size.bytes += growth;
    this.spaceLeft -= growth;
  }

  /** Begins an operation, as late as the faults want it, or fails it. */
  private start(operation: FaultyOperation, file: string, done: Failing, act: () => void): void {
    if (this.hanging.has(operation)) {
      this.count(operation).hung += 1;
      this.held.push({ operation, go: () => this.startNow(operation, file, done, act) });
      return;
    }
    const delayMs = this.delays.get(operation) ?? 0;
    if (delayMs <= 0) return this.startNow(operation, file, done, act);
    this.count(operation).delayed += 1;
    this.later(() => this.startNow(operation, file, done, act), delayMs);
  }

  private startNow(operation: FaultyOperation, file: string, done: Failing, act: () => void): void {
    const failure = this.failures.get(operation);
    if (!failure || failure.left <= 0) return act();
    failure.left -= 1;
    done(this.failure(operation, file, failure.systemCode));
  }

  private failure(operation: FaultyOperation, file: string, systemCode: string): DiskError {
    this.count(operation).failed += 1;
    const cause = Object.assign(new Error(`${systemCode}: injected into ${operation}`), { code: systemCode });
    return new DiskError(operation, file, cause);
  }

  private count(operation: FaultyOperation): InjectedFaults {
    let faults = this.injected.get(operation);
    if (!faults) {
      faults = { failed: 0, delayed: 0, hung: 0 };
      this.injected.set(operation, faults);
    }
    return faults;
  }

  /** All handles of a file share what is known of its size. */
  private sizeOf(name: string, file: DiskFile, done: DoneWith<{ bytes: number }>): void {
    const known = this.sizes.get(name);
    if (known) return done(undefined, known);
    file.size((error, bytes) => {
      if (error) return done(error, undefined);
      const size = this.sizes.get(name) ?? { bytes };
      this.sizes.set(name, size);
      done(undefined, size);
    });
  }

  /** Of files that cannot be opened nothing is known, and nothing is said here: what follows will fail by itself. */
  private whenSized(names: readonly string[], act: () => void): void {
    const name = names.find((each) => !this.sizes.has(each));
    if (name === undefined || this.spaceLeft === Infinity) return act();
    const rest = names.filter((each) => each !== name);
    this.disk.open(name, (error, file) => {
      if (error) return this.whenSized(rest, act);
      this.sizeOf(name, file, () => file.close(() => this.whenSized(rest, act)));
    });
  }
}

/** Any completion, as far as failing goes. */
type Failing = (error: Error, result?: undefined) => void;

function startOf(buffers: readonly Uint8Array[], bytes: number): Uint8Array[] {
  const start: Uint8Array[] = [];
  let left = bytes;
  for (const buffer of buffers) {
    if (left <= 0) break;
    start.push(buffer.subarray(0, left));
    left -= buffer.length;
  }
  return start;
}
