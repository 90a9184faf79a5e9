import type { Entry, HardState, LogIndex, Term, TermRun } from '@app/raft';
import type { Done, DoneWith } from './completion.js';
import type { Disk, DiskLock } from './disk.js';
import { IndexCompactedError, LogClosedError } from './errors.js';
import { ConfigurationEntries } from './configuration-entries.js';
import { checkBatch, checkReset, type LogBatch } from './log-batch.js';
import { readEntries } from './log-reader.js';
import { INITIAL_HARD_STATE, LogScan, type LogIdentity } from './log-scan.js';
import {
  entryRecord,
  hardStateRecord,
  LogWriter,
  resetRecord,
  sizeBytesOf,
  type LogLimits,
  type LogObserver,
  type LogRecord,
} from './log-writer.js';
import type { LogPosition } from './record.js';
import { recover, type RecoveredLog, type TornTail } from './recovery.js';
import { createSegment, type NewSegment } from './segment-creation.js';
import type { Segment } from './segment.js';
import { TermRuns } from './term-runs.js';

export interface WriteAheadLogOptions extends LogIdentity {
  /** A full segment is followed by the next; only whole segments are ever removed. Default 64 MiB, at most 1 GiB. */
  readonly segmentBytesMax?: number;
  /** The file grows ahead of its records by zeros in such steps, so that most syncs have no metadata to write. Default 1 MiB. */
  readonly preallocateBytes?: number;
  /** As much goes into one write and sync, or one record if it is larger; the rest waits for the next. Default 8 MiB. */
  readonly groupBytesMax?: number;
  readonly observer?: LogObserver;
}

/** What opening the log found, for the line that the process logs about it. */
export interface RecoverySummary {
  readonly isNew: boolean;
  readonly segments: number;
  readonly records: number;
  /**
   * The tail that was cut off. A crash tore it while it was being written, and nobody was ever told that it was stored; unless the disk has
   * lost what it reported as synced, of the last group before the log was sealed. The two look alike: worth a warning, not more.
   */
  readonly cut: TornTail | undefined;
  /** The log ended with a seal, as after a clean end: it holds all that was ever acknowledged. */
  readonly isSealed: boolean;
}

const MEBIBYTE = 1024 * 1024;
const SEGMENT_BYTES_LIMIT = 1024 * MEBIBYTE;

/**
 * The Raft log on a disk: entries and hard state in one stream of records, cut into segments (docs/storage.md has the format).
 *
 * A completion without an error means that the batch and all before it are durable. Everything that queues up while one write and
 * sync is under way goes into the next one. After the first failed write or sync the log has failed for good: every later call
 * ends with that `LogFailedError`, until the process starts anew and reads what is really there. Only a write that finds no space is
 * no failure: it waits, with all that follows it, until it is told to try again (`isFull`, `retry`).
 *
 * It starts nothing by itself: whatever it does happens inside a call of its own or a completion of its disk.
 */
export class WriteAheadLog {
  readonly recovery: RecoverySummary;
  /** The random name that this log was created with. */
  readonly incarnation: string;
  private readonly observer: LogObserver;
  private readonly segments: Segment[];
  /** Log and hard state as given to `append`, ahead of the disk. */
  private runs: TermRuns;
  private current: HardState;
  private readonly configurations: ConfigurationEntries;
  private readonly writer: LogWriter;
  private readonly waitingReads: (() => void)[] = [];
  private readonly removals: { readonly throughIndex: LogIndex; readonly done: Done }[] = [];
  /** Reads and removals under way. */
  private operations = 0;
  private isRemoving = false;
  private resetsUnderWay = 0;
  /** The next removal goes on when the log has begun anew. */
  private isRemovalWaiting = false;
  private closing: Done | undefined;
  private isSealing = false;
  private isClosed = false;

  private constructor(
    private readonly disk: Disk,
    private readonly lock: DiskLock,
    options: WriteAheadLogOptions,
    { scan, cut }: RecoveredLog,
    isNew: boolean,
  ) {
    this.segments = scan.segments;
    this.runs = scan.runs;
    this.configurations = scan.configurations;
    // A hard state is written before the entries of its batch: after a crash its commit index may be ahead of them.
    this.current = { ...scan.hardState, commitIndex: Math.min(scan.hardState.commitIndex, this.runs.lastIndex) };
    this.incarnation = scan.incarnation ?? options.incarnation;
    this.recovery = { isNew, segments: this.segments.length, records: scan.records, cut, isSealed: scan.isSealed };
    this.observer = options.observer ?? {};
    this.writer = new LogWriter(
      disk,
      { clusterId: options.clusterId, nodeId: options.nodeId, incarnation: this.incarnation },
      this.segments,
      {
        nextSequence: scan.nextSequence,
        checksum: scan.checksum,
        last: { index: this.runs.lastIndex, term: this.runs.lastTerm },
        hardState: this.current,
        isSealed: scan.isSealed,
      },
      limitsOf(options),
      this.observer,
      () => this.progress(),
    );
  }

  /**
   * Locks the directory and opens its log, or creates one. A torn tail is cut and everything that was found is made durable. Ends
   * with `DirectoryLockedError`, `CorruptLogError`, `ForeignLogError` or `DiskError`, and then holds nothing.
   */
  static open(disk: Disk, options: WriteAheadLogOptions, done: DoneWith<WriteAheadLog>): void {
    const limits = limitsOf(options);
    disk.lock((lockError, lock) => {
      if (lockError) return done(lockError, undefined);
      const fail = (error: Error): void => lock.release(() => done(error, undefined));
      const finish = (recovered: RecoveredLog, isNew: boolean): void =>
        done(undefined, new WriteAheadLog(disk, lock, options, recovered, isNew));
      recover(disk, options, (error, recovered) => {
        if (error) return fail(error);
        if (recovered) return finish(recovered, false);
        create(disk, options, limits, (createError, scan) =>
          createError ? fail(createError) : finish({ scan, cut: undefined }, true),
        );
      });
    });
  }

  /** The entry before the first one; index and term 0 in a log that never lost its prefix. */
  get base(): LogPosition {
    return this.runs.base;
  }

  /** Counts what was given to `append`, durable or not; `base.index` when there are no entries. */
  get lastIndex(): LogIndex {
    return this.runs.lastIndex;
  }

  get lastTerm(): Term {
    return this.runs.lastTerm;
  }

  /** What was given to `append` last, durable or not. After a start its `commitIndex` is never above `lastIndex`. */
  get hardState(): HardState {
    return this.current;
  }

  /** Of all segments on disk. */
  get sizeBytes(): number {
    return sizeBytesOf(this.segments);
  }

  /** The entry up to which the log can be removed so that at most `bytes` of it stay on the disk, or its last segment if that is larger. */
  prefixBeyond(bytes: number): LogIndex {
    let first = this.segments.length - 1;
    let sum = this.segments[first]!.fileBytes;
    while (first > 0 && sum + this.segments[first - 1]!.fileBytes <= bytes) sum += this.segments[--first]!.fileBytes;
    return this.segments[first]!.base.index;
  }

  /** Given to `append` and not durable yet. The queue has no bound of its own: whoever appends keeps one by this. */
  get pendingBytes(): number {
    return this.writer.pendingBytes;
  }

  /**
   * A write has found no space on the disk and waits, and everything that was appended behind it. Reads and removals go on. It ends when
   * `retry` finds space.
   */
  get isFull(): boolean {
    return this.writer.isFull;
  }

  /** The first failure, for good. */
  get failure(): Error | undefined {
    return this.writer.failure;
  }

  /** Of the entries and of `base`; undefined for any other index. */
  termAt(index: LogIndex): Term | undefined {
    return this.runs.termAt(index);
  }

  /** The terms of all entries; covers every index above the base up to the last. */
  get termRuns(): readonly TermRun[] {
    return this.runs.toArray();
  }

  /**
   * The entries of type `Configuration`, lowest index first, as given to `append`, durable or not. The list and its bytes never change: a
   * change of the log gives a new list.
   */
  get configurationEntries(): readonly Entry[] {
    return this.configurations.all;
  }

  /**
   * Completes once the batch is durable, in the order of the calls; inside the call only if there is nothing to wait for or the log
   * has failed. The arrays must not change until then. An empty batch completes
   * with the batch before it. What a crash leaves of a batch that did not complete is a prefix: its hard state, the log without the
   * entries that it replaces, then its entries one by one. Throws a `RangeError`, and takes nothing, when the batch breaks a rule of Raft's (see `checkBatch`):
   * that is a fault of the caller which must not become durable.
   */
  append(batch: LogBatch, done: Done): void {
    const refusal = this.refusal();
    if (refusal) return done(refusal);
    checkBatch(batch, this.runs, this.current);
    const records: LogRecord[] = [];
    if (batch.hardState) {
      this.current = { ...batch.hardState };
      records.push(hardStateRecord(this.current));
    }
    for (const entry of batch.entries ?? []) {
      const previous = { index: entry.index - 1, term: this.runs.termAt(entry.index - 1)! };
      this.runs.put(entry.index, entry.term);
      this.configurations.put(entry);
      records.push(entryRecord(entry, previous));
    }
    this.writer.add(records, done);
  }

  /**
   * Forgets all entries and begins anew behind `base`: what a node does that has installed a snapshot and has it durable elsewhere.
   * Takes effect at once for what is called later (`lastIndex`, `termAt`, `append`), and completes once it is durable, in the order
   * of the calls. Batches appended before are completed first. The hard state is then the given one, or else the one of before,
   * with `base.index` as its `commitIndex`.
   *
   * A crash leaves either the old log whole, with the term and vote of before or the given ones, or the new empty one. Reads of old
   * entries end as after a truncation or a removal: with what they have read already, with nothing, or with
   * `IndexCompactedError`. The old segments are removed after the completion; until then they count in `sizeBytes`.
   *
   * Throws a `RangeError`, and changes nothing, when `base` is below the committed index or contradicts it, or when the hard state
   * breaks a rule as in `append` or claims to have committed more than `base`.
   */
  reset(base: LogPosition, hardState: HardState | undefined, done: Done): void {
    const refusal = this.refusal();
    if (refusal) return done(refusal);
    const { currentTerm, votedFor, commitIndex } = this.current;
    const next = hardState ?? this.current;
    checkReset(base, next, this.runs, this.current);
    const records: LogRecord[] = [];
    if (next.currentTerm !== currentTerm || next.votedFor !== votedFor) {
      // By itself, so that no segment begins with another term or vote than the one before it ended with. Not yet with the new
      // commit index: the old log may hold other entries there.
      records.push(hardStateRecord({ currentTerm: next.currentTerm, votedFor: next.votedFor, commitIndex }));
    }
    const { index, term } = base;
    this.current = { currentTerm: next.currentTerm, votedFor: next.votedFor, commitIndex: index };
    records.push(resetRecord({ index, term }, this.current));
    this.runs = new TermRuns({ index, term });
    this.configurations.clear();
    this.resetsUnderWay += 1;
    this.writer.add(records, (error) => {
      this.resetsUnderWay -= 1;
      done(error);
      if (!error) this.enqueueRemoval(index, () => undefined);
      if (this.isRemovalWaiting) this.removeNext();
    });
  }

  /**
   * The entries with `from <= index < to`: at least one, then as many as fit into `bytesMax` and are durable already. Waits for entry
   * `from` if it is still on its way to the disk. `IndexCompactedError` at or below the base, `CorruptLogError` if the disk
   * returns something else than was written. Throws a `RangeError` for entries that the log does not have.
   */
  read(from: LogIndex, to: LogIndex, bytesMax: number, done: DoneWith<readonly Entry[]>): void {
    const refusal = this.refusal();
    if (refusal) return done(refusal, undefined);
    if (from <= this.base.index) return done(new IndexCompactedError(from, this.base.index), undefined);
    if (from >= to || to > this.lastIndex + 1) {
      throw new RangeError(`no entries ${from} to ${to - 1}: the log ends with ${this.lastIndex}`);
    }
    const { placedIndex } = this.writer;
    if (from > placedIndex) {
      this.waitingReads.push(() => this.readAgain(from, to, bytesMax, done));
      return;
    }
    this.operations += 1;
    readEntries(this.segments, from, Math.min(to, placedIndex + 1), bytesMax, (...outcome) => {
      this.operations -= 1;
      done(...outcome);
      this.maybeClose();
    });
  }

  /**
   * Removes the oldest segments as long as all their entries are at or below `throughIndex`; never the last one. So `base` rises to
   * at most `throughIndex`, and entries above the base stay readable. Repeatable; a crash leaves a log without a hole.
   */
  removePrefix(throughIndex: LogIndex, done: Done): void {
    const refusal = this.refusal();
    if (refusal) return done(refusal);
    this.enqueueRemoval(throughIndex, done);
  }

  /**
   * Proves the end of the log, so that a later start takes no damage there for a torn write: writes and syncs a small record, or completes at
   * once if nothing was written since the last one, or if a write is under way or waits. To be called when the log has been idle
   * for a while; what is appended meanwhile waits for it.
   */
  seal(done: Done): void {
    const refusal = this.refusal();
    if (refusal) return done(refusal);
    this.writer.seal(done);
  }

  /** There may be space again: the write that found none is tried once more. Does nothing while `isFull` is false or a try is under way. */
  retry(): void {
    this.writer.retry();
  }

  /**
   * Completes what was appended before, seals the log, closes the files and releases the lock. Later calls end with `LogClosedError`. What
   * waits for space is not written any more: it ends with a `LogFailedError` whose cause says so.
   */
  close(done: Done): void {
    if (this.closing) return done(new LogClosedError());
    this.closing = done;
    this.writer.close();
    this.maybeClose();
  }

  private refusal(): Error | undefined {
    return this.closing ? new LogClosedError() : this.writer.failure;
  }

  /** The log may have been cut or have failed while the read was waiting. */
  private readAgain(from: LogIndex, to: LogIndex, bytesMax: number, done: DoneWith<readonly Entry[]>): void {
    if (this.writer.failure) return done(this.writer.failure, undefined);
    if (this.closing) return done(new LogClosedError(), undefined);
    if (from > this.lastIndex) return done(undefined, []);
    this.read(from, Math.min(to, this.lastIndex + 1), bytesMax, done);
  }

  private progress(): void {
    for (const read of this.waitingReads.splice(0)) read();
    this.maybeClose();
  }

  private enqueueRemoval(throughIndex: LogIndex, done: Done): void {
    this.removals.push({ throughIndex, done });
    if (this.isRemoving) return;
    this.isRemoving = true;
    this.operations += 1;
    this.removeNext();
  }

  /** One segment after the other, each name durably gone before the next: a crash must never leave a hole. */
  private removeNext(): void {
    const removal = this.removals[0];
    if (!removal) {
      this.isRemoving = false;
      this.operations -= 1;
      return this.maybeClose();
    }
    // The log that it speaks of is not the one whose segments are there.
    this.isRemovalWaiting = this.resetsUnderWay > 0 && !this.writer.failure;
    if (this.isRemovalWaiting) return;
    const finish = (error: Error | undefined): void => {
      this.removals.shift();
      removal.done(error);
      this.removeNext();
    };
    if (this.writer.failure) return finish(this.writer.failure);
    const [oldest, next] = this.segments;
    const through = Math.min(removal.throughIndex, this.writer.placedIndex);
    if (!oldest || !next || (!oldest.isEmpty && oldest.lastIndex > through)) return finish(undefined);
    const fail = (error: Error): void => {
      this.writer.fail(error);
      finish(this.writer.failure);
    };
    this.disk.remove(oldest.name, (removeError) => {
      if (removeError) return fail(removeError);
      this.disk.syncDirectory((syncError) => {
        if (syncError) return fail(syncError);
        this.segments.shift();
        oldest.retire();
        this.raiseBase();
        this.observer.onSegments?.(this.segments.length, this.sizeBytes);
        this.removeNext();
      });
    });
  }

  private raiseBase(): void {
    if (this.resetsUnderWay > 0) return;
    // Segments whose entries were all replaced say nothing about where the log starts.
    const first = this.segments.find((segment) => !segment.isEmpty) ?? this.segments.at(-1)!;
    if (first.base.index <= this.base.index) return;
    this.runs.removeThrough(first.base.index);
    this.configurations.removeThrough(first.base.index);
  }

  private maybeClose(): void {
    if (!this.closing || this.isClosed || this.operations > 0) return;
    if (!this.writer.isIdle) return;
    if (!this.isSealing) {
      this.isSealing = true;
      return this.writer.seal(() => this.maybeClose());
    }
    this.isClosed = true;
    for (const segment of this.segments) segment.retire();
    this.lock.release(this.closing);
  }
}

function create(disk: Disk, identity: LogIdentity, limits: LogLimits, done: DoneWith<LogScan>): void {
  const scan = new LogScan(identity);
  const { clusterId, nodeId, incarnation } = identity;
  const plan: NewSegment = {
    header: { clusterId, nodeId, incarnation, segment: 1, base: scan.runs.base, hardState: INITIAL_HARD_STATE },
    isReset: false,
    sequence: scan.nextSequence,
    previousChecksum: scan.checksum,
    fileBytes: Math.min(limits.preallocateBytes, limits.segmentBytesMax),
  };
  createSegment(disk, plan, (error, segment) => {
    if (error) return done(error, undefined);
    scan.segments.push(segment);
    scan.nextSequence += 1;
    scan.checksum = segment.salt;
    done(undefined, scan);
  });
}

function limitsOf(options: WriteAheadLogOptions): LogLimits {
  const limits = {
    segmentBytesMax: options.segmentBytesMax ?? 64 * MEBIBYTE,
    preallocateBytes: options.preallocateBytes ?? MEBIBYTE,
    groupBytesMax: options.groupBytesMax ?? 8 * MEBIBYTE,
  };
  for (const [name, value] of Object.entries(limits)) {
    if (!Number.isSafeInteger(value) || value < 1 || value > SEGMENT_BYTES_LIMIT) {
      throw new RangeError(`${name} is ${value}, not a number of bytes from 1 to ${SEGMENT_BYTES_LIMIT}`);
    }
  }
  return limits;
}
