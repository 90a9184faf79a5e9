import type { HardState } from '@app/raft';
import { ConfigurationEntries } from './configuration-entries.js';
import type { DiskFile } from './disk.js';
import { CorruptLogError, ForeignLogError } from './errors.js';
import {
  bodyStart,
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
import { isEndOfSeal } from './seal.js';
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

const SEGMENT_HEADER = 'the segment header';

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
  /** Where a torn tail begins in the last segment, and why it counts as torn. */
  cut: { readonly offset: number; readonly reason: string } | undefined;
  /** From here on no later record proves that the records of the last segment were synced. */
  unprovenOffset = 0;
  /** The log ends with a seal: all of it is proven to be durable. */
  isSealed = false;
  /** A file that was just being created: nothing was ever stored in it. */
  stillborn: DiskFile | undefined;

  constructor(private readonly identity: LogIdentity) {}

  add(scanned: ScannedFile): void {
    const { file, bytes, isLast } = scanned;
    const reading = readFrame(bytes, 0, 0);
    if (reading.state !== 'whole') {
      if (reading.state === 'damaged' || !isLast || !this.isStillborn(scanned))
        throw corrupt(file, 0, SEGMENT_HEADER, describe(reading));
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
    if (header.segment !== number)
      throw corrupt(file, 0, SEGMENT_HEADER, `this is segment ${header.segment} under a wrong name`);
    if (this.segments.length === 0) {
      this.nextSequence = frame.sequence;
      this.checksum = frame.previousChecksum;
      this.runs = new TermRuns(header.base);
      this.incarnation = header.incarnation;
    } else {
      this.checkNothingIsGone(frame);
      const { currentTerm, votedFor } = this.hardState;
      if (header.hardState.currentTerm !== currentTerm || header.hardState.votedFor !== votedFor) {
        throw corrupt(file, 0, SEGMENT_HEADER, 'term or vote differ from those at the end of the segment before');
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
    const what = `records ${this.nextSequence} to ${sequence - 1}, behind entry ${this.runs.lastIndex}`;
    throw corrupt(before.file, before.endOffset, what, 'they are gone, and the next segment follows them');
  }

  private checkedHeader(file: DiskFile, frame: Frame): SegmentHeader {
    const isHeader = frame.type === RecordType.SegmentHeader || frame.type === RecordType.ResetHeader;
    const version = isHeader ? readFormatVersion(frame.body) : undefined;
    if (version === undefined) throw corrupt(file, 0, SEGMENT_HEADER, 'the file starts with something else');
    if (version !== FORMAT_VERSION) {
      throw new ForeignLogError(file.name, 'version', String(FORMAT_VERSION), String(version));
    }
    const header = readSegmentHeaderBody(frame.body);
    if (!header) throw corrupt(file, 0, SEGMENT_HEADER, 'it makes no sense');
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
        SEGMENT_HEADER,
        `the segment follows entry ${base.index} of term ${base.term}, which the log does not have`,
      );
    }
    this.truncateAfter(base.index);
  }

  private addRecords(scanned: ScannedFile, segment: Segment): void {
    const { file, bytes } = scanned;
    let offset = segment.headerBytes;
    let syncedThrough = -1;
    this.unprovenOffset = 0;
    this.isSealed = false;
    for (;;) {
      const reading = readFrame(bytes, offset, segment.salt);
      if (reading.state !== 'whole') {
        segment.endOffset = offset;
        return this.judgeEnd(reading, scanned, segment);
      }
      const frame = reading.value;
      this.follow(file, offset, frame);
      if (frame.syncedThrough !== syncedThrough) {
        syncedThrough = frame.syncedThrough;
        this.unprovenOffset = offset;
      }
      this.isSealed = frame.type === RecordType.Seal && isEndOfSeal(offset);
      this.addRecord(file, offset, frame, segment);
      offset += frame.frameBytes;
    }
  }

  private addRecord(file: DiskFile, offset: number, frame: Frame, segment: Segment): void {
    if (frame.type === RecordType.Seal) return;
    if (frame.type === RecordType.HardState) {
      const hardState = readHardStateBody(frame.body);
      if (!hardState)
        throw corrupt(file, offset, `the hard state behind entry ${this.runs.lastIndex}`, 'it makes no sense');
      this.hardState = hardState;
      return;
    }
    const entry = frame.type === RecordType.Entry ? readEntryBody(frame.body) : undefined;
    if (!entry) {
      const what = `a record of type ${frame.type} behind entry ${this.runs.lastIndex}`;
      throw corrupt(file, offset, what, 'it makes no sense here');
    }
    if (entry.index <= segment.base.index || entry.index > this.runs.lastIndex + 1) {
      throw corrupt(file, offset, `entry ${entry.index}`, `it does not follow entry ${this.runs.lastIndex}`);
    }
    this.runs.put(entry.index, entry.term);
    this.configurations.put(entry);
    segment.putEntry(entry.index, offset, frame.frameBytes);
  }

  private judgeEnd(reading: Reading<Frame>, { file, bytes, isLast }: ScannedFile, segment: Segment): void {
    const offset = segment.endOffset;
    const refuse = (reason: string): never => {
      throw corrupt(file, offset, this.nameOfDefective(bytes, segment), reason);
    };
    if (reading.state === 'damaged') return refuse(reading.reason);
    if (!isLast) {
      // The next segment was created after all of this one was synced; its header tells whether a record is missing here.
      if (reading.state === 'torn') refuse(`${describe(reading)}, though a later segment exists`);
      return;
    }
    const proof = laterProof(bytes, offset, segment.salt, this.nextSequence);
    if (proof !== undefined) {
      refuse(`${describe(reading)}, though the record at byte ${proof} says that it was durable`);
    }
    if (isZero(bytes, offset, bytes.length)) return;
    this.cut = { offset, reason: describe(reading) };
  }

  /** What lies at the end of the segment and is not whole, as far as its header tells. */
  private nameOfDefective(bytes: Uint8Array, { endOffset, salt }: Segment): string {
    const { lastIndex } = this.runs;
    const header = readFrameHeader(bytes, endOffset, salt);
    if (header.state !== 'whole' || header.value.sequence !== this.nextSequence) {
      return `record ${this.nextSequence}, behind entry ${lastIndex}`;
    }
    const { type } = header.value;
    if (type === RecordType.HardState) return `the hard state behind entry ${lastIndex}`;
    if (type === RecordType.Seal) return `the seal behind entry ${lastIndex}`;
    // Which entry it is stands in the body, of which anything may be damaged.
    const entry = readEntryBody(bytes.subarray(endOffset + bodyStart, endOffset + bodyStart + header.value.bodyBytes));
    return entry?.index === lastIndex + 1 ? `entry ${entry.index}` : `an entry behind entry ${lastIndex}`;
  }

  private follow(file: DiskFile, offset: number, frame: Frame): void {
    const expected = `record ${this.nextSequence}, behind entry ${this.runs.lastIndex}`;
    if (frame.sequence !== this.nextSequence) {
      throw corrupt(file, offset, expected, `record ${frame.sequence} is there instead`);
    }
    if (frame.previousChecksum !== this.checksum) {
      throw corrupt(file, offset, expected, 'what is there does not belong to the record before it');
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

function corrupt(file: DiskFile, offset: number, record: string, reason: string): CorruptLogError {
  return new CorruptLogError(file.name, offset, record, reason);
}
