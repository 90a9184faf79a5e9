import type { Entry, HardState, LogIndex } from '@app/raft';
import type { Done } from './completion.js';
import { writeDurably, type Disk } from './disk.js';
import { DiskError, LogFailedError } from './errors.js';
import { bodyStart, frameBytesOf, sealFrame } from './frame.js';
import type { LogIdentity } from './log-scan.js';
import { entryBodyBytes, hardStateBody, RecordType, writeEntryBody, type LogPosition } from './record.js';
import { emptyBodyBytes, sealFrameSizes } from './seal.js';
import { createSegment, type NewSegment } from './segment-creation.js';
import type { Segment } from './segment.js';
import { zeros } from './zeros.js';

export interface LogLimits {
  readonly segmentBytesMax: number;
  readonly preallocateBytes: number;
  readonly groupBytesMax: number;
}

/**
 * Called inside the calls and completions of the log. It holds no clock: whoever wants to know how long a write takes, or has been under
 * way, looks at one in `onWriteStart` and `onWriteEnd`.
 */
export interface LogObserver {
  /** A write with its sync begins, or a segment is being created. The next call is the `onWriteEnd` of it: there is one at a time. */
  onWriteStart?(): void;
  /** It has ended: it is durable, or it found no space (`onFull` follows), or the log has failed. */
  onWriteEnd?(isDurable: boolean): void;
  /** One write and sync completed. A seal counts as no record. */
  onSync?(records: number, bytes: number): void;
  /** A write found no space, and waits for `retry`; or one has now succeeded that had waited. Never twice the same. */
  onFull?(isFull: boolean): void;
  /** A segment was added or removed. */
  onSegments?(segments: number, sizeBytes: number): void;
}

/** The end of what the disk was given: what the next record follows. */
export interface LogEnd {
  readonly nextSequence: number;
  readonly checksum: number;
  readonly last: LogPosition;
  readonly hardState: HardState;
}

/** The end that a start has found. */
export interface FoundEnd extends LogEnd {
  readonly isSealed: boolean;
}

interface HardStateRecord {
  readonly kind: 'hardState';
  readonly hardState: HardState;
  readonly body: Uint8Array;
  readonly frameBytes: number;
}

interface EntryRecord {
  readonly kind: 'entry';
  readonly entry: Entry;
  readonly previous: LogPosition;
  readonly frameBytes: number;
}

/** The log begins anew, with a segment of its own. Term and vote are those of the record before. */
interface ResetRecord {
  readonly kind: 'reset';
  readonly base: LogPosition;
  readonly hardState: HardState;
  readonly frameBytes: 0;
}

/** All before it is durable. */
interface SealRecord {
  readonly kind: 'seal';
  readonly frameBytes: number;
}

export type LogRecord = HardStateRecord | EntryRecord | ResetRecord;

export function hardStateRecord(hardState: HardState): LogRecord {
  const body = hardStateBody(hardState);
  return { kind: 'hardState', hardState, body, frameBytes: frameBytesOf(body.length) };
}

export function entryRecord(entry: Entry, previous: LogPosition): LogRecord {
  return { kind: 'entry', entry, previous, frameBytes: frameBytesOf(entryBodyBytes(entry)) };
}

export function resetRecord(base: LogPosition, hardState: HardState): LogRecord {
  return { kind: 'reset', base, hardState, frameBytes: 0 };
}

interface QueuedBatch {
  readonly records: readonly LogRecord[];
  readonly done: Done;
  /** How many of the records were given to the disk. */
  taken: number;
}

interface PlacedRecord {
  readonly record: HardStateRecord | EntryRecord | SealRecord;
  readonly offset: number;
}

/** What goes out with one write and one sync, all into the last segment. */
interface Group {
  readonly records: PlacedRecord[];
  readonly completed: QueuedBatch[];
  bytes: number;
}

const SCRATCH_BYTES = 16 * 1024;

/** Puts records on the disk, in order, as many with each sync as are waiting when it starts. */
export class LogWriter {
  private readonly queue: QueuedBatch[] = [];
  private end: LogEnd;
  private isBusy = false;
  private failedWith: LogFailedError | undefined;
  /** The step that found no space, while it waits to be taken again. */
  private outOfSpace: { readonly error: Error; readonly again: () => void } | undefined;
  private isWaitingForSpace = false;
  private isClosing = false;
  /** Nothing was written since the last seal. */
  private isSealed: boolean;
  private waitingBytes = 0;
  private readonly scratch = new Uint8Array(SCRATCH_BYTES);
  private placed: LogIndex;

  constructor(
    private readonly disk: Disk,
    private readonly identity: LogIdentity,
    /** Never empty; the last one is written to. */
    private readonly segments: Segment[],
    end: FoundEnd,
    private readonly limits: LogLimits,
    private readonly observer: LogObserver,
    /** After every step: something was placed, or the writer failed, or it is idle. */
    private readonly onProgress: () => void,
  ) {
    this.end = end;
    this.isSealed = end.isSealed;
    this.placed = end.last.index;
  }

  get failure(): LogFailedError | undefined {
    return this.failedWith;
  }

  get isIdle(): boolean {
    return !this.isBusy && this.queue.length === 0;
  }

  /** A write has found no space, and none has succeeded since. */
  get isFull(): boolean {
    return this.isWaitingForSpace;
  }

  /** Given to `add` and not durable yet, as it lies on disk. */
  get pendingBytes(): number {
    return this.waitingBytes;
  }

  /** Entries up to here are durable, and nothing that waits replaces them. */
  get placedIndex(): LogIndex {
    return this.placed;
  }

  /** `done` comes after those of all earlier batches, and inside this call only if nothing is left to wait for. Not to be called after a failure. */
  add(records: readonly LogRecord[], done: Done): void {
    for (const { frameBytes } of records) this.waitingBytes += frameBytes;
    const batch = { records, done, taken: 0 };
    this.placed = Math.min(this.placed, placedBelow(batch));
    this.queue.push(batch);
    this.pump();
  }

  /**
   * Proves that all before is durable, by a record behind it that is synced. Completes at once if nothing was written since the last seal,
   * or if something is under way: what follows it is the proof, or is to be sealed itself.
   */
  seal(done: Done): void {
    if (this.failedWith) return done(this.failedWith);
    if (!this.isIdle || this.isSealed) return done(undefined);
    const group: Group = { records: [], completed: [{ records: [], done, taken: 0 }], bytes: 0 };
    const { endOffset } = this.segments.at(-1)!;
    for (const frameBytes of sealFrameSizes(endOffset)) {
      group.records.push({ record: { kind: 'seal', frameBytes }, offset: endOffset + group.bytes });
      group.bytes += frameBytes;
    }
    // Ahead of what is appended meanwhile, and counted with it.
    this.queue.push(...group.completed);
    this.waitingBytes += group.bytes;
    this.isBusy = true;
    this.write(group);
  }

  /** Takes the step again that found no space. */
  retry(): void {
    const step = this.outOfSpace;
    if (!step) return;
    this.outOfSpace = undefined;
    step.again();
  }

  /** From now on nothing waits for space: what does, or comes to, fails. */
  close(): void {
    this.isClosing = true;
    if (this.outOfSpace) this.fail(this.outOfSpace.error);
  }

  /** Nothing more is written; everything that waits ends with this error. */
  fail(cause: Error): void {
    if (this.failedWith) return;
    this.failedWith = new LogFailedError(cause);
    if (this.outOfSpace) {
      // No step is under way that could end.
      this.outOfSpace = undefined;
      this.isBusy = false;
    }
    this.isWaitingForSpace = false;
    for (const { done } of this.queue.splice(0)) done(this.failedWith);
    this.onProgress();
  }

  private pump(): void {
    while (!this.isBusy && !this.failedWith && this.queue.length > 0) {
      const group = this.takeGroup();
      this.isBusy = true;
      if (group.records.length > 0) return this.write(group);
      if (group.completed.length === 0) return this.startSegment();
      this.finish(group);
    }
  }

  /** The longest run of waiting records that goes into the last segment. Empty if the first one needs a new segment. */
  private takeGroup(): Group {
    const group: Group = { records: [], completed: [], bytes: 0 };
    const segment = this.segments.at(-1)!;
    for (const batch of this.queue) {
      for (; batch.taken < batch.records.length; batch.taken += 1) {
        const record = batch.records[batch.taken]!;
        const isFull = group.bytes > 0 && group.bytes + record.frameBytes > this.limits.groupBytesMax;
        if (record.kind === 'reset' || isFull || !this.fits(record, segment, group.bytes)) return group;
        group.records.push({ record, offset: segment.endOffset + group.bytes });
        group.bytes += record.frameBytes;
      }
      group.completed.push(batch);
    }
    return group;
  }

  private fits(record: LogRecord, segment: Segment, groupBytes: number): boolean {
    // All entries of a segment are above its base, or its base would not tell where the log starts once it is the first.
    if (record.kind === 'entry' && record.entry.index <= segment.base.index) return false;
    const start = segment.endOffset + groupBytes;
    // A segment without records takes any: a large record gets a segment of its own size.
    return start === segment.headerBytes || start + record.frameBytes <= this.limits.segmentBytesMax;
  }

  private write(group: Group): void {
    const segment = this.segments.at(-1)!;
    const start = segment.endOffset;
    const end = start + group.bytes;
    const { bytes, checksum } = this.encode(group, segment);
    const buffers = [bytes];
    let { fileBytes } = segment;
    if (end > fileBytes) {
      fileBytes = Math.max(end, Math.min(this.limits.segmentBytesMax, end + this.limits.preallocateBytes));
      buffers.push(...zeros(fileBytes - end));
    }
    const attempt = (): void => {
      this.observer.onWriteStart?.();
      writeDurably(segment.file, start, buffers, (error) => {
        if (error || this.failedWith) return this.stop(error, attempt);
        this.written();
        segment.endOffset = end;
        segment.fileBytes = fileBytes;
        this.place(group, segment, checksum);
        this.isSealed = group.records[0]!.record.kind === 'seal';
        this.observer.onSync?.(this.isSealed ? 0 : group.records.length, group.bytes);
        this.finish(group);
        this.pump();
      });
    };
    attempt();
  }

  private encode(group: Group, segment: Segment): { bytes: Uint8Array; checksum: number } {
    const bytes = this.buffer(group.bytes);
    let sequence = this.end.nextSequence;
    const syncedThrough = sequence - 1;
    let checksum = this.end.checksum;
    for (const { record, offset } of group.records) {
      const at = offset - segment.endOffset;
      if (record.kind === 'entry') writeEntryBody(bytes, at + bodyStart, record.entry);
      else if (record.kind === 'hardState') bytes.set(record.body, at + bodyStart);
      checksum = sealFrame(bytes, at, offset, segment.salt, {
        type: typeOf[record.kind],
        bodyBytes: bodyBytesOf(record),
        sequence,
        syncedThrough,
        previousChecksum: checksum,
      });
      sequence += 1;
    }
    return { bytes, checksum };
  }

  /** Zeros. There is only ever one write under way, so small ones share their memory. */
  private buffer(bytes: number): Uint8Array {
    return bytes <= this.scratch.length ? this.scratch.subarray(0, bytes).fill(0) : new Uint8Array(bytes);
  }

  private place({ records }: Group, segment: Segment, checksum: number): void {
    let { last, hardState } = this.end;
    for (const { record, offset } of records) {
      if (record.kind === 'entry') {
        last = record.entry;
        segment.putEntry(last.index, offset, record.frameBytes);
      } else if (record.kind === 'hardState') hardState = record.hardState;
    }
    this.end = {
      nextSequence: this.end.nextSequence + records.length,
      checksum,
      last: { index: last.index, term: last.term },
      hardState,
    };
  }

  /** Completions come while the writer still counts as busy: what they append gathers for one next group. */
  private finish(group: Group): void {
    this.queue.splice(0, group.completed.length);
    this.waitingBytes -= group.bytes;
    this.placed = this.queue.reduce((lowest, batch) => Math.min(lowest, placedBelow(batch)), this.end.last.index);
    for (const { done } of group.completed) done(undefined);
    this.isBusy = false;
    this.onProgress();
  }

  /** The step under way ended well. */
  private written(): void {
    this.observer.onWriteEnd?.(true);
    if (!this.isWaitingForSpace) return;
    this.isWaitingForSpace = false;
    this.observer.onFull?.(false);
  }

  /**
   * The step under way ended, with an error of its own or after another one failed the log. With `again` it has left nothing that would be
   * in the way of taking it again, if space was all that it wanted.
   */
  private stop(cause: Error | undefined, again?: () => void): void {
    this.observer.onWriteEnd?.(false);
    if (again && !this.failedWith && cause instanceof DiskError && cause.isOutOfSpace && !this.isClosing) {
      return this.waitForSpace(cause, again);
    }
    this.isBusy = false;
    if (cause && !this.failedWith) this.fail(cause);
    else this.onProgress();
  }

  private waitForSpace(error: Error, again: () => void): void {
    this.outOfSpace = { error, again };
    if (this.isWaitingForSpace) return;
    this.isWaitingForSpace = true;
    this.observer.onFull?.(true);
  }

  private startSegment(): void {
    const { records, taken } = this.queue[0]!;
    const record = records[taken]!;
    const base = baseFor(record, this.end.last);
    const isReset = record.kind === 'reset';
    const { nextSequence, checksum } = this.end;
    const hardState = isReset ? record.hardState : this.end.hardState;
    const plan: NewSegment = {
      header: { ...this.identity, segment: this.segments.at(-1)!.segment + 1, base, hardState },
      isReset,
      sequence: nextSequence,
      previousChecksum: checksum,
      fileBytes: Math.max(record.frameBytes, Math.min(this.limits.preallocateBytes, this.limits.segmentBytesMax)),
    };
    const attempt = (): void => {
      this.observer.onWriteStart?.();
      createSegment(this.disk, plan, (error, segment) => {
        if (error) return this.stop(error, attempt);
        if (this.failedWith) {
          segment.retire();
          return this.stop(undefined);
        }
        this.written();
        for (const older of this.segments) older.truncateAfter(base.index);
        this.segments.push(segment);
        this.end = { nextSequence: nextSequence + 1, checksum: segment.salt, last: base, hardState };
        this.isSealed = false;
        this.observer.onSegments?.(this.segments.length, sizeBytesOf(this.segments));
        if (isReset) this.finishReset();
        else this.isBusy = false;
        this.pump();
      });
    };
    attempt();
  }

  /** The header of the segment is all there is to a reset: it is complete before anything that follows it is written. */
  private finishReset(): void {
    const batch = this.queue[0]!;
    batch.taken += 1;
    this.finish({ records: [], completed: [batch], bytes: 0 });
  }
}

const typeOf = {
  entry: RecordType.Entry,
  hardState: RecordType.HardState,
  seal: RecordType.Seal,
} as const;

function bodyBytesOf(record: PlacedRecord['record']): number {
  if (record.kind === 'entry') return entryBodyBytes(record.entry);
  return record.kind === 'hardState' ? record.body.length : emptyBodyBytes(record.frameBytes);
}

export function sizeBytesOf(segments: readonly Segment[]): number {
  return segments.reduce((sum, { fileBytes }) => sum + fileBytes, 0);
}

function baseFor(record: LogRecord, last: LogPosition): LogPosition {
  if (record.kind === 'reset') return record.base;
  return record.kind === 'entry' ? record.previous : last;
}

/** Up to where a batch leaves the entries alone that are on disk. */
function placedBelow({ records, taken }: QueuedBatch): LogIndex {
  for (let at = taken; at < records.length; at += 1) {
    const record = records[at]!;
    if (record.kind === 'entry') return record.entry.index - 1;
    if (record.kind === 'reset') return record.base.index;
  }
  return Infinity;
}
