import type { Entry, LogIndex, Term } from './entry.js';
import { invariant } from './errors.js';
import { TermRuns, type TermRun } from './term-runs.js';

/** What an entry costs beside its data: its header on the wire, on the disk and in memory, roughly. */
const ENTRY_OVERHEAD_BYTES = 32;

export function entryBytes(entry: Entry): number {
  return entry.data.byteLength + ENTRY_OVERHEAD_BYTES;
}

/** The position just before the first entry; (0, 0) for a log that was never compacted. */
export interface LogBase {
  readonly index: LogIndex;
  readonly term: Term;
}

/** A log as found on the disk. Everything in it is synced. */
export interface RestoredLog {
  readonly base: LogBase;
  readonly lastIndex: LogIndex;
  /** Covers every index in `(base.index, lastIndex]`. */
  readonly termRuns: readonly TermRun[];
  /** The tail that is kept in memory; it ends at `lastIndex` and holds at least what is not applied yet. */
  readonly tail: readonly Entry[];
}

export const emptyLog: RestoredLog = { base: { index: 0, term: 0 }, lastIndex: 0, termRuns: [], tail: [] };

/**
 * The log as the core sees it: every index and term from `base` on, the entries themselves only for the
 * tail. What is older was persisted and applied; the driver reads it back from the disk for a follower that needs it.
 *
 * `base.index <= persistedIndex <= lastIndex`. Everything up to `persistedIndex` is on the disk;
 * `(persistedIndex, lastIndex]` is being written or waits for it. Only while a snapshot that has replaced the log is on its way
 * to the disk, `persistedIndex` is 0: what the disk holds is another log.
 */
export class RaftLog {
  private start: LogBase;
  private terms: TermRuns;
  private tail: Entry[];
  private tailFirstIndex: LogIndex;
  private tailBytes: number;
  private last: LogIndex;
  private persisted: LogIndex;
  /** Everything below was handed to the disk. */
  private nextToPersist: LogIndex;
  /** The end of the batch that the disk is writing; a truncation behind it takes back what it would prove. */
  private persistingThrough: LogIndex;

  constructor(restored: RestoredLog = emptyLog) {
    this.start = restored.base;
    this.last = restored.lastIndex;
    this.terms = new TermRuns(restored.termRuns);
    this.tail = [...restored.tail];
    this.tailFirstIndex = restored.lastIndex - restored.tail.length + 1;
    this.tailBytes = restored.tail.reduce((sum, entry) => sum + entryBytes(entry), 0);
    this.persisted = restored.lastIndex;
    this.nextToPersist = restored.lastIndex + 1;
    this.persistingThrough = restored.lastIndex;
    invariant(
      restored.tail.length === 0 || restored.tail[0]!.index === this.tailFirstIndex,
      () => `the restored tail begins at ${restored.tail[0]!.index}, not at ${this.tailFirstIndex}`,
    );
  }

  /** Of the entries that are kept in memory. */
  get bytesInMemory(): number {
    return this.tailBytes;
  }

  /** What lies at its index or before was committed, and is here no more. It moves with compaction and snapshots. */
  get base(): LogBase {
    return this.start;
  }

  get firstIndex(): LogIndex {
    return this.base.index + 1;
  }

  get lastIndex(): LogIndex {
    return this.last;
  }

  get lastTerm(): Term {
    return this.termAt(this.last);
  }

  get persistedIndex(): LogIndex {
    return this.persisted;
  }

  get hasUnpersisted(): boolean {
    return this.nextToPersist <= this.last;
  }

  /** The term of the entry at `index`, for `base.index <= index <= lastIndex`. */
  termAt(index: LogIndex): Term {
    if (index === this.base.index) return this.base.term;
    invariant(
      index > this.base.index && index <= this.last,
      () => `term of index ${index} asked, the log holds (${this.base.index}, ${this.last}]`,
    );
    return this.terms.termAt(index);
  }

  /** Whether this log has an entry with that index and term. What lies before the base was committed, so it matches. */
  matches(index: LogIndex, term: Term): boolean {
    if (index < this.base.index) return true;
    return index <= this.last && this.termAt(index) === term;
  }

  /** Section 5.4.1: the later last term wins; at equal terms the longer log does. */
  isUpToDate(lastLogIndex: LogIndex, lastLogTerm: Term): boolean {
    return lastLogTerm > this.lastTerm || (lastLogTerm === this.lastTerm && lastLogIndex >= this.last);
  }

  firstIndexOfTermAt(index: LogIndex): LogIndex {
    return Math.max(this.terms.firstIndexOfTermAt(index), this.firstIndex);
  }

  lastIndexOfTerm(term: Term): LogIndex | undefined {
    return this.terms.lastIndexOfTerm(term, this.last) ?? (term === this.base.term ? this.base.index : undefined);
  }

  /** Adds entries behind the last one. */
  append(entries: readonly Entry[]): void {
    for (const entry of entries) {
      invariant(entry.index === this.last + 1, () => `entry ${entry.index} appended behind ${this.last}`);
      invariant(
        entry.term >= this.lastTerm,
        () => `entry ${entry.index} has term ${entry.term}, below the last term ${this.lastTerm}`,
      );
      this.terms.append(entry.index, entry.term);
      this.tail.push(entry);
      this.tailBytes += entryBytes(entry);
      this.last = entry.index;
    }
  }

  /** Forgets the entry at `index` and all behind it (section 5.3: a conflict with the leader's log). */
  truncateFrom(index: LogIndex): void {
    invariant(index > this.base.index, () => `truncation at ${index}, at or below the base ${this.base.index}`);
    if (index > this.last) return;
    const keep = Math.max(0, index - this.tailFirstIndex);
    for (let i = keep; i < this.tail.length; i++) this.tailBytes -= entryBytes(this.tail[i]!);
    this.tail.length = keep;
    if (index < this.tailFirstIndex) this.tailFirstIndex = index;
    this.terms.truncateFrom(index);
    this.last = index - 1;
    this.nextToPersist = Math.min(this.nextToPersist, index);
    this.persisted = Math.min(this.persisted, index - 1);
    this.persistingThrough = Math.min(this.persistingThrough, index - 1);
  }

  /** Forgets the entries up to `index`, which is on the disk, and applied; it becomes the base. */
  compactThrough(index: LogIndex): void {
    if (index <= this.base.index) return;
    invariant(index <= this.persisted, () => `compaction up to ${index}, persisted is ${this.persisted}`);
    this.start = { index, term: this.termAt(index) };
    this.terms.compactThrough(index);
    this.drop(index - this.tailFirstIndex + 1);
  }

  /** A snapshot takes the place of the whole log, which begins anew behind it. Nothing of it is on the disk yet. */
  restore(base: LogBase): void {
    invariant(
      base.index > this.base.index,
      () => `a snapshot of ${base.index}, at or below the base ${this.base.index}`,
    );
    this.start = base;
    this.terms = new TermRuns([]);
    this.tail = [];
    this.tailBytes = 0;
    this.tailFirstIndex = base.index + 1;
    this.last = base.index;
    this.nextToPersist = base.index + 1;
    this.persisted = 0;
    this.persistingThrough = 0;
  }

  /**
   * Entries from `from` to at most `to`, no more than `bytesMax` but at least one; undefined when they are no
   * longer in memory. `from` is at most `lastIndex`.
   */
  slice(from: LogIndex, to: LogIndex, bytesMax: number): readonly Entry[] | undefined {
    if (from < this.tailFirstIndex) return undefined;
    const start = from - this.tailFirstIndex;
    const stop = Math.min(to, this.last) - this.tailFirstIndex + 1;
    let end = start;
    let bytes = 0;
    while (end < stop) {
      bytes += entryBytes(this.tail[end]!);
      if (bytes > bytesMax && end > start) break;
      end++;
    }
    return this.tail.slice(start, end);
  }

  /** What the disk has not been given yet. One batch at a time: `markPersisted` must come before the next one. */
  takeUnpersisted(): readonly Entry[] {
    const entries = this.tail.slice(this.nextToPersist - this.tailFirstIndex);
    this.nextToPersist = this.last + 1;
    this.persistingThrough = this.last;
    return entries;
  }

  /** The batch handed out last is synced. What was truncated in the meantime is not counted. */
  markPersisted(): void {
    this.persisted = Math.max(this.persisted, this.persistingThrough);
  }

  /**
   * Once the tail exceeds `bytesMax`, drops entries up to `through` from memory, oldest first. Only persisted ones go.
   * It drops a quarter more than it must, so that moving the rest is paid for by many appends.
   */
  evict(through: LogIndex, bytesMax: number): void {
    if (this.tailBytes <= bytesMax) return;
    const limit = Math.min(through, this.persisted) - this.tailFirstIndex + 1;
    const target = bytesMax * 0.75;
    let count = 0;
    let bytes = this.tailBytes;
    while (count < limit && bytes > target) bytes -= entryBytes(this.tail[count++]!);
    this.drop(count);
  }

  /** Drops the first entries of the tail from memory; no effect unless `count` is positive. */
  private drop(count: number): void {
    if (count <= 0) return;
    for (let i = 0; i < count; i++) this.tailBytes -= entryBytes(this.tail[i]!);
    this.tail = this.tail.slice(count);
    this.tailFirstIndex += count;
  }
}
