import type { Entry, HardState } from '@app/raft';
import { bodyStart, readFrame } from '../frame.js';
import { readEntryBody, readHardStateBody, RecordType } from '../record.js';

/** A record of the log, and where it lies in its segment. */
export interface SegmentRecord {
  readonly offset: number;
  readonly bodyOffset: number;
  readonly frameBytes: number;
  /** What it is, if it is one of these. */
  readonly entry: Entry | undefined;
  readonly hardState: HardState | undefined;
}

/** The records of a segment in order, from its header to the last one that is whole. */
export function recordsOf(segment: Uint8Array): SegmentRecord[] {
  const records: SegmentRecord[] = [];
  let salt = 0;
  for (let offset = 0; ;) {
    const reading = readFrame(segment, offset, salt);
    if (reading.state !== 'whole') return records;
    const { type, body, checksum, frameBytes } = reading.value;
    if (offset === 0) salt = checksum;
    records.push({
      offset,
      bodyOffset: offset + bodyStart,
      frameBytes,
      entry: type === RecordType.Entry ? readEntryBody(body) : undefined,
      hardState: type === RecordType.HardState ? readHardStateBody(body) : undefined,
    });
    offset += frameBytes;
  }
}
