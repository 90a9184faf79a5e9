import type { LogIndex, Term, TermRun } from '@app/raft';
import type { LogPosition } from './record.js';

/**
 * The term of every entry of the log, kept as the indexes at which the term changes: a log has millions of entries and few terms.
 * Terms never fall along a log.
 */
export class TermRuns {
  /** Parallel: run r holds indexes `starts[r]` up to the next start. The first run starts at the base. */
  private starts: LogIndex[];
  private terms: Term[];
  private last: LogIndex;

  constructor(base: LogPosition) {
    this.starts = [base.index];
    this.terms = [base.term];
    this.last = base.index;
  }

  get base(): LogPosition {
    return { index: this.starts[0]!, term: this.terms[0]! };
  }

  get lastIndex(): LogIndex {
    return this.last;
  }

  get lastTerm(): Term {
    return this.terms[this.terms.length - 1]!;
  }

  /** From the base to the last index; undefined elsewhere. */
  termAt(index: LogIndex): Term | undefined {
    if (index < this.starts[0]! || index > this.last) return undefined;
    return this.terms[this.runOf(index)];
  }

  /** As a list: the runs of the entries, without the base. */
  toArray(): TermRun[] {
    const runs: TermRun[] = [];
    this.starts.forEach((start, run) => {
      // The first run starts at the base, and may hold nothing but it.
      const firstIndex = run === 0 ? start + 1 : start;
      const end = this.starts[run + 1] ?? this.last + 1;
      if (firstIndex < end) runs.push({ firstIndex, term: this.terms[run]! });
    });
    return runs;
  }

  /** Adds the entry; if there is one at this index, it and all behind it go first. */
  put(index: LogIndex, term: Term): void {
    this.truncateAfter(index - 1);
    if (term !== this.lastTerm) {
      this.starts.push(index);
      this.terms.push(term);
    }
    this.last = index;
  }

  /** Removes all entries above `index`, which is not below the base. */
  truncateAfter(index: LogIndex): void {
    if (index >= this.last) return;
    const runs = this.runOf(index) + 1;
    this.starts.length = runs;
    this.terms.length = runs;
    this.last = index;
  }

  /** Removes all entries up to `index`, which becomes the base. */
  removeThrough(index: LogIndex): void {
    const run = this.runOf(index);
    this.starts = this.starts.slice(run);
    this.terms = this.terms.slice(run);
    this.starts[0] = index;
  }

  private runOf(index: LogIndex): number {
    let low = 0;
    let high = this.starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.starts[middle]! <= index) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
