import { allocateBytes } from './byte-slab.js';
import { compareBytes } from './bytes.js';
import type { Row } from './key-space.js';

/*
 * The first byte of a row's key says what the row is; the rest is
 *   META     nothing: one row with the counters and the hashes of the cluster
 *   SESSION  clientId (8 bytes)
 *   ANSWERS  clientId (8 bytes), number of the page (8 bytes)
 *   USER     the user's key
 *   EXPIRY   expiresAtMs (8 bytes), the user's key; the value is empty
 * Numbers have their highest byte first, so that they sort as numbers. What must be in memory comes first, in one range.
 */
export const Prefix = { Meta: 0x01, Session: 0x02, Answers: 0x03, User: 0x10, Expiry: 0x11 } as const;

/** Keys from `from` (inclusive) to `to` (exclusive), as `KeySpace.scan` takes them. */
export interface KeyRange {
  readonly from: Uint8Array;
  readonly to: Uint8Array;
}

/** Where the rows are that `StateMachine.restore` wants. */
export const RESTORE_RANGES: readonly KeyRange[] = [
  { from: Uint8Array.of(Prefix.Meta), to: Uint8Array.of(Prefix.Answers + 1) },
];

export function metaRowKey(): Uint8Array {
  return Uint8Array.of(Prefix.Meta);
}

export function sessionRowKey(clientId: number): Uint8Array {
  const rowKey = allocateBytes(9);
  rowKey[0] = Prefix.Session;
  writeUint64(rowKey, 1, clientId);
  return rowKey;
}

export function answersRowKey(clientId: number, pageNumber: number): Uint8Array {
  const rowKey = allocateBytes(17);
  rowKey[0] = Prefix.Answers;
  writeUint64(rowKey, 1, clientId);
  writeUint64(rowKey, 9, pageNumber);
  return rowKey;
}

export function userRowKey(key: Uint8Array): Uint8Array {
  const rowKey = allocateBytes(1 + key.length);
  rowKey[0] = Prefix.User;
  rowKey.set(key, 1);
  return rowKey;
}

export function expiryRowKey(expiresAtMs: number, key: Uint8Array): Uint8Array {
  const rowKey = allocateBytes(9 + key.length);
  rowKey[0] = Prefix.Expiry;
  writeUint64(rowKey, 1, expiresAtMs);
  rowKey.set(key, 9);
  return rowKey;
}

export function clientIdOf(rowKey: Uint8Array): number {
  return readUint64(rowKey, 1);
}

export function pageNumberOfRow(answersRow: Uint8Array): number {
  return readUint64(answersRow, 9);
}

/** A view into the key of a user's row. */
export function userKeyOf(rowKey: Uint8Array): Uint8Array {
  return rowKey.subarray(1);
}

/**
 * The expiry rows of all keys that have expired at `nowMs`, the longest expired first. Read each with
 * `decodeExpiryRow` and propose the keys as an `expire` command; until it is applied the rows stay.
 */
export function expiryRange(nowMs: number): KeyRange {
  return { from: Uint8Array.of(Prefix.Expiry), to: expiryRowKey(nowMs + 1, NO_KEY) };
}

/** The key is a view into the row's. */
export function decodeExpiryRow(row: Row): { readonly key: Uint8Array; readonly expiresAtMs: number } {
  return { key: row.key.subarray(9), expiresAtMs: readUint64(row.key, 1) };
}

/** The rows of the users' keys that begin with `prefix`, or of those after the key `after` among them. */
export function userRange(prefix: Uint8Array, after?: Uint8Array): KeyRange {
  const start = userRowKey(prefix);
  const to = successorOfPrefix(start);
  if (after === undefined) return { from: start, to };
  // The least key above another is that key with a zero byte behind it.
  const behind = new Uint8Array(2 + after.length);
  behind.set(userRowKey(after));
  return { from: compareBytes(behind, start) > 0 ? behind : start, to };
}

const NO_KEY = new Uint8Array(0);

/** The least byte string above all that begin with `prefix`; the first byte of a row key is never 0xff. */
function successorOfPrefix(prefix: Uint8Array): Uint8Array {
  let end = prefix.length;
  while (prefix[end - 1] === 0xff) end--;
  const successor = prefix.slice(0, end);
  successor[end - 1]!++;
  return successor;
}

function writeUint64(target: Uint8Array, offset: number, value: number): void {
  const high = Math.floor(value / 2 ** 32);
  target[offset] = high >>> 24;
  target[offset + 1] = high >>> 16;
  target[offset + 2] = high >>> 8;
  target[offset + 3] = high;
  target[offset + 4] = value >>> 24;
  target[offset + 5] = value >>> 16;
  target[offset + 6] = value >>> 8;
  target[offset + 7] = value;
}

function readUint64(source: Uint8Array, offset: number): number {
  const view = new DataView(source.buffer, source.byteOffset + offset, 8);
  return view.getUint32(0) * 2 ** 32 + view.getUint32(4);
}
