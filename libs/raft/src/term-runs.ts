import type { LogIndex, Term } from './entry.js';

/** From `firstIndex` on, until the next run begins, entries have this term. */
export interface TermRun {
  readonly firstIndex: LogIndex;
  readonly term: Term;
}

/**
 * The term of every entry, as one run per term: terms never fall along a log, so a log of millions
 * of entries has as many runs as there were leaders. It answers without the entries being in memory.
 */
export class TermRuns {
  private readonly runs: TermRun[];

  constructor(runs: readonly TermRun[]) {
    this.runs = [...runs];
  }

  append(index: LogIndex, term: Term): void {
    if (this.runs.at(-1)?.term !== term) this.runs.push({ firstIndex: index, term });
  }

  /** Forgets every entry from `index` on. */
  truncateFrom(index: LogIndex): void {
    while ((this.runs.at(-1)?.firstIndex ?? 0) >= index && this.runs.length > 0) this.runs.pop();
  }

  /** Forgets the runs that end at `index` or before. The one that goes on behind it keeps its first index. */
  compactThrough(index: LogIndex): void {
    const ended = this.runs.findIndex((_, i) => (this.runs[i + 1]?.firstIndex ?? Infinity) > index + 1);
    if (ended > 0) this.runs.splice(0, ended);
  }

  termAt(index: LogIndex): Term {
    return this.runAt(index)?.term ?? 0;
  }

  /** The first index that has the same term as the entry at `index`. */
  firstIndexOfTermAt(index: LogIndex): LogIndex {
    return this.runAt(index)?.firstIndex ?? 0;
  }

  /** The last index of `term`, or undefined when no entry has it. */
  lastIndexOfTerm(term: Term, lastIndex: LogIndex): LogIndex | undefined {
    for (let i = this.runs.length - 1; i >= 0; i--) {
      const run = this.runs[i]!;
      if (run.term === term) return (this.runs[i + 1]?.firstIndex ?? lastIndex + 1) - 1;
      if (run.term < term) return undefined;
    }
    return undefined;
  }

  private runAt(index: LogIndex): TermRun | undefined {
    let low = 0;
    let high = this.runs.length - 1;
    if (high >= 0 && this.runs[high]!.firstIndex <= index) return this.runs[high];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.runs[middle]!.firstIndex <= index) low = middle;
      else high = middle - 1;
    }
    const run = this.runs[low];
    return run !== undefined && run.firstIndex <= index ? run : undefined;
  }
}
