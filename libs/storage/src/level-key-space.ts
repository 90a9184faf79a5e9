import type { KeySpace, Row, RowChange } from '@app/kv';
import { ClassicLevel } from 'classic-level';
import { promised, type Done } from './completion.js';
import { DirectoryLockedError, StateFailedError } from './errors.js';
import { NodeDisk } from './node-disk.js';
import { getUint64, setUint64 } from './uint64.js';

export interface LevelKeySpaceOptions {
  /** Called once, when a batch could not be written: the node has to stop. */
  readonly onFailure?: (error: StateFailedError) => void;
  /** How much LevelDB gathers in memory before it writes a table. Default 64 MiB; it may hold two of them. */
  readonly writeBufferBytes?: number;
  /** For blocks that were read. Default 32 MiB. */
  readonly cacheBytes?: number;
  /** How long changes gather before they go out as one synced batch. Default 100 ms. */
  readonly batchDelayMs?: number;
  /** Changes of this size go out without waiting, unless a batch is under way. Default 4 MiB. */
  readonly batchBytesMax?: number;
}

type Database = ClassicLevel<Uint8Array, Uint8Array>;

/** What goes into the database with one synced batch. */
interface Changes {
  readonly batch: ReturnType<Database['batch']>;
  /** By key, the last change: what `get` must see before the database has it. */
  readonly rows: Map<string, Uint8Array | undefined>;
  bytes: number;
  appliedIndex: number;
}

interface Waiting {
  readonly appliedIndex: number;
  readonly done: Done;
}

const MEBIBYTE = 1024 * 1024;
const APPLIED_INDEX_KEY = Uint8Array.of(0);
const ROW_PREFIX = 1;
/** What a change costs beside its bytes, roughly. */
const CHANGE_BYTES = 32;

/**
 * The state machine's rows in LevelDB. Changes gather in memory, where reads see them at once, and go to the disk in order as merged
 * batches, one at a time, each with the applied index inside and each synced before the next.
 *
 * Synced, because LevelDB does not keep its promise of "a suffix at most" otherwise: it does not sync its log when it moves on to
 * the next one, and its recovery passes over damaged blocks. After a power loss an unsynced batch in the middle could be
 * missing under a newer applied index. What was gathered and not written is repeated from the Raft log.
 */
export class LevelKeySpace implements KeySpace {
  private gathering: Changes | undefined;
  private writing: Changes | undefined;
  private timer: NodeJS.Timeout | undefined;
  private readonly waiting: Waiting[] = [];
  private failure: Error | undefined;

  private constructor(
    private readonly database: Database,
    private lastAppliedIndex: number,
    private durableAppliedIndex: number,
    private readonly onFailure: (error: StateFailedError) => void,
    private readonly batchDelayMs: number,
    private readonly batchBytesMax: number,
  ) {}

  /** Opens the database in its directory, or creates it. `DirectoryLockedError` while another process has it open. */
  static async open(directory: string, options: LevelKeySpaceOptions = {}): Promise<LevelKeySpace> {
    await promised<NodeDisk>((done) => NodeDisk.open(directory, done));
    const database: Database = new ClassicLevel(directory, {
      keyEncoding: 'view',
      valueEncoding: 'view',
      writeBufferSize: options.writeBufferBytes ?? 64 * MEBIBYTE,
      cacheSize: options.cacheBytes ?? 32 * MEBIBYTE,
    });
    try {
      await database.open();
    } catch (error) {
      const cause = (error as Error).cause ?? error;
      if ((cause as { code?: string }).code === 'LEVEL_LOCKED') throw new DirectoryLockedError(directory, { cause });
      throw new StateFailedError(directory, cause);
    }
    const row = database.getSync(APPLIED_INDEX_KEY);
    const appliedIndex = row === undefined ? 0 : getUint64(viewOf(row), 0);
    return new LevelKeySpace(
      database,
      appliedIndex,
      appliedIndex,
      options.onFailure ?? (() => undefined),
      options.batchDelayMs ?? 100,
      options.batchBytesMax ?? 4 * MEBIBYTE,
    );
  }

  get appliedIndex(): number {
    return this.lastAppliedIndex;
  }

  /** What a power loss leaves at least: the Raft log may be compacted up to here and no further. */
  get syncedAppliedIndex(): number {
    return this.durableAppliedIndex;
  }

  /** Of changes that are not durable yet. They have no bound of their own: whoever writes slows down by this. */
  get pendingBytes(): number {
    return (this.gathering?.bytes ?? 0) + (this.writing?.bytes ?? 0);
  }

  /** Throws the `StateFailedError` once a batch could not be written. */
  get(key: Uint8Array): Uint8Array | undefined {
    if (this.failure) throw this.failure;
    for (const changes of [this.gathering, this.writing]) {
      if (!changes || changes.rows.size === 0) continue;
      const name = nameOf(key);
      const value = changes.rows.get(name);
      if (value !== undefined || changes.rows.has(name)) return value;
    }
    const value = this.database.getSync(prefixed(key));
    return value && plain(value);
  }

  /** Throws the `StateFailedError` once a batch could not be written, and a `RangeError` if `appliedIndex` does not rise. */
  write(changes: readonly RowChange[], appliedIndex: number): void {
    if (this.failure) throw this.failure;
    if (!Number.isSafeInteger(appliedIndex) || appliedIndex <= this.lastAppliedIndex) {
      throw new RangeError(`applied index ${appliedIndex} does not rise above ${this.lastAppliedIndex}`);
    }
    const gathering = (this.gathering ??= { batch: this.database.batch(), rows: new Map(), bytes: 0, appliedIndex });
    for (const { key, value } of changes) {
      if (value === undefined) gathering.batch.del(prefixed(key));
      else gathering.batch.put(prefixed(key), value);
      gathering.rows.set(nameOf(key), value);
      gathering.bytes += CHANGE_BYTES + key.length + (value?.length ?? 0);
    }
    gathering.appliedIndex = appliedIndex;
    this.lastAppliedIndex = appliedIndex;
    this.schedule();
  }

  scan(
    from: Uint8Array,
    to: Uint8Array,
    limit: number,
    done: (error: Error | undefined, rows: readonly Row[]) => void,
  ): void {
    if (this.failure) return done(this.failure, []);
    if (limit <= 0 || Buffer.compare(from, to) >= 0) return done(undefined, []);
    const overlay = this.overlayOf(nameOf(from), nameOf(to));
    // An iterator sees the database of the moment it is made, with the batch under way or without; the overlay has that batch too.
    const iterator = this.database.iterator({ gte: prefixed(from), lt: prefixed(to), limit: limit + overlay.size });
    iterator.all().then(
      (stored) => process.nextTick(done, undefined, merge(stored, overlay).slice(0, limit)),
      (cause: unknown) => process.nextTick(done, new StateFailedError(this.database.location, cause), []),
    );
  }

  /** Resolves once everything given to `write` so far is durable. */
  flush(): Promise<void> {
    return promised((done) => this.settle(done));
  }

  /** Flushes, unless the space has failed, and lets go of the directory. Whatever comes later throws. */
  async close(): Promise<void> {
    try {
      if (!this.failure) await this.flush();
    } finally {
      clearTimeout(this.timer);
      this.failure ??= new StateFailedError(this.database.location, new Error('it is closed'));
      await this.database.close();
    }
  }

  /** What the database does not have yet of the rows from `from` up to but not including `to`. */
  private overlayOf(from: string, to: string): Map<string, Uint8Array | undefined> {
    const overlay = new Map<string, Uint8Array | undefined>();
    for (const changes of [this.writing, this.gathering]) {
      for (const [name, value] of changes?.rows ?? []) {
        if (name >= from && name < to) overlay.set(name, value);
      }
    }
    return overlay;
  }

  private settle(done: Done): void {
    if (this.failure) return done(this.failure);
    if (this.durableAppliedIndex === this.lastAppliedIndex) return done(undefined);
    this.waiting.push({ appliedIndex: this.lastAppliedIndex, done });
    this.schedule();
  }

  /** Starts the next batch now, later, or not at all: only one is ever under way. */
  private schedule(): void {
    if (this.writing || !this.gathering) return;
    if (this.waiting.length > 0 || this.gathering.bytes >= this.batchBytesMax) this.startBatch();
    else this.timer ??= setTimeout(() => this.startBatch(), this.batchDelayMs).unref();
  }

  private startBatch(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const changes = this.gathering;
    if (this.writing || !changes) return;
    this.gathering = undefined;
    this.writing = changes;
    // A completion that throws must end in the process' handler for it, not as the rejection of some promise.
    write(changes).then(
      () => process.nextTick(() => this.finishBatch(changes)),
      (error: unknown) => process.nextTick(() => this.fail(error)),
    );
  }

  private finishBatch({ appliedIndex }: Changes): void {
    this.writing = undefined;
    this.durableAppliedIndex = appliedIndex;
    const isStillWaiting = this.waiting.findIndex((each) => each.appliedIndex > appliedIndex);
    const settled = this.waiting.splice(0, isStillWaiting < 0 ? this.waiting.length : isStillWaiting);
    this.schedule();
    for (const { done } of settled) done(undefined);
  }

  private fail(cause: unknown): void {
    if (this.failure) return;
    const failure = new StateFailedError(this.database.location, cause);
    this.failure = failure;
    clearTimeout(this.timer);
    for (const { done } of this.waiting.splice(0)) done(failure);
    this.onFailure(failure);
  }
}

async function write({ batch, appliedIndex }: Changes): Promise<void> {
  const row = new Uint8Array(8);
  setUint64(viewOf(row), 0, appliedIndex);
  batch.put(APPLIED_INDEX_KEY, row);
  await batch.write({ sync: true });
}

function merge(
  stored: readonly [Uint8Array, Uint8Array][],
  overlay: ReadonlyMap<string, Uint8Array | undefined>,
): Row[] {
  const rows = stored.map(([key, value]) => ({ key: plain(key.subarray(1)), value: plain(value) }));
  if (overlay.size === 0) return rows;
  const merged = rows.filter(({ key }) => !overlay.has(nameOf(key)));
  for (const [name, value] of overlay) {
    if (value !== undefined) merged.push({ key: plain(Buffer.from(name, 'latin1')), value });
  }
  return merged.sort((one, other) => Buffer.compare(one.key, other.key));
}

/** A Buffer's `slice` shares its bytes, that of a Uint8Array copies: callers were promised the latter. */
function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function prefixed(key: Uint8Array): Uint8Array {
  const stored = new Uint8Array(key.length + 1);
  stored[0] = ROW_PREFIX;
  stored.set(key, 1);
  return stored;
}

function nameOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1');
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
