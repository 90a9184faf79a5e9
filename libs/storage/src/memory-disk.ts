import type { Done, DoneWith } from './completion.js';
import type { Disk, DiskFile, DiskLock } from './disk.js';
import { DirectoryLockedError, DiskError } from './errors.js';
import { MemoryFileContent, type KeepUnsynced } from './memory-file-content.js';

export interface DiskOperation {
  readonly kind:
    | 'list'
    | 'create'
    | 'open'
    | 'rename'
    | 'remove'
    | 'syncDirectory'
    | 'lock'
    | 'unlock'
    | 'size'
    | 'read'
    | 'write'
    | 'truncate'
    | 'sync'
    | 'close';
  /** The file; the disk itself for operations on the directory. */
  readonly name: string;
  /** As many bytes as `read` wants, `write` brings, `create` and `truncate` make the file hold; 0 for all others. */
  readonly bytes: number;
}

/** An operation that waits. It ends by `complete`, by `step` or `run`, or never, when the process dies. */
export interface QueuedOperation {
  readonly operation: DiskOperation;
  readonly isWaiting: boolean;
  /** Performs and completes it, whatever waits before it. Nothing happens if it does not wait any more. */
  complete(): void;
}

/** A write that fails in the middle. */
export interface TornWrite {
  readonly error: Error;
  /** So many bytes from its start are written, unsynced as after any write. */
  readonly writtenBytes: number;
}

export interface MemoryDiskOptions {
  readonly name?: string;
  /** `immediate` (the default) completes inside the call; `queued` waits for `complete`, `step` or `run`, so that a test chooses the order. */
  readonly completions?: 'immediate' | 'queued';
  /** Called for each operation that begins to wait, in the order of the calls: here a simulator chooses when it is to complete. */
  readonly onQueued?: (queued: QueuedOperation) => void;
  /**
   * Called as an operation takes effect: an error makes it fail without effect, and a `TornWrite` lets a write fail in the middle. Calling
   * `crash` or `kill` here drops the operation. After a failed sync the
   * bytes that it was for can still be read, and no later sync brings them to the disk: that is how Linux does it.
   */
  readonly intercept?: (operation: DiskOperation) => Error | TornWrite | undefined;
}

/** What an operation does. */
interface Effect<T> {
  apply(): T;
  /** What happens in spite of a failure. */
  fail?(writtenBytes: number): void;
}

/** An operation on its way. */
class Submission implements QueuedOperation {
  isWaiting = true;

  constructor(
    private readonly queue: Submission[],
    readonly operation: DiskOperation,
    readonly perform: () => void,
    /** Takes effect without a completion, as far as it can. */
    readonly abandon: () => void,
  ) {}

  complete(): void {
    if (!this.isWaiting) return;
    this.isWaiting = false;
    this.queue.splice(this.queue.indexOf(this), 1);
    this.perform();
  }
}

type NameChange = (names: Map<string, MemoryFileContent>) => void;

/** The twin of `NodeDisk` in memory. It knows what is durable, and `crash` takes away the rest. Nothing in it happens by chance. */
export class MemoryDisk implements Disk {
  readonly name: string;
  /** What all files may hold together. What does not fit fails with `ENOSPC`; of a write, as much as fits is written. */
  capacityBytes = Infinity;
  private readonly queue: Submission[] = [];
  private names = new Map<string, MemoryFileContent>();
  private durableNames = new Map<string, MemoryFileContent>();
  private unsyncedNames: { name: string; change: NameChange }[] = [];
  private isLocked = false;
  /** Handles and completions of an earlier process are dead. */
  private process = 1;

  constructor(private readonly options: MemoryDiskOptions = {}) {
    this.name = options.name ?? 'memory';
  }

  /** What waits, oldest first. */
  get pending(): readonly DiskOperation[] {
    return this.queue.map((submission) => submission.operation);
  }

  get pendingCount(): number {
    return this.queue.length;
  }

  /** Of all files. */
  get usedBytes(): number {
    let sum = 0;
    for (const content of this.names.values()) sum += content.sizeBytes;
    return sum;
  }

  /** Performs and completes one waiting operation. */
  step(position = 0): void {
    const submission = this.queue[position];
    if (!submission) throw new RangeError(`no operation waits at ${position}`);
    submission.complete();
  }

  /** Performs what waits, in order, until nothing does. */
  run(): void {
    while (this.queue.length > 0) this.step();
  }

  /**
   * The process dies, the machine stays: completions never come, the lock is free, written bytes stay, still unsynced. Of the operations that
   * were waiting those happen that `happens` chooses, in their order; by default all of them.
   */
  kill(happens: (operation: DiskOperation) => boolean = () => true): void {
    this.process += 1;
    for (const submission of this.queue.splice(0)) {
      submission.isWaiting = false;
      if (isChange(submission.operation) && happens(submission.operation)) submission.abandon();
    }
    this.isLocked = false;
  }

  /**
   * Power loss: of what was not synced only what `keepUnsynced` chooses is there afterwards. Operations that were waiting count as
   * unsynced too: they may or may not have happened.
   */
  crash({ keepUnsynced }: { keepUnsynced: KeepUnsynced }): void {
    this.kill();
    const contents = new Set([...this.names.values(), ...this.durableNames.values()]);
    const keep = typeof keepUnsynced === 'function' ? keepUnsynced : () => keepUnsynced === 'all';
    for (const content of contents) content.crash(keep);
    for (const { name, change } of this.unsyncedNames) {
      if (keep({ file: name, kind: 'name' })) change(this.durableNames);
    }
    this.unsyncedNames = [];
    this.names = new Map(this.durableNames);
  }

  /** The bytes of a file as the process sees them; undefined if there is none. For tests. */
  contentOf(name: string): Uint8Array | undefined {
    return this.names.get(name)?.read(0, Number.MAX_SAFE_INTEGER);
  }

  /** Replaces a file's bytes, durably: damage done from outside. For tests. */
  overwrite(name: string, bytes: Uint8Array): void {
    const content = new MemoryFileContent(name);
    content.write(0, [bytes], bytes.length);
    content.sync();
    this.names.set(name, content);
    this.durableNames.set(name, content);
  }

  /**
   * The byte there changes by `mask` (exclusive or), for whoever reads it and for good, also in files that are open: the medium fails.
   * What was written there and not synced hides it only if a crash keeps that. Throws a `RangeError` if there is no such byte.
   */
  flip(name: string, offset: number, mask: number): void {
    const content = this.names.get(name);
    if (!content || !(offset >= 0 && offset < content.sizeBytes)) throw new RangeError(`no byte ${offset} in ${name}`);
    content.flip(offset, mask);
  }

  list(done: DoneWith<readonly string[]>): void {
    this.submit('list', this.name, 0, done, { apply: () => [...this.names.keys()].sort() });
  }

  create(name: string, sizeBytes: number, done: DoneWith<DiskFile>): void {
    this.submit('create', name, sizeBytes, done, {
      apply: () => {
        if (this.names.has(name)) throw systemError('EEXIST', 'file exists');
        if (sizeBytes > this.freeBytes()) throw diskIsFull();
        const content = new MemoryFileContent(name);
        content.resize(sizeBytes);
        this.changeNames(name, (names) => names.set(name, content));
        return this.handle(name, content);
      },
    });
  }

  open(name: string, done: DoneWith<DiskFile>): void {
    this.submit('open', name, 0, done, { apply: () => this.handle(name, this.find(name)) });
  }

  rename(from: string, to: string, done: Done): void {
    this.submit('rename', from, 0, done, {
      apply: () => {
        const content = this.find(from);
        this.changeNames(to, (names) => {
          names.delete(from);
          names.set(to, content);
        });
      },
    });
  }

  remove(name: string, done: Done): void {
    this.submit('remove', name, 0, done, {
      apply: () => {
        this.find(name);
        this.changeNames(name, (names) => names.delete(name));
      },
    });
  }

  syncDirectory(done: Done): void {
    this.submit('syncDirectory', this.name, 0, done, {
      apply: () => {
        for (const { change } of this.unsyncedNames) change(this.durableNames);
        this.unsyncedNames = [];
      },
    });
  }

  lock(done: DoneWith<DiskLock>): void {
    this.submit<DiskLock>('lock', this.name, 0, done, {
      apply: () => {
        if (this.isLocked) throw new DirectoryLockedError(this.name);
        this.isLocked = true;
        return {
          release: (released: Done): void =>
            this.submit('unlock', this.name, 0, released, {
              apply: () => {
                this.isLocked = false;
              },
            }),
        };
      },
    });
  }

  private submit<T>(
    kind: DiskOperation['kind'],
    name: string,
    bytes: number,
    whenDone: Done | DoneWith<T>,
    effect: Effect<T>,
  ): void {
    const operation: DiskOperation = { kind, name, bytes };
    const done = whenDone as DoneWith<T>;
    const { process } = this;
    if (this.options.completions !== 'queued') return this.perform(operation, effect, process, done);
    const submission = new Submission(
      this.queue,
      operation,
      () => this.perform(operation, effect, process, done),
      () => abandon(effect),
    );
    this.queue.push(submission);
    this.options.onQueued?.(submission);
  }

  private perform<T>(operation: DiskOperation, effect: Effect<T>, process: number, done: DoneWith<T>): void {
    let result: T;
    try {
      const fault = this.options.intercept?.(operation);
      if (process !== this.process) return;
      if (fault) {
        const isTorn = 'writtenBytes' in fault;
        effect.fail?.(isTorn ? fault.writtenBytes : 0);
        throw isTorn ? fault.error : fault;
      }
      result = effect.apply();
    } catch (error) {
      const { kind, name } = operation;
      return done(error instanceof DirectoryLockedError ? error : new DiskError(kind, name, error as Error), undefined);
    }
    done(undefined, result);
  }

  private freeBytes(): number {
    return this.capacityBytes === Infinity ? Infinity : Math.max(0, this.capacityBytes - this.usedBytes);
  }

  private changeNames(name: string, change: NameChange): void {
    change(this.names);
    this.unsyncedNames.push({ name, change });
  }

  private find(name: string): MemoryFileContent {
    const content = this.names.get(name);
    if (!content) throw systemError('ENOENT', 'no such file');
    return content;
  }

  private handle(name: string, content: MemoryFileContent): DiskFile {
    const { process } = this;
    let isClosed = false;
    const submit = <T>(
      kind: DiskOperation['kind'],
      bytes: number,
      done: Done | DoneWith<T>,
      apply: () => T,
      fail?: (writtenBytes: number) => void,
    ): void => {
      // A dead process calls nothing: this is a leftover of a test.
      if (process !== this.process) return;
      this.submit(kind, name, bytes, done, {
        apply: () => {
          if (isClosed) throw systemError('EBADF', 'the file is closed');
          return apply();
        },
        fail,
      });
    };
    return {
      name,
      size: (done) => submit('size', 0, done, () => content.sizeBytes),
      read: (offset, lengthBytes, done) => submit('read', lengthBytes, done, () => content.read(offset, lengthBytes)),
      write: (offset, buffers, done) => {
        let bytes = 0;
        for (const buffer of buffers) bytes += buffer.length;
        submit(
          'write',
          bytes,
          done,
          () => {
            const room = content.sizeBytes + this.freeBytes() - offset;
            content.write(offset, buffers, Math.max(0, Math.min(bytes, room)));
            if (bytes > room) throw diskIsFull();
          },
          (writtenBytes) => content.write(offset, buffers, Math.min(bytes, writtenBytes)),
        );
      },
      truncate: (sizeBytes, done) =>
        submit('truncate', sizeBytes, done, () => {
          if (sizeBytes > content.sizeBytes + this.freeBytes()) throw diskIsFull();
          content.resize(sizeBytes);
        }),
      sync: (done) =>
        submit(
          'sync',
          0,
          done,
          () => content.sync(),
          () => content.failSync(),
        ),
      close: (done) =>
        submit('close', 0, done, () => {
          isClosed = true;
        }),
    };
  }
}

function abandon(effect: Effect<unknown>): void {
  try {
    effect.apply();
  } catch {
    // It would have failed; nobody is left to be told.
  }
}

function isChange({ kind }: DiskOperation): boolean {
  return kind === 'create' || kind === 'rename' || kind === 'remove' || kind === 'write' || kind === 'truncate';
}

function diskIsFull(): Error {
  return systemError('ENOSPC', 'no space left on device');
}

function systemError(code: string, text: string): Error {
  return Object.assign(new Error(`${code}: ${text}`), { code });
}
