import type { DoneWith } from './completion.js';
import type { Disk } from './disk.js';
import { bodyStart, frameBytesOf, sealFrame } from './frame.js';
import { RecordType, segmentHeaderBody, type SegmentHeader } from './record.js';
import { Segment, segmentName } from './segment.js';

export interface NewSegment {
  readonly header: SegmentHeader;
  /** The log begins anew with it. */
  readonly isReset: boolean;
  /** Of its header in the stream of all records. */
  readonly sequence: number;
  readonly previousChecksum: number;
  readonly fileBytes: number;
}

/**
 * Creates the next segment; on completion its header and its name are durable. Only then may anything else be written into it:
 * recovery relies on that. What came before in the stream must be durable already. If a write fails, the file is removed again, so that all
 * of it can be repeated.
 */
export function createSegment(
  disk: Disk,
  { header, isReset, sequence, previousChecksum, fileBytes }: NewSegment,
  done: DoneWith<Segment>,
): void {
  const body = segmentHeaderBody(header);
  const frame = new Uint8Array(frameBytesOf(body.length));
  frame.set(body, bodyStart);
  const syncedThrough = sequence - 1;
  const checksum = sealFrame(frame, 0, 0, 0, {
    type: isReset ? RecordType.ResetHeader : RecordType.SegmentHeader,
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
      if (writeError) {
        return file.close(() => {
          disk.remove(segmentName(header.segment), (removeError) => done(removeError ?? writeError, undefined));
        });
      }
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
