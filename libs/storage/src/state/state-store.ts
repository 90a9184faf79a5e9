import { join } from 'node:path';
import type { KeySpace, Row, RowChange } from '@app/kv';
import type { Done } from '../completion.js';
import { promised } from '../completion.js';
import { CorruptStateError, StateFailedError, StateFullError } from '../errors.js';
import { stateErrorOf } from './level-error.js';
import { nameOf, PendingChanges, withOverlay } from './pending-changes.js';
import { RowCache } from './row-cache.js';
import { StagedState } from './staged-state.js';
import { StateDatabase, type StateDatabaseOptions } from './state-database.js';
import type { StateDescription, StoredDescription } from './state-description.js';
import { StateHome, UnknownPointerError } from './state-home.js';
import { databaseName } from './state-pointer.js';
import { StateSnapshot } from './state-snapshot.js';

export interface StateStoreOptions {
  /** Called once, when the store can go on no longer: the node has to stop. */
  readonly onFailure?: (error: StateFailedError | CorruptStateError) => void;
  /** Everything up to here is durable now. */
  readonly onSynced?: (appliedIndex: number) => void;
  /** A batch found no space (true), or there is some again and it is written (false). */
  readonly onFull?: (isFull: boolean) => void;
  /** How much LevelDB gathers in memory before it writes a table. Default 8 MiB; it may hold two of them. */
  readonly writeBufferBytes?: number;
  /** For blocks that were read. Default 32 MiB. */
  readonly cacheBytes?: number;
  /** For rows that were read, as they are now. Default 16 MiB. */
  readonly rowCacheBytes?: number;
  /** How long changes gather before they go out as one synced batch. Default 500 ms. */
  readonly batchDelayMs?: number;
  /** Changes of this size go out without waiting, unless a batch is under way. Default 4 MiB. */
  readonly batchBytesMax?: number;
  /** How often a batch that found no space is tried again. Default 1000 ms. */
  readonly retryDelayMs?: number;
}

interface Waiting {
  readonly appliedIndex: number;
  readonly done: Done;
}

const MEBIBYTE = 1024 * 1024;
/** What LevelDB needs beside the changes when it is opened: manifest, log, file system metadata. */
const ROOM_BYTES = MEBIBYTE;
/** A copy made while LevelDB compacts may lack files; one after the other cannot be chance. */
const REOPENINGS_MAX = 10;

/**
 * The state machine's rows in LevelDB, what they stand for, and the states that come and go as snapshots: `docs/storage.md`, "The state".
 *
 * Changes gather in memory, where reads see them at once, and go to the disk in order as merged batches, one at a time, each with its
 * description inside and each synced before the next. Synced, because LevelDB does not keep its promise of "a suffix at most" otherwise: it
 * does not sync its log when it moves on to the next one, and its recovery passes over damaged blocks. What was gathered and not written is
 * repeated from the Raft log.
 *
 * A row that is not what was written is never given out: `get` throws, everything else rejects, `onFailure` is called, and nothing more is
 * answered.
 */
export class StateStore implements KeySpace {
  private gathering: PendingChanges | undefined;
  private writing: PendingChanges | undefined;
  private writingSince: number | undefined;
  private timer: NodeJS.Timeout | undefined;
  private waiting: Waiting[] = [];
  private failure: StateFailedError | CorruptStateError | undefined;
  private staged: StagedState | undefined;
  private lastAppliedIndex: number;
  private lastDescription: StoredDescription | undefined;
  private durable: StoredDescription | undefined;
  private isOutOfSpace = false;
  private readonly cache: RowCache;
  private closing: Promise<void> | undefined;
  /** Databases that were replaced and are still read. */
  private readonly retiring = new Set<StateDatabase>();
  /** Of copies in a row that could not be opened. */
  private reopenings = 0;
  /** What changes directories does so one after the other. */
  private turn: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly home: StateHome,
    private database: StateDatabase,
    private databaseName: string,
    found: StoredDescription | undefined,
    private readonly options: StateStoreOptions,
  ) {
    this.lastAppliedIndex = found?.index ?? 0;
    this.lastDescription = found;
    this.durable = found;
    this.cache = new RowCache(options.rowCacheBytes ?? 16 * MEBIBYTE);
  }

  /**
   * Opens the state in its directory, or creates it. `DirectoryLockedError` while another process has it open, `CorruptStateError` if it
   * is damaged, `StateFullError` if there is no space to open it. What crashes have left over is removed, except for a state that was
   * being received.
   */
  static async open(directory: string, options: StateStoreOptions = {}): Promise<StateStore> {
    const home = await StateHome.open(directory);
    let database: StateDatabase | undefined;
    try {
      if (home.pointer === undefined) await begin(home, options);
      const name = home.pointer!.current;
      database = await StateDatabase.open(home.pathOf(name), sizesOf(options));
      const store = new StateStore(home, database, name, await database.description(), options);
      home.removeLeftovers();
      return store;
    } catch (error) {
      await database?.close();
      await home.close();
      throw error;
    }
  }

  get appliedIndex(): number {
    return this.lastAppliedIndex;
  }

  /** Of the last write that was described; `undefined` in a new store. */
  get description(): StateDescription | undefined {
    return this.lastDescription;
  }

  /** The state came as a snapshot and nothing that was applied since is durable: the log need not have caught up with it. */
  get isInstalled(): boolean {
    return this.durable?.isInstalled ?? false;
  }

  /** What a power loss leaves at least: the Raft log may be compacted up to here and no further. */
  get syncedAppliedIndex(): number {
    return this.durable?.index ?? 0;
  }

  /** Of changes that are not durable yet. They have no bound of their own: whoever writes slows down by this. */
  get pendingBytes(): number {
    return (this.gathering?.bytes ?? 0) + (this.writing?.bytes ?? 0);
  }

  /** `performance.now()` when the batch under way began; `undefined` when none is, or when it waits for space. */
  get writingSinceMs(): number | undefined {
    return this.writingSince;
  }

  /** The last batch found no space. It is tried again by itself; reads and writes go on, the latter in memory only. */
  get isFull(): boolean {
    return this.isOutOfSpace;
  }

  /** Throws the failure once the store has failed, also when it is this very row that is damaged. */
  get(key: Uint8Array, name = nameOf(key)): Uint8Array | undefined {
    if (this.failure) throw this.failure;
    const cached = this.cache.get(name);
    if (cached !== undefined) return cached;
    const pending = this.gathering?.find(name) ?? this.writing?.find(name);
    const value = pending === undefined ? this.stored(key) : pending.value;
    if (value !== undefined) this.cache.put(name, value);
    return value;
  }

  /**
   * Throws the failure once the store has failed, and a `RangeError` if `appliedIndex` does not rise. Nothing goes to the disk until the
   * write is described.
   */
  write(changes: readonly RowChange[], appliedIndex: number): void {
    if (this.failure) throw this.failure;
    if (!Number.isSafeInteger(appliedIndex) || appliedIndex <= this.lastAppliedIndex) {
      throw new RangeError(`applied index ${appliedIndex} does not rise above ${this.lastAppliedIndex}`);
    }
    this.gathering ??= new PendingChanges();
    this.gathering.add(changes, appliedIndex);
    this.cache.follow(changes);
    this.lastAppliedIndex = appliedIndex;
  }

  /** Says what the state is after the last `write`, in the same atomic batch. `RangeError` if that was not of this index. */
  describe({ index, term, configurationIndex, configuration }: StateDescription): void {
    if (this.failure) throw this.failure;
    if (this.gathering?.appliedIndex !== index) {
      throw new RangeError(`the last write was of ${this.gathering?.appliedIndex}, not of ${index}`);
    }
    this.lastDescription = { index, term, configurationIndex, configuration, isInstalled: false };
    this.gathering.description = this.lastDescription;
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
    const overlay = new Map<string, Uint8Array | undefined>();
    this.writing?.overlayOnto(overlay, from, to);
    this.gathering?.overlayOnto(overlay, from, to);
    // An iterator sees the database of the moment it is made, with the batch under way or without; the overlay has that batch too.
    const { database } = this;
    allOf(database.pages(from, to, { limit: limit + overlay.size })).then(
      (stored) => process.nextTick(done, undefined, withOverlay(stored, overlay).slice(0, limit)),
      (error: unknown) => process.nextTick(done, this.failBy(database, error), []),
    );
  }

  /**
   * The state as of the end of a durable batch; while nothing is durable yet, the next one is written first. Reads and writes go on
   * meanwhile. `RangeError` if there is no state: nothing was ever applied.
   */
  async snapshot(): Promise<StateSnapshot> {
    if (this.durable === undefined) await this.flush();
    if (this.failure) throw this.failure;
    if (this.durable === undefined) throw new RangeError('nothing was ever applied');
    const { database } = this;
    const release = database.retain();
    try {
      const snapshot = database.snapshot();
      const description = await database.description(snapshot);
      if (description === undefined) throw new CorruptStateError(database.directory, 'the description is missing');
      return new StateSnapshot(database, snapshot, description, release, (error) => this.failBy(database, error));
    } catch (error) {
      release();
      throw this.failBy(database, error);
    }
  }

  /**
   * The one state that is being received, with what an earlier, unfinished transfer left. `RangeError` while it is already open. A damaged
   * one is thrown away.
   */
  stage(): Promise<StagedState> {
    return this.inTurn(async () => {
      if (this.staged) throw new RangeError('the staged state is already open');
      const left = this.home.pointer?.staged;
      if (left === undefined) return this.newStaged();
      try {
        return await this.adopt(await StateDatabase.open(this.home.pathOf(left), this.sizes), left);
      } catch (error) {
        if (!(error instanceof CorruptStateError)) throw error;
        await this.home.remove(left);
        return this.newStaged();
      }
    });
  }

  /** There is a state that is being received, or that an unfinished transfer left. */
  get hasStaged(): boolean {
    return this.home.pointer?.staged !== undefined;
  }

  /**
   * Removes what an unfinished transfer left, without opening it, whether it is damaged or not: the next `stage` begins with nothing. Does
   * nothing if there is nothing. `RangeError` while it is open: `StagedState.discard` is for that.
   */
  discardStaged(): Promise<void> {
    return this.inTurn(async () => {
      if (this.staged) throw new RangeError('the staged state is open');
      const left = this.home.pointer?.staged;
      if (left !== undefined) await this.removeStaged(left);
    });
  }

  /**
   * Puts the staged state in the place of the one in use, as one atomic step: reads see the old one until it is durable, then the new one.
   * Changes that were not durable yet are dropped: the new state contains them. A `flush` of changes behind its index rejects.
   * Rejects and leaves the old state in use if anything fails before that step; if it fails in that step, the store has failed.
   * Then the staged state is closed and can be staged again.
   */
  install(staged: StagedState, description: StateDescription): Promise<void> {
    return this.inTurn(async () => {
      if (this.staged !== staged) throw new RangeError('this is not the staged state, or it is closed');
      const { database, name } = staged;
      const stored = { ...description, isInstalled: true };
      await staged.describe(stored);
      await this.home.syncNames(name);
      await this.home.point({ current: name, staged: undefined });
      staged.handOver();
      this.staged = undefined;
      this.gathering = undefined;
      this.writing = undefined;
      this.writingSince = undefined;
      clearTimeout(this.timer);
      this.timer = undefined;
      this.swap(database, name);
      this.cache.clear();
      this.lastAppliedIndex = description.index;
      this.lastDescription = stored;
      this.noteDurable(stored);
      for (const { done } of this.waiting.splice(0)) process.nextTick(done, new Error('another state was installed'));
      this.noteFull(false);
    });
  }

  /** Resolves once everything given to `write` so far is durable. While the disk is full it waits for space. */
  async flush(): Promise<void> {
    await promised((done) => this.settle(done));
  }

  /**
   * Flushes, unless the store has failed, is full or was written to without a description, and lets go of the directory. Whatever comes later
   * throws. A staged state stays for the next time. It never waits for space: what was not durable when the disk became full is lost, and a
   * `flush` that waits for it rejects.
   */
  close(): Promise<void> {
    this.closing ??= this.closeNow();
    return this.closing;
  }

  private async closeNow(): Promise<void> {
    const isDescribed = this.gathering === undefined || this.gathering.description !== undefined;
    try {
      if (!this.failure && !this.isOutOfSpace && isDescribed) await this.flush();
    } catch (error) {
      if (!(error instanceof StateFullError)) throw error;
    } finally {
      clearTimeout(this.timer);
      const failure = (this.failure ??= new StateFailedError(this.database.directory, new Error('it is closed')));
      for (const { done } of this.waiting.splice(0)) done(failure);
      await this.turn;
      await this.staged?.close();
      await this.database.close();
      for (const each of this.retiring) each.evict();
      await this.home.close();
    }
  }

  private stored(key: Uint8Array): Uint8Array | undefined {
    try {
      return this.database.get(key);
    } catch (error) {
      throw this.fail(error);
    }
  }

  private get sizes(): StateDatabaseOptions {
    return sizesOf(this.options);
  }

  private async adopt(database: StateDatabase, name: string): Promise<StagedState> {
    try {
      this.staged = new StagedState(database, name, await database.hasRows(), (staged, isDiscarded) =>
        this.afterOthers(() => this.endStaged(staged, isDiscarded)),
      );
      return this.staged;
    } catch (error) {
      await database.close();
      throw error;
    }
  }

  private async newStaged(): Promise<StagedState> {
    const name = this.home.newName();
    const database = await StateDatabase.create(this.home.pathOf(name), this.sizes);
    try {
      await this.home.syncNames(name);
      await this.home.point({ current: this.databaseName, staged: name });
    } catch (error) {
      this.home.inBackground(() => database.retire());
      throw error;
    }
    return this.adopt(database, name);
  }

  private async endStaged(staged: StagedState, isDiscarded: boolean): Promise<void> {
    if (this.staged === staged) this.staged = undefined;
    await staged.database.close();
    if (isDiscarded) await this.removeStaged(staged.name);
  }

  private async removeStaged(name: string): Promise<void> {
    // First the files: on a full disk the pointer needs their space. Without them it leads to a state that is thrown away.
    await this.home.remove(name);
    await this.home.point({ current: this.databaseName, staged: undefined });
  }

  /** From here on reads are answered by this database; the other one goes once nobody reads it any more. */
  private swap(database: StateDatabase, name: string): void {
    const old = this.database;
    this.database = database;
    this.databaseName = name;
    this.retiring.add(old);
    this.home.inBackground(() => old.retire().finally(() => this.retiring.delete(old)));
  }

  private settle(done: Done): void {
    if (this.failure) return done(this.failure);
    if (this.syncedAppliedIndex === this.lastAppliedIndex) return done(undefined);
    this.waiting.push({ appliedIndex: this.lastAppliedIndex, done });
    this.schedule();
  }

  /** Starts the next batch now, later, or not at all: only one is ever under way. */
  private schedule(): void {
    if (this.failure || this.writing || !this.gathering?.description) return;
    if (this.waiting.length > 0 || this.gathering.bytes >= (this.options.batchBytesMax ?? 4 * MEBIBYTE)) {
      this.startBatch();
    } else {
      this.timer ??= setTimeout(() => this.startBatch(), this.options.batchDelayMs ?? 500).unref();
    }
  }

  private startBatch(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const changes = this.gathering;
    // Without its description it waits for `describe`, which schedules it.
    if (this.writing || !changes?.description) return;
    this.gathering = undefined;
    this.writing = changes;
    this.writeBatch(changes);
  }

  private writeBatch(changes: PendingChanges): void {
    this.writingSince = performance.now();
    // A completion that throws must end in the process' handler for it, not as the rejection of some promise.
    this.database.write(changes.changes(), changes.description).then(
      () => process.nextTick(() => this.finishBatch(changes)),
      (error: unknown) => process.nextTick(() => this.failBatch(changes, error)),
    );
  }

  private finishBatch(changes: PendingChanges): void {
    // Another state was installed meanwhile.
    if (this.writing !== changes) return;
    this.writing = undefined;
    this.writingSince = undefined;
    this.reopenings = 0;
    this.noteDurable(changes.description!);
    this.noteFull(false);
    this.schedule();
  }

  private failBatch(changes: PendingChanges, error: unknown): void {
    if (this.writing !== changes) return;
    this.writingSince = undefined;
    if (!(error instanceof StateFullError)) {
      this.fail(error);
      return;
    }
    this.noteFull(true);
    if (this.closing) {
      for (const { done } of this.waiting.splice(0)) done(error);
      return;
    }
    this.retryLater(changes);
  }

  private retryLater(changes: PendingChanges): void {
    this.timer = setTimeout(() => {
      this.inTurn(() => this.reopen(changes)).catch((error: unknown) => this.fail(error));
    }, this.options.retryDelayMs ?? 1000).unref();
  }

  /**
   * A LevelDB that found no space takes nothing more, and half a record may end its log. So, once there is space, a copy of it (the same
   * files under another name) is opened and put in its place; reads go on in the old one until then.
   */
  private async reopen(changes: PendingChanges): Promise<void> {
    if (this.failure || this.writing !== changes) return;
    const name = this.home.newName();
    let copy: StateDatabase | undefined;
    try {
      const needed = (await this.database.logBytes()) + 2 * changes.bytes + ROOM_BYTES;
      if ((await this.home.freeBytes()) < needed) return this.retryLater(changes);
      await this.home.link(this.databaseName, name);
      copy = await StateDatabase.open(this.home.pathOf(name), this.sizes, 'logs');
      const found = await copy.description();
      if ((found?.index ?? 0) < this.syncedAppliedIndex) {
        throw new CorruptStateError(
          copy.directory,
          `it ends with ${found?.index ?? 0}, and ${this.syncedAppliedIndex} was durable`,
        );
      }
      await this.home.syncNames(name);
      await this.home.point({ current: name, staged: this.home.pointer?.staged });
    } catch (error) {
      if (error instanceof UnknownPointerError) throw error;
      await copy?.close();
      this.home.inBackground(() => this.home.remove(name));
      const cause = stateErrorOf(this.home.pathOf(name), error);
      if (!(cause instanceof StateFullError)) this.reopenings += 1;
      if (this.reopenings >= REOPENINGS_MAX) throw cause;
      return this.retryLater(changes);
    }
    this.swap(copy, name);
    this.writeBatch(changes);
  }

  private noteDurable(description: StoredDescription): void {
    this.durable = description;
    const settled = this.waiting.filter(({ appliedIndex }) => appliedIndex <= description.index);
    this.waiting = this.waiting.filter(({ appliedIndex }) => appliedIndex > description.index);
    process.nextTick(() => {
      for (const { done } of settled) done(undefined);
      this.options.onSynced?.(description.index);
    });
  }

  private noteFull(isFull: boolean): void {
    if (this.isOutOfSpace === isFull) return;
    this.isOutOfSpace = isFull;
    process.nextTick(() => this.options.onFull?.(isFull));
  }

  /** As `fail`, if it is the database in use: one that was replaced can damage nothing any more. */
  private failBy(database: StateDatabase, error: unknown): Error {
    return database === this.database ? this.fail(error) : stateErrorOf(database.directory, error);
  }

  private fail(error: unknown): StateFailedError | CorruptStateError {
    if (this.failure) return this.failure;
    const cause = stateErrorOf(this.database.directory, error);
    const isOwn = cause instanceof CorruptStateError || cause instanceof StateFailedError;
    const failure = isOwn ? cause : new StateFailedError(this.database.directory, cause);
    this.failure = failure;
    clearTimeout(this.timer);
    const waiting = this.waiting.splice(0);
    process.nextTick(() => {
      for (const { done } of waiting) done(failure);
      this.options.onFailure?.(failure);
    });
    return failure;
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    return this.afterOthers(() => {
      if (this.failure) throw this.failure;
      return work();
    });
  }

  private async afterOthers<T>(work: () => Promise<T>): Promise<T> {
    const run = this.turn.then(work);
    this.turn = run.catch((error: unknown) => {
      if (error instanceof UnknownPointerError) this.fail(error);
    });
    return run;
  }
}

function sizesOf(options: StateStoreOptions): StateDatabaseOptions {
  return {
    writeBufferBytes: options.writeBufferBytes ?? 8 * MEBIBYTE,
    cacheBytes: options.cacheBytes ?? 32 * MEBIBYTE,
  };
}

async function allOf(pages: AsyncIterable<readonly Row[]>): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const page of pages) rows.push(...page);
  return rows;
}

/** The first state, empty. A crash before the pointer is there leaves a database without a description, which is begun anew. */
async function begin(home: StateHome, options: StateStoreOptions): Promise<void> {
  const first = databaseName(1);
  const database = await StateDatabase.create(home.pathOf(first), sizesOf(options));
  try {
    if (home.hasOtherThan(first) || (await database.description()) !== undefined) {
      throw new CorruptStateError(
        home.directory,
        `there are states, and nothing says which one counts: ${join(home.directory, 'pointer')} is missing`,
      );
    }
    await home.syncNames(first);
  } finally {
    await database.close();
  }
  await home.point({ current: first, staged: undefined });
}
