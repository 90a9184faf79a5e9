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
}

export interface MemoryDiskOptions {
  readonly name?: string;
  /** `immediate` (the default) completes inside the call; `queued` waits for `step` or `run`, so that a test chooses the order. */
  readonly completions?: 'immediate' | 'queued';
  /**
   * Called as an operation takes effect: an error makes it fail without effect; calling `crash` here drops it. After a failed sync the
   * bytes that it was for can still be read, and no later sync brings them to the disk: that is how Linux does it.
   */
  readonly intercept?: (operation: DiskOperation) => Error | undefined;
}

interface Pending {
  readonly operation: DiskOperation;
  readonly perform: (isCrashing: boolean) => void;
}

type NameChange = (names: Map<string, MemoryFileContent>) => void;

/** The twin of `NodeDisk` in memory. It knows what is durable, and `crash` takes away the rest. */
export class MemoryDisk implements Disk {
  readonly name: string;
  private readonly queue: Pending[] = [];
  private names = new Map<string, MemoryFileContent>();
  private durableNames = new Map<string, MemoryFileContent>();
  private unsyncedNames: { name: string; change: NameChange }[] = [];
  private isLocked = false;
  /** Handles and completions of an earlier process are dead. */
  private process = 1;

  constructor(private readonly options: MemoryDiskOptions = {}) {
    this.name = options.name ?? 'memory';
  }

  /** What waits for `step` or `run`, oldest first. */
  get pending(): readonly DiskOperation[] {
    return this.queue.map((pending) => pending.operation);
  }

  /** Performs and completes one waiting operation. */
  step(position = 0): void {
    const [pending] = this.queue.splice(position, 1);
    if (!pending) throw new RangeError(`no operation waits at ${position}`);
    pending.perform(false);
  }

  /** Performs what waits, in order, until nothing does. */
  run(): void {
    while (this.queue.length > 0) this.step();
  }

  /** The process dies, the machine stays: completions never come, the lock is free, written bytes stay, still unsynced. */
  kill(): void {
    this.process += 1;
    const interrupted = this.queue.splice(0);
    for (const { operation, perform } of interrupted) {
      if (isChange(operation)) perform(true);
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
    content.resize(bytes.length);
    content.write(0, bytes);
    content.sync();
    this.names.set(name, content);
    this.durableNames.set(name, content);
  }

  list(done: DoneWith<readonly string[]>): void {
    this.submit('list', this.name, done, () => [...this.names.keys()].sort());
  }

  create(name: string, sizeBytes: number, done: DoneWith<DiskFile>): void {
    this.submit('create', name, done, () => {
      if (this.names.has(name)) throw systemError('EEXIST', 'file exists');
      const content = new MemoryFileContent(name);
      content.resize(sizeBytes);
      this.changeNames(name, (names) => names.set(name, content));
      return this.handle(name, content);
    });
  }

  open(name: string, done: DoneWith<DiskFile>): void {
    this.submit('open', name, done, () => this.handle(name, this.find(name)));
  }

  rename(from: string, to: string, done: Done): void {
    this.submit('rename', from, done, () => {
      const content = this.find(from);
      this.changeNames(to, (names) => {
        names.delete(from);
        names.set(to, content);
      });
    });
  }

  remove(name: string, done: Done): void {
    this.submit('remove', name, done, () => {
      this.find(name);
      this.changeNames(name, (names) => names.delete(name));
    });
  }

  syncDirectory(done: Done): void {
    this.submit('syncDirectory', this.name, done, () => {
      for (const { change } of this.unsyncedNames) change(this.durableNames);
      this.unsyncedNames = [];
    });
  }

  lock(done: DoneWith<DiskLock>): void {
    this.submit<DiskLock>('lock', this.name, done, () => {
      if (this.isLocked) throw new DirectoryLockedError(this.name);
      this.isLocked = true;
      return {
        release: (released: Done): void =>
          this.submit('unlock', this.name, released, () => {
            this.isLocked = false;
          }),
      };
    });
  }

  private submit<T>(
    kind: DiskOperation['kind'],
    name: string,
    whenDone: Done | DoneWith<T>,
    effect: () => T,
    onFailure: () => void = () => undefined,
  ): void {
    const done = whenDone as DoneWith<T>;
    const { process } = this;
    const operation: DiskOperation = { kind, name };
    const perform = (isCrashing: boolean): void => {
      let result: T;
      try {
        const failure = isCrashing ? undefined : this.options.intercept?.(operation);
        if (!isCrashing && process !== this.process) return;
        if (failure) {
          onFailure();
          throw failure;
        }
        result = effect();
      } catch (error) {
        if (isCrashing) return;
        return done(
          error instanceof DirectoryLockedError ? error : new DiskError(kind, name, error as Error),
          undefined,
        );
      }
      if (!isCrashing) done(undefined, result);
    };
    if (this.options.completions === 'queued') this.queue.push({ operation, perform });
    else perform(false);
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
      done: Done | DoneWith<T>,
      effect: () => T,
      onFailure?: () => void,
    ): void => {
      // A dead process calls nothing: this is a leftover of a test.
      if (process !== this.process) return;
      this.submit(
        kind,
        name,
        done,
        () => {
          if (isClosed) throw systemError('EBADF', 'the file is closed');
          return effect();
        },
        onFailure,
      );
    };
    return {
      name,
      size: (done) => submit('size', done, () => content.sizeBytes),
      read: (offset, lengthBytes, done) => submit('read', done, () => content.read(offset, lengthBytes)),
      write: (offset, buffers, done) =>
        submit('write', done, () => {
          let at = offset;
          for (const buffer of buffers) {
            content.write(at, buffer);
            at += buffer.length;
          }
        }),
      truncate: (sizeBytes, done) => submit('truncate', done, () => content.resize(sizeBytes)),
      sync: (done) =>
        submit(
          'sync',
          done,
          () => content.sync(),
          () => content.failSync(),
        ),
      close: (done) =>
        submit('close', done, () => {
          isClosed = true;
        }),
    };
  }
}

function isChange({ kind }: DiskOperation): boolean {
  return kind === 'create' || kind === 'rename' || kind === 'remove' || kind === 'write' || kind === 'truncate';
}

function systemError(code: string, text: string): Error {
  return Object.assign(new Error(`${code}: ${text}`), { code });
}
