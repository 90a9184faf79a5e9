import type { Entry, HardState, LogIndex } from '@app/raft';
import type { Done } from './completion.js';
import type { Disk } from './disk.js';
import { LogFailedError } from './errors.js';
import { bodyStart, frameBytesOf, sealFrame } from './frame.js';
import type { LogIdentity } from './log-scan.js';
import { entryBodyBytes, RecordType, writeEntryBody, type LogPosition } from './record.js';
import { createSegment } from './segment-creation.js';
import type { Segment } from './segment.js';
import { zeros } from './zeros.js';

export interface LogLimits {
  readonly segmentBytesMax: number;
  readonly preallocateBytes: number;
  readonly groupBytesMax: number;
}

export interface LogObserver {
  /** One write and sync completed. */
  onSync?(records: number, bytes: number): void;
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

export type LogRecord =
  | { readonly hardState: HardState; readonly body: Uint8Array }
  | { readonly entry: Entry; readonly previous: LogPosition };

interface QueuedBatch {
  readonly records: readonly LogRecord[];
  readonly done: Done;
  /** How many of the records were given to the disk. */
  taken: number;
}

interface PlacedRecord {
  readonly record: LogRecord;
  readonly offset: number;
  readonly frameBytes: number;
}

/** What goes out with one write and one sync, all into the last segment. */
interface Group {
  readonly records: PlacedRecord[];
  readonly completed: QueuedBatch[];
  bytes: number;
}

/** Puts records on the disk, in order, as many with each sync as are waiting when it starts. */
export class LogWriter {
  private readonly queue: QueuedBatch[] = [];
  private end: LogEnd;
  private isBusy = false;
  private failedWith: LogFailedError | undefined;
  private waitingBytes = 0;
  private placed: LogIndex;

  constructor(
    private readonly disk: Disk,
    private readonly identity: LogIdentity,
    /** Never empty; the last one is written to. */
    private readonly segments: Segment[],
    end: LogEnd,
    private readonly limits: LogLimits,
    private readonly observer: LogObserver,
    /** After every step: something was placed, or the writer failed, or it is idle. */
    private readonly onProgress: () => void,
  ) {
    this.end = end;
    this.placed = end.last.index;
  }

  get failure(): LogFailedError | undefined {
    return this.failedWith;
  }

  get isIdle(): boolean {
    return !this.isBusy && this.queue.length === 0;
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
    for (const record of records) this.waitingBytes += frameBytesOf(bodyBytesOf(record));
    const batch = { records, done, taken: 0 };
    this.placed = Math.min(this.placed, placedBelow(batch));
    this.queue.push(batch);
    this.pump();
  }

  /** Nothing more is written; everything that waits ends with this error. */
  fail(cause: Error): void {
    if (this.failedWith) return;
    this.failedWith = new LogFailedError(cause);
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
        const frameBytes = frameBytesOf(bodyBytesOf(record));
        const isFull = group.bytes > 0 && group.bytes + frameBytes > this.limits.groupBytesMax;
        if (isFull || !this.fits(record, frameBytes, segment, group.bytes)) return group;
        group.records.push({ record, offset: segment.endOffset + group.bytes, frameBytes });
        group.bytes += frameBytes;
      }
      group.completed.push(batch);
    }
    return group;
  }

  private fits(record: LogRecord, frameBytes: number, segment: Segment, groupBytes: number): boolean {
    // All entries of a segment are above its base, or its base would not tell where the log starts once it is the first.
    if ('entry' in record && record.entry.index <= segment.base.index) return false;
    const start = segment.endOffset + groupBytes;
    // A segment without records takes any: a large record gets a segment of its own size.
    return start === segment.headerBytes || start + frameBytes <= this.limits.segmentBytesMax;
  }

  private write(group: Group): void {
    const segment = this.segments.at(-1)!;
    const start = segment.endOffset;
    const end = start + group.bytes;
    const { bytes, checksum } = this.seal(group, segment);
    const buffers = [bytes];
    let { fileBytes } = segment;
    if (end > fileBytes) {
      fileBytes = Math.max(end, Math.min(this.limits.segmentBytesMax, end + this.limits.preallocateBytes));
      buffers.push(...zeros(fileBytes - end));
    }
    segment.file.write(start, buffers, (writeError) => {
      if (writeError || this.failedWith) return this.stop(writeError);
      segment.file.sync((syncError) => {
        if (syncError || this.failedWith) return this.stop(syncError);
        segment.endOffset = end;
        segment.fileBytes = fileBytes;
        this.place(group, segment, checksum);
        this.observer.onSync?.(group.records.length, group.bytes);
        this.finish(group);
        this.pump();
      });
    });
  }

  private seal(group: Group, segment: Segment): { bytes: Uint8Array; checksum: number } {
    const bytes = new Uint8Array(group.bytes);
    let sequence = this.end.nextSequence;
    const syncedThrough = sequence - 1;
    let checksum = this.end.checksum;
    for (const { record, offset } of group.records) {
      const at = offset - segment.endOffset;
      if ('entry' in record) writeEntryBody(bytes, at + bodyStart, record.entry);
      else bytes.set(record.body, at + bodyStart);
      checksum = sealFrame(bytes, at, offset, segment.salt, {
        type: 'entry' in record ? RecordType.Entry : RecordType.HardState,
        bodyBytes: bodyBytesOf(record),
        sequence,
        syncedThrough,
        previousChecksum: checksum,
      });
      sequence += 1;
    }
    return { bytes, checksum };
  }

  private place({ records }: Group, segment: Segment, checksum: number): void {
    let { last, hardState } = this.end;
    for (const { record, offset, frameBytes } of records) {
      if ('entry' in record) {
        last = record.entry;
        segment.putEntry(last.index, offset, frameBytes);
      } else hardState = record.hardState;
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

  /** The step under way ended, with an error of its own or after another one failed the log. */
  private stop(cause: Error | undefined): void {
    this.isBusy = false;
    if (cause && !this.failedWith) this.fail(cause);
    else this.onProgress();
  }

  private startSegment(): void {
    const { records, taken } = this.queue[0]!;
    const record = records[taken]!;
    const frameBytes = frameBytesOf(bodyBytesOf(record));
    const base = 'entry' in record ? record.previous : this.end.last;
    const { hardState, nextSequence, checksum } = this.end;
    const before = this.segments.at(-1)!;
    createSegment(
      this.disk,
      { ...this.identity, segment: before.segment + 1, base, hardState },
      { sequence: nextSequence, previousChecksum: checksum },
      Math.max(frameBytes, Math.min(this.limits.preallocateBytes, this.limits.segmentBytesMax)),
      (error, segment) => {
        if (error) return this.stop(error);
        if (this.failedWith) {
          segment.retire();
          return this.stop(undefined);
        }
        this.isBusy = false;
        for (const older of this.segments) older.truncateAfter(base.index);
        this.segments.push(segment);
        this.end = { ...this.end, nextSequence: nextSequence + 1, checksum: segment.salt, last: base };
        this.observer.onSegments?.(this.segments.length, sizeBytesOf(this.segments));
        this.pump();
      },
    );
  }
}

export function sizeBytesOf(segments: readonly Segment[]): number {
  return segments.reduce((sum, { fileBytes }) => sum + fileBytes, 0);
}

function bodyBytesOf(record: LogRecord): number {
  return 'entry' in record ? entryBodyBytes(record.entry) : record.body.length;
}

/** Up to where a batch leaves the entries alone that are on disk. */
function placedBelow({ records, taken }: QueuedBatch): LogIndex {
  for (let at = taken; at < records.length; at += 1) {
    const record = records[at]!;
    if ('entry' in record) return record.entry.index - 1;
  }
  return Infinity;
}
