import { createHash } from 'node:crypto';
import type { SnapshotEnd, SnapshotRange } from '@app/rpc';
import { rangeName } from './range-name.js';
import { digestOfRows, malformed, rangeOf } from './snapshot-wire.js';

const DIGEST_BYTES = 32;

/** Ranges that were asked about and whose rows are still to come. A correct sender has a few. */
const WANTED_MAX = 64;

/**
 * What one stream has brought of a state, and whether it can be true: ranges that follow each other without a gap from the first key to
 * the last, with rows in order that match their digest, and an end that speaks of the same. Everything else throws INVALID_REQUEST,
 * which names the range and its keys.
 */
export class ArrivedRanges {
  private readonly digests = createHash('sha256');
  private readonly wanted = new Map<number, SnapshotRange>();
  private nextFrom: Uint8Array = new Uint8Array(0);
  private isLastAnnounced = false;
  private announced = 0;
  private storedRanges = 0;
  private storedRows = 0;
  private skippedRanges = 0;

  get stored(): number {
    return this.storedRanges;
  }

  get skipped(): number {
    return this.skippedRanges;
  }

  /** Checks the next range, or the rows of an earlier one that was wanted. */
  arrived(range: SnapshotRange): void {
    const wanted = this.wanted.get(range.sequence);
    if (wanted === undefined) this.announce(range);
    else if (!range.hasRows || !isSame(range, wanted)) throw invalid(range, 'it is not the range that was asked about');
    this.wanted.delete(range.sequence);
    if (range.hasRows) requireRows(range);
    else if (range.rows.length > 0) throw invalid(range, 'it has rows and says that it has none');
  }

  /** The rows of a range that arrived without are to be sent. */
  want(range: SnapshotRange): void {
    if (this.wanted.size === WANTED_MAX)
      throw invalid(range, `the rows of ${WANTED_MAX} earlier ones are still to come`);
    this.wanted.set(range.sequence, range);
  }

  /** A range is there, and durable. */
  has(range: SnapshotRange): void {
    this.storedRanges += 1;
    this.storedRows += range.rows.length;
    if (!range.hasRows) this.skippedRanges += 1;
  }

  requireAll({ ranges, rows, digest }: SnapshotEnd): void {
    if (!this.isLastAnnounced) throw malformed(`the end comes behind range ${this.announced}, which is not the last`);
    if (this.wanted.size > 0) throw malformed(`the end comes before the rows of ${this.wanted.size} ranges`);
    if (ranges !== this.announced) throw malformed(`the end speaks of ${ranges} ranges, ${this.announced} arrived`);
    // How many rows there are in ranges that were skipped only their digests know.
    const isCountRight = this.skippedRanges === 0 ? rows === this.storedRows : rows >= this.storedRows;
    if (!isCountRight) throw malformed(`the end speaks of ${rows} rows, ${this.storedRows} arrived`);
    if (!this.digests.digest().equals(digest)) throw malformed('the digest of all ranges does not match');
  }

  private announce(range: SnapshotRange): void {
    if (range.sequence !== this.announced + 1) throw invalid(range, `range ${this.announced + 1} belongs here`);
    if (this.isLastAnnounced) throw invalid(range, 'the last range came before it');
    if (Buffer.compare(range.from, this.nextFrom) !== 0)
      throw invalid(range, 'it does not begin where the one before it ends');
    const isEndRight = range.isLast ? range.to.length === 0 : Buffer.compare(range.from, range.to) < 0;
    if (!isEndRight) throw invalid(range, 'it ends before it begins');
    if (range.digest.length !== DIGEST_BYTES) throw invalid(range, 'its digest is none');
    this.announced += 1;
    this.nextFrom = range.to;
    this.isLastAnnounced = range.isLast;
    this.digests.update(range.digest);
  }
}

function requireRows(range: SnapshotRange): void {
  let previous: Uint8Array | undefined;
  for (const { key } of range.rows) {
    const isBehind = previous === undefined ? Buffer.compare(key, range.from) >= 0 : Buffer.compare(key, previous) > 0;
    if (!isBehind) throw invalid(range, 'its rows are not in order');
    previous = key;
  }
  if (previous !== undefined && !range.isLast && Buffer.compare(previous, range.to) >= 0) {
    throw invalid(range, 'a row lies behind it');
  }
  if (Buffer.compare(digestOfRows(range.rows), range.digest) !== 0)
    throw invalid(range, 'its rows do not match their digest');
}

function isSame(one: SnapshotRange, other: SnapshotRange): boolean {
  return (
    isEqual(one.from, other.from) &&
    isEqual(one.to, other.to) &&
    one.isLast === other.isLast &&
    isEqual(one.digest, other.digest)
  );
}

function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}

function invalid(range: SnapshotRange, detail: string): Error {
  return malformed(`${rangeName(range.sequence, rangeOf(range))}: ${detail}`);
}
