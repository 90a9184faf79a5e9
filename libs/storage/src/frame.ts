import { crc32 } from 'node:zlib';
import { SECTOR_BYTES } from './sector.js';
import { getUint64, setUint64 } from './uint64.js';

/**
 * How a record lies in a segment. All numbers are little-endian; a frame starts at a multiple of 8 bytes.
 *
 *     0  u32  header checksum: CRC32 of bytes 4 to 31, seeded with the segment's salt
 *     4  u32  body length
 *     8  u64  sequence: counts all records of the log, over all segments
 *    16  u64  synced through: the last sequence known to be durable when this frame was built
 *    24  u32  checksum of the record before this one (the chain)
 *    28  u16  how many whole sectors of the body are all zeros by nature
 *    30  u8   record type
 *    31  u8   A5, so that a header never ends in zero
 *    32       body, then zeros up to a multiple of 8
 *    -8  u32  checksum: CRC32 of body and padding, seeded with the header checksum
 *    -4  u32  end mark, so that a frame never ends in zero
 *
 * The space behind the last record is always zeros. So what a power loss leaves of a frame shows zeros where bytes did not
 * arrive: at its end, or in whole sectors. That is what tells a torn frame from one that was written whole and damaged later.
 */
export interface FrameHeader {
  readonly headerChecksum: number;
  readonly bodyBytes: number;
  readonly sequence: number;
  readonly syncedThrough: number;
  readonly previousChecksum: number;
  readonly zeroSectors: number;
  readonly type: number;
}

export interface Frame extends FrameHeader {
  /** A view into the bytes that were read. */
  readonly body: Uint8Array;
  readonly checksum: number;
  readonly frameBytes: number;
}

export type Reading<T> =
  | { readonly state: 'whole'; readonly value: T }
  /** Nothing of it arrived: all zeros. */
  | { readonly state: 'blank' }
  /** A part of it never arrived: it was under way when the power went, and no sync of it ever completed. */
  | { readonly state: 'torn'; readonly reason: string }
  /** Every part of it arrived, and then it changed. */
  | { readonly state: 'damaged'; readonly reason: string };

export const FRAME_ALIGNMENT_BYTES = 8;
/** 16 MiB: far above the largest command, far below a segment. */
export const BODY_BYTES_MAX = 16 * 1024 * 1024;

const HEADER_BYTES = 32;
const TRAILER_BYTES = 8;
const HEADER_MARK = 0xa5;
const END_MARK = 0x9d444e45;

export const bodyStart = HEADER_BYTES;

/** The whole size of a frame with such a body. */
export function frameBytesOf(bodyBytes: number): number {
  return HEADER_BYTES + Math.ceil(bodyBytes / FRAME_ALIGNMENT_BYTES) * FRAME_ALIGNMENT_BYTES + TRAILER_BYTES;
}

export interface FrameFields {
  readonly type: number;
  readonly bodyBytes: number;
  readonly sequence: number;
  readonly syncedThrough: number;
  readonly previousChecksum: number;
}

/**
 * Puts a frame around the body that lies at `at + bodyStart` in `target`, where all else of the frame is still zeros. The frame is
 * to be written at `fileOffset`. Returns its checksum.
 */
export function sealFrame(
  target: Uint8Array,
  at: number,
  fileOffset: number,
  salt: number,
  { type, bodyBytes, sequence, syncedThrough, previousChecksum }: FrameFields,
): number {
  const frameBytes = frameBytesOf(bodyBytes);
  const view = new DataView(target.buffer, target.byteOffset + at, frameBytes);
  view.setUint32(4, bodyBytes, true);
  setUint64(view, 8, sequence);
  setUint64(view, 16, syncedThrough);
  view.setUint32(24, previousChecksum, true);
  view.setUint16(28, countZeroSectors(target, at, fileOffset, frameBytes), true);
  view.setUint8(30, type);
  view.setUint8(31, HEADER_MARK);
  const headerChecksum = crc32(target.subarray(at + 4, at + HEADER_BYTES), salt);
  view.setUint32(0, headerChecksum, true);
  const checksum = crc32(target.subarray(at + HEADER_BYTES, at + frameBytes - TRAILER_BYTES), headerChecksum);
  view.setUint32(frameBytes - 8, checksum, true);
  view.setUint32(frameBytes - 4, END_MARK, true);
  return checksum;
}

/** Reads the header at `at`; what lies behind the end of `bytes` counts as zeros. `fileOffset` is where `bytes` starts in its file. */
export function readFrameHeader(bytes: Uint8Array, at: number, salt: number, fileOffset = 0): Reading<FrameHeader> {
  let header = bytes.subarray(at, at + HEADER_BYTES);
  if (header.length < HEADER_BYTES) {
    const padded = new Uint8Array(HEADER_BYTES);
    padded.set(header);
    header = padded;
  }
  const view = new DataView(header.buffer, header.byteOffset, HEADER_BYTES);
  const headerChecksum = view.getUint32(0, true);
  const mark = view.getUint8(31);
  if (mark === HEADER_MARK && crc32(header.subarray(4), salt) === headerChecksum) {
    const value = {
      headerChecksum,
      bodyBytes: view.getUint32(4, true),
      sequence: getUint64(view, 8),
      syncedThrough: getUint64(view, 16),
      previousChecksum: view.getUint32(24, true),
      zeroSectors: view.getUint16(28, true),
      type: view.getUint8(30),
    };
    if (value.bodyBytes === 0 || value.bodyBytes > BODY_BYTES_MAX) {
      return { state: 'damaged', reason: `a record of ${value.bodyBytes} bytes` };
    }
    return { state: 'whole', value };
  }
  if (isZero(header, 0, HEADER_BYTES)) return { state: 'blank' };
  if (mark === 0) return { state: 'torn', reason: 'the header of the record ends in zeros' };
  const inFirstSector = Math.min(HEADER_BYTES, SECTOR_BYTES - ((fileOffset + at) % SECTOR_BYTES));
  if (isZero(header, 0, inFirstSector)) return { state: 'torn', reason: 'the start of the header never arrived' };
  return { state: 'damaged', reason: 'the checksum of the header does not match' };
}

/** Reads the frame at `at`, as `readFrameHeader` does. */
export function readFrame(bytes: Uint8Array, at: number, salt: number, fileOffset = 0): Reading<Frame> {
  const reading = readFrameHeader(bytes, at, salt, fileOffset);
  if (reading.state !== 'whole') return reading;
  const header = reading.value;
  const frameBytes = frameBytesOf(header.bodyBytes);
  const end = at + frameBytes;
  if (end > bytes.length) return { state: 'torn', reason: 'the file ends within the record' };
  if (bytes[end - 1] === 0) return { state: 'torn', reason: 'the record ends in zeros' };
  const trailer = new DataView(bytes.buffer, bytes.byteOffset + end - TRAILER_BYTES, TRAILER_BYTES);
  const checksum = trailer.getUint32(0, true);
  const isIntact = crc32(bytes.subarray(at + HEADER_BYTES, end - TRAILER_BYTES), header.headerChecksum) === checksum;
  if (isIntact && trailer.getUint32(4, true) === END_MARK) {
    const body = bytes.subarray(at + HEADER_BYTES, at + HEADER_BYTES + header.bodyBytes);
    return { state: 'whole', value: { ...header, body, checksum, frameBytes } };
  }
  if (countZeroSectors(bytes, at, fileOffset + at, frameBytes) > header.zeroSectors) {
    return { state: 'torn', reason: 'sectors within the record never arrived' };
  }
  return { state: 'damaged', reason: 'the checksum of the record does not match' };
}

/**
 * Where the frame at `at` ends that is not whole, as far as its own header or end mark still tells; `undefined` when neither is there
 * before `limit`.
 */
export function endOfDefectiveFrame(bytes: Uint8Array, at: number, salt: number, limit: number): number | undefined {
  const header = readFrameHeader(bytes, at, salt);
  if (header.state === 'whole') return at + frameBytesOf(header.value.bodyBytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let end = at + frameBytesOf(1); end <= Math.min(limit, bytes.length); end += FRAME_ALIGNMENT_BYTES) {
    if (view.getUint32(end - 4, true) === END_MARK) return end;
  }
  return undefined;
}

/** The whole sectors that lie between header and trailer of the frame and hold nothing but zeros. */
function countZeroSectors(bytes: Uint8Array, at: number, fileOffset: number, frameBytes: number): number {
  const shift = at - fileOffset;
  const end = at + frameBytes - TRAILER_BYTES;
  let sector = Math.ceil((fileOffset + HEADER_BYTES) / SECTOR_BYTES) * SECTOR_BYTES + shift;
  let count = 0;
  for (; sector + SECTOR_BYTES <= end; sector += SECTOR_BYTES) {
    if (isZero(bytes, sector, sector + SECTOR_BYTES)) count += 1;
  }
  return count;
}

export function isZero(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at += 1) {
    if (bytes[at] !== 0) return false;
  }
  return true;
}
