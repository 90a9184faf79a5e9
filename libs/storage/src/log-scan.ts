import type { HardState } from '@app/raft';
import { ConfigurationEntries } from './configuration-entries.js';
import type { DiskFile } from './disk.js';
import { CorruptLogError, ForeignLogError } from './errors.js';
import {
  endOfDefectiveFrame,
  FRAME_ALIGNMENT_BYTES,
  frameBytesOf,
  isZero,
  readFrame,
  readFrameHeader,
  type Frame,
  type Reading,
} from './frame.js';
import {
  FORMAT_VERSION,
  readEntryBody,
  readFormatVersion,
  readHardStateBody,
  readSegmentHeaderBody,
  RecordType,
  segmentHeaderBody,
  type SegmentHeader,
} from './record.js';
import { SECTOR_BYTES } from './sector.js';
import { Segment } from './segment.js';
import { TermRuns } from './term-runs.js';

export interface LogIdentity {
  readonly clusterId: string;
  readonly nodeId: string;
  /** A random name of this one log. Taken over by a new log, kept by an old one. */
  readonly incarnation: string;
}

export interface ScannedFile {
  readonly segment: number;
  readonly file: DiskFile;
  readonly bytes: Uint8Array;
  readonly isLast: boolean;
}

export const INITIAL_HARD_STATE: HardState = { currentTerm: 0, votedFor: undefined, commitIndex: 0 };

/**
 * Rebuilds the log from the bytes of its segments, taken in order, and judges what it finds: only what a crash of ours can leave at
 * the very end is cut, everything else is a `CorruptLogError`. No I/O happens here.
 */
export class LogScan {
  readonly segments: Segment[] = [];
  /** Segments from before the log began anew, oldest first. */
  readonly leftovers: Segment[] = [];
  readonly configurations = new ConfigurationEntries();
  runs = new TermRuns({ index: 0, term: 0 });
  hardState = INITIAL_HARD_STATE;
  incarnation: string | undefined;
  nextSequence = 1;
  /** Of the last record. */
  checksum = 0;
  records = 0;
  /** Where a torn tail begins in the last segment. */
  cutOffset: number | undefined;
  /** From here on no later record proves that the records of the last segment were synced. */
  unprovenOffset = 0;
  /** A file that was just being created: nothing was ever stored in it. */
  stillborn: DiskFile | undefined;

  constructor(private readonly identity: LogIdentity) {}

  add(scanned: ScannedFile): void {
    const { file, bytes, isLast } = scanned;
    const reading = readFrame(bytes, 0, 0);
    if (reading.state !== 'whole') {
      if (reading.state === 'damaged' || !isLast || !this.isStillborn(scanned))
        throw corrupt(file, 0, describe(reading));
      this.stillborn = file;
      return;
    }
    const segment = this.addHeader(scanned, reading.value);
    this.addRecords(scanned, segment);
  }

  /**
   * The header of a segment is synced before anything else is written into it, so a torn header with something behind it was
   * whole once. Where it ends is often still to be seen; else it is the end of the sectors that it would take. A first segment that is alone can only be stillborn if nothing was ever removed before it.
   */
  private isStillborn({ segment, bytes }: ScannedFile): boolean {
    if (this.segments.length === 0 && segment !== 1) return false;
    const expected = segmentHeaderBody({
      ...this.identity,
      incarnation: this.incarnation ?? this.identity.incarnation,
      segment,
      base: this.runs.base,
      hardState: this.hardState,
    });
    const sectorsEnd = Math.ceil(frameBytesOf(expected.length) / SECTOR_BYTES) * SECTOR_BYTES;
    const headerEnd = endOfDefectiveFrame(bytes, 0, 0, sectorsEnd) ?? sectorsEnd;
    return isZero(bytes, Math.min(headerEnd, bytes.length), bytes.length);
  }

  private addHeader({ segment: number, file, bytes }: ScannedFile, frame: Frame): Segment {
    const header = this.checkedHeader(file, frame);
    if (header.segment !== number) throw corrupt(file, 0, `this is segment ${header.segment} under a wrong name`);
    if (this.segments.length === 0) {
      this.nextSequence = frame.sequence;
      this.checksum = frame.previousChecksum;
      this.runs = new TermRuns(header.base);
      this.incarnation = header.incarnation;
    } else {
      this.checkNothingIsGone(frame);
      const { currentTerm, votedFor } = this.hardState;
      if (header.hardState.currentTerm !== currentTerm || header.hardState.votedFor !== votedFor) {
        throw corrupt(file, 0, 'term or vote differ from those at the end of the segment before');
      }
      if (frame.type === RecordType.ResetHeader) this.beginAnew(header);
      else this.rebase(file, header);
    }
    this.hardState = header.hardState;
    this.follow(file, 0, frame);
    const segment = new Segment(number, file, header.base, frame.checksum, frame.frameBytes, bytes.length);
    this.segments.push(segment);
    return segment;
  }

  /** The header of a segment is the point from which on the log before it is gone, whether its files are or not. */
  private beginAnew({ base }: SegmentHeader): void {
    this.leftovers.push(...this.segments.splice(0));
    this.runs = new TermRuns(base);
    this.configurations.clear();
  }

  /** Nothing in a file shows that its last records are gone; the header of the next one knows how many there were. */
  private checkNothingIsGone({ sequence }: Frame): void {
    const before = this.segments.at(-1)!;
    if (sequence <= this.nextSequence) return;
    throw corrupt(before.file, before.endOffset, `records ${this.nextSequence} to ${sequence - 1} are gone`);
  }

  private checkedHeader(file: DiskFile, frame: Frame): SegmentHeader {
    const isHeader = frame.type === RecordType.SegmentHeader || frame.type === RecordType.ResetHeader;
    const version = isHeader ? readFormatVersion(frame.body) : undefined;
    if (version === undefined) throw corrupt(file, 0, 'the file does not start with a segment header');
    if (version !== FORMAT_VERSION) {
      throw new ForeignLogError(file.name, 'version', String(FORMAT_VERSION), String(version));
    }
    const header = readSegmentHeaderBody(frame.body);
    if (!header) throw corrupt(file, 0, 'the segment header makes no sense');
    const expected: LogIdentity = { ...this.identity, incarnation: this.incarnation ?? header.incarnation };
    for (const field of ['clusterId', 'nodeId', 'incarnation'] as const) {
      if (header[field] !== expected[field]) {
        throw new ForeignLogError(file.name, field, expected[field], header[field]);
      }
    }
    return header;
  }

  /** A segment that starts below the end of the log replaces what is above its base. */
  private rebase(file: DiskFile, { base }: SegmentHeader): void {
    if (base.index < this.runs.base.index) {
      // What the base rested on was removed with the prefix; all that is left of it is replaced.
      this.runs = new TermRuns(base);
    } else if (this.runs.termAt(base.index) !== base.term) {
      throw corrupt(
        file,
        0,
        `the segment follows entry ${base.index} of term ${base.term}, which the log does not have`,
      );
    }
    this.truncateAfter(base.index);
  }

  private addRecords({ file, bytes, isLast }: ScannedFile, segment: Segment): void {
    let offset = segment.headerBytes;
    let syncedThrough = -1;
    this.unprovenOffset = 0;
    for (;;) {
      const reading = readFrame(bytes, offset, segment.salt);
      if (reading.state !== 'whole') {
        segment.endOffset = offset;
        return this.judgeEnd(reading, file, bytes, offset, segment.salt, isLast);
      }
      const frame = reading.value;
      this.follow(file, offset, frame);
      if (frame.syncedThrough !== syncedThrough) {
        syncedThrough = frame.syncedThrough;
        this.unprovenOffset = offset;
      }
      this.addRecord(file, offset, frame, segment);
      offset += frame.frameBytes;
    }
  }

  private addRecord(file: DiskFile, offset: number, frame: Frame, segment: Segment): void {
    if (frame.type === RecordType.HardState) {
      const hardState = readHardStateBody(frame.body);
      if (!hardState) throw corrupt(file, offset, 'the hard state makes no sense');
      this.hardState = hardState;
      return;
    }
    const entry = frame.type === RecordType.Entry ? readEntryBody(frame.body) : undefined;
    if (!entry) throw corrupt(file, offset, `a record of type ${frame.type} makes no sense here`);
    if (entry.index <= segment.base.index || entry.index > this.runs.lastIndex + 1) {
      throw corrupt(file, offset, `entry ${entry.index} does not follow entry ${this.runs.lastIndex}`);
    }
    this.runs.put(entry.index, entry.term);
    this.configurations.put(entry);
    segment.putEntry(entry.index, offset, frame.frameBytes);
  }

  private judgeEnd(
    reading: Reading<Frame>,
    file: DiskFile,
    bytes: Uint8Array,
    offset: number,
    salt: number,
    isLast: boolean,
  ): void {
    if (reading.state === 'damaged') throw corrupt(file, offset, reading.reason);
    if (!isLast) {
      // The next segment was created after all of this one was synced; its header tells whether a record is missing here.
      if (reading.state === 'torn') throw corrupt(file, offset, `${describe(reading)}, though a later segment exists`);
      return;
    }
    const proof = laterProof(bytes, offset, salt, this.nextSequence);
    if (proof !== undefined) {
      throw corrupt(file, offset, `${describe(reading)}, though the record at byte ${proof} says that it was durable`);
    }
    if (!isZero(bytes, offset, bytes.length)) this.cutOffset = offset;
  }

  private follow(file: DiskFile, offset: number, frame: Frame): void {
    if (frame.sequence !== this.nextSequence) {
      throw corrupt(file, offset, `record ${this.nextSequence} should be here, not ${frame.sequence}`);
    }
    if (frame.previousChecksum !== this.checksum) {
      throw corrupt(file, offset, `record ${frame.sequence} does not belong to the one before it`);
    }
    this.nextSequence += 1;
    this.checksum = frame.checksum;
    this.records += 1;
  }

  private truncateAfter(index: number): void {
    this.runs.truncateAfter(index);
    this.configurations.truncateAfter(index);
    for (const segment of this.segments) segment.truncateAfter(index);
  }
}

/** Where a record lies behind `offset` that knows record `sequence` as synced. */
function laterProof(bytes: Uint8Array, offset: number, salt: number, sequence: number): number | undefined {
  for (let at = offset + FRAME_ALIGNMENT_BYTES; at < bytes.length; at += FRAME_ALIGNMENT_BYTES) {
    // The last byte of a header is never zero: most of the file is skipped by one look.
    if (bytes[at + 31] === 0) continue;
    const reading = readFrameHeader(bytes, at, salt);
    if (reading.state !== 'whole') continue;
    if (reading.value.sequence > sequence && reading.value.syncedThrough >= sequence) return at;
  }
  return undefined;
}

function describe(reading: Reading<Frame>): string {
  return reading.state === 'torn' || reading.state === 'damaged' ? reading.reason : 'a record is gone';
}

function corrupt(file: DiskFile, offset: number, reason: string): CorruptLogError {
  return new CorruptLogError(file.name, offset, reason);
}
