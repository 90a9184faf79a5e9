import type { Entry, HardState } from '@app/raft';
import { BODY_BYTES_MAX } from './frame.js';
import { entryBodyBytes, type LogPosition } from './record.js';
import type { TermRuns } from './term-runs.js';

export interface LogBatch {
  /** Written before the entries, so that no entry is ever on disk without its term. */
  readonly hardState?: HardState;
  /** Contiguous. An entry at or below `lastIndex` replaces that one and all above it. */
  readonly entries?: readonly Entry[];
}

/**
 * Throws a `RangeError` when the batch breaks a rule that Raft keeps (figures 2 and 3, section 5.4): the last line of defence before
 * something wrong becomes durable. `runs` and `current` are the log and the hard state before the batch.
 */
export function checkBatch({ hardState, entries = [] }: LogBatch, runs: TermRuns, current: HardState): void {
  if (hardState) checkHardState(hardState, current);
  const first = entries[0];
  if (!first) return;
  const { base } = runs;
  if (first.index <= base.index || first.index > runs.lastIndex + 1) {
    throw new RangeError(`entry ${first.index} does not fit a log of entries ${base.index + 1} to ${runs.lastIndex}`);
  }
  if (first.index <= current.commitIndex) {
    throw new RangeError(`entry ${first.index} would replace a committed entry: commitIndex is ${current.commitIndex}`);
  }
  const { currentTerm } = hardState ?? current;
  let before = { index: first.index - 1, term: runs.termAt(first.index - 1)! };
  for (const entry of entries) {
    if (entry.index !== before.index + 1) {
      throw new RangeError(`entry ${entry.index} does not follow entry ${before.index}`);
    }
    if (!Number.isSafeInteger(entry.term) || entry.term < Math.max(1, before.term)) {
      throw new RangeError(`entry ${entry.index} has term ${entry.term} after term ${before.term}`);
    }
    if (entry.term > currentTerm) {
      throw new RangeError(`entry ${entry.index} of term ${entry.term} comes before the hard state of that term`);
    }
    if (entryBodyBytes(entry) > BODY_BYTES_MAX) {
      throw new RangeError(`entry ${entry.index} of ${entry.data.length} bytes is too large for the log`);
    }
    before = entry;
  }
}

/**
 * Throws a `RangeError` when the log cannot begin anew behind `base` without losing or contradicting what is committed. `hardState` is
 * what it would begin with.
 */
export function checkReset(base: LogPosition, hardState: HardState, runs: TermRuns, current: HardState): void {
  checkHardState(hardState, current);
  const committed = Math.max(runs.base.index, current.commitIndex);
  if (!Number.isSafeInteger(base.index) || base.index < Math.max(1, committed)) {
    throw new RangeError(
      `the log cannot begin anew behind entry ${base.index}: entries up to ${committed} are committed`,
    );
  }
  // Uncommitted entries may well have higher terms than what a leader of today has committed.
  const term = runs.termAt(committed) ?? 0;
  const isOther = base.index === committed && term > 0 && base.term !== term;
  if (!Number.isSafeInteger(base.term) || base.term < Math.max(1, term) || isOther) {
    throw new RangeError(
      `entry ${base.index} of term ${base.term}, though entry ${committed} of term ${term} is committed`,
    );
  }
  if (base.term > hardState.currentTerm) {
    throw new RangeError(`the log would begin in term ${base.term}, before the hard state of that term`);
  }
  if (hardState.commitIndex > base.index) {
    throw new RangeError(`commitIndex ${hardState.commitIndex} in a log that begins anew behind ${base.index}`);
  }
}

function checkHardState({ currentTerm, votedFor, commitIndex }: HardState, current: HardState): void {
  if (!Number.isSafeInteger(currentTerm) || currentTerm < current.currentTerm) {
    throw new RangeError(`term ${currentTerm} after term ${current.currentTerm}`);
  }
  if (currentTerm === current.currentTerm && current.votedFor !== undefined && votedFor !== current.votedFor) {
    throw new RangeError(`a vote for ${votedFor ?? 'nobody'} after one for ${current.votedFor} in term ${currentTerm}`);
  }
  if (!Number.isSafeInteger(commitIndex) || commitIndex < current.commitIndex) {
    throw new RangeError(`commitIndex ${commitIndex} after ${current.commitIndex}`);
  }
}
