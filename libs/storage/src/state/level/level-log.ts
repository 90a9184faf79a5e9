import { readFile } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { isZero } from '../../frame.js';
import { SECTOR_BYTES } from '../../sector.js';
import { crc32c, masked } from './crc32c.js';

export interface LevelLog {
  /** All whole records before the first defect, in order. */
  readonly records: readonly Uint8Array[];
  /** The first record that is not whole, if there is one. */
  readonly defect: LevelLogDefect | undefined;
}

export interface LevelLogDefect {
  readonly offset: number;
  readonly reason: string;
  /** A crash can have left it: the file ends within it or sectors of it are missing, and nothing follows. */
  readonly isTorn: boolean;
}

const BLOCK_BYTES = 32 * 1024;
const HEADER_BYTES = 7;
const FULL = 1;
const FIRST = 2;
const LAST = 4;
const BLOCKS_A_TURN = 8;
const CUT_OFF = 'the file ends within the record';

/**
 * Reads a log or manifest of LevelDB: blocks of 32 KiB, in them pieces of records with checksum, length and kind. Each record is synced before
 * the next one is written.
 */
export async function readLevelLog(path: string): Promise<LevelLog> {
  const bytes = await readFile(path);
  const records: Uint8Array[] = [];
  let pieces: Uint8Array[] = [];
  let recordAt = 0;
  for (let block = 0; block < bytes.length; block += BLOCK_BYTES) {
    if (block % (BLOCKS_A_TURN * BLOCK_BYTES) === 0) await nextTurn();
    const end = Math.min(block + BLOCK_BYTES, bytes.length);
    // The last few bytes of a whole block that no header fits into stay unused.
    const unused = end === block + BLOCK_BYTES ? HEADER_BYTES - 1 : 0;
    for (let at = block; at < end - unused;) {
      if (pieces.length === 0) recordAt = at;
      const piece = pieceAt(bytes, at, end);
      if (typeof piece === 'string') return { records, defect: defectAt(bytes, recordAt, at, piece) };
      if (piece.begins !== (pieces.length === 0)) {
        return { records, defect: { offset: recordAt, reason: 'a part of the record is missing', isTorn: false } };
      }
      pieces.push(piece.content);
      at += HEADER_BYTES + piece.content.length;
      if (!piece.ends) continue;
      records.push(pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces));
      pieces = [];
    }
  }
  const defect = { offset: recordAt, reason: 'the record has no end', isTorn: true };
  return { records, defect: pieces.length > 0 ? defect : undefined };
}

function defectAt(bytes: Uint8Array, offset: number, pieceOffset: number, reason: string): LevelLogDefect {
  const isCutOff = reason === CUT_OFF || lacksSectors(bytes, offset);
  return { offset, reason, isTorn: isCutOff && !isFollowed(bytes, pieceOffset) };
}

/** What never arrived reads as zeros, in whole sectors as far as they belong to the record. */
function lacksSectors(bytes: Uint8Array, from: number): boolean {
  for (let start = from; start < bytes.length;) {
    const end = Math.min((Math.floor(start / SECTOR_BYTES) + 1) * SECTOR_BYTES, bytes.length);
    if (isZero(bytes, start, end)) return true;
    start = end;
  }
  return false;
}

/** Another record begins somewhere behind the piece: in its block, where its length no longer tells, or at the start of a later one. */
function isFollowed(bytes: Uint8Array, pieceOffset: number): boolean {
  const blockEnd = (Math.floor(pieceOffset / BLOCK_BYTES) + 1) * BLOCK_BYTES;
  for (let at = pieceOffset + 1; at < Math.min(blockEnd, bytes.length); at += 1) {
    if (beginsAt(bytes, at, Math.min(blockEnd, bytes.length))) return true;
  }
  for (let block = blockEnd; block < bytes.length; block += BLOCK_BYTES) {
    const end = Math.min(block + BLOCK_BYTES, bytes.length);
    for (let at = block; at < end;) {
      const piece = pieceAt(bytes, at, end);
      if (typeof piece === 'string') break;
      if (piece.begins) return true;
      at += HEADER_BYTES + piece.content.length;
    }
  }
  return false;
}

function beginsAt(bytes: Uint8Array, at: number, end: number): boolean {
  const kind = bytes[at + HEADER_BYTES - 1];
  if (kind !== FULL && kind !== FIRST) return false;
  return typeof pieceAt(bytes, at, end) !== 'string';
}

interface Piece {
  readonly content: Uint8Array;
  readonly begins: boolean;
  readonly ends: boolean;
}

/** A string says what is wrong with it. */
function pieceAt(bytes: Uint8Array, at: number, end: number): Piece | string {
  if (at + HEADER_BYTES > end) return end === bytes.length ? CUT_OFF : 'the record does not fit into its block';
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, HEADER_BYTES);
  const contentAt = at + HEADER_BYTES;
  const contentEnd = contentAt + view.getUint16(4, true);
  const kind = view.getUint8(6);
  if (contentEnd > end) return end === bytes.length ? CUT_OFF : 'the record does not fit into its block';
  if (masked(crc32c(bytes, at + 6, contentEnd)) !== view.getUint32(0, true)) {
    return 'the checksum of the record does not match';
  }
  if (kind < FULL || kind > LAST) return `a record of kind ${kind}`;
  return {
    content: bytes.subarray(contentAt, contentEnd),
    begins: kind === FULL || kind === FIRST,
    ends: kind === FULL || kind === LAST,
  };
}
