import type { DoneWith } from './completion.js';
import type { Disk } from './disk.js';
import { bodyStart, frameBytesOf, sealFrame } from './frame.js';
import { RecordType, segmentHeaderBody, type SegmentHeader } from './record.js';
import { Segment, segmentName } from './segment.js';

/** Where a record stands in the stream of all records. */
export interface StreamPosition {
  readonly sequence: number;
  readonly previousChecksum: number;
}

/**
 * Creates the next segment; on completion its header and its name are durable. Only then may anything else be written into it:
 * recovery relies on that. What came before in the stream must be durable already.
 */
export function createSegment(
  disk: Disk,
  header: SegmentHeader,
  { sequence, previousChecksum }: StreamPosition,
  fileBytes: number,
  done: DoneWith<Segment>,
): void {
  const body = segmentHeaderBody(header);
  const frame = new Uint8Array(frameBytesOf(body.length));
  frame.set(body, bodyStart);
  const syncedThrough = sequence - 1;
  const checksum = sealFrame(frame, 0, 0, 0, {
    type: RecordType.SegmentHeader,
    bodyBytes: body.length,
    sequence,
    syncedThrough,
    previousChecksum,
  });
  const sizeBytes = Math.max(fileBytes, frame.length);
  disk.create(segmentName(header.segment), sizeBytes, (createError, file) => {
    if (createError) return done(createError, undefined);
    const fail = (error: Error): void => file.close(() => done(error, undefined));
    file.write(0, [frame], (writeError) => {
      if (writeError) return fail(writeError);
      file.sync((syncError) => {
        if (syncError) return fail(syncError);
        disk.syncDirectory((directoryError) => {
          if (directoryError) return fail(directoryError);
          done(undefined, new Segment(header.segment, file, header.base, checksum, frame.length, sizeBytes));
        });
      });
    });
  });
}
