import { FRAME_ALIGNMENT_BYTES, frameBytesOf } from './frame.js';
import { SECTOR_BYTES } from './sector.js';

const LEAST_BYTES = frameBytesOf(1);

/**
 * The sizes of the frames of a seal whose first one begins at `offset`. The last of them begins a sector, so that the proof does not go
 * when the sector goes with which the last record ends. The one before it, if there is one, only fills up.
 */
export function sealFrameSizes(offset: number): number[] {
  const used = offset % SECTOR_BYTES;
  if (used === 0) return [LEAST_BYTES];
  const left = SECTOR_BYTES - used;
  return [left < LEAST_BYTES ? left + SECTOR_BYTES : left, LEAST_BYTES];
}

/** Whether a seal at this place is the last frame of its seal, and the whole of it therefore there. */
export function isEndOfSeal(offset: number): boolean {
  return offset % SECTOR_BYTES === 0;
}

/** The body of a frame of this size that holds nothing. */
export function emptyBodyBytes(frameBytes: number): number {
  return frameBytes - LEAST_BYTES + FRAME_ALIGNMENT_BYTES;
}
