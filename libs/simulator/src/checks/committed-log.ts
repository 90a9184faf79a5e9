import type { LogIndex, Term } from '@app/raft';

/** Every entry that any node has ever held committed, by index from 1 on. Nodes may forget theirs; this does not. */
export class CommittedLog {
  private readonly terms: Term[] = [0];
  private readonly committedIn: Term[] = [0];

  get lastIndex(): LogIndex {
    return this.terms.length - 1;
  }

  /** Undefined behind the end; 0 at index 0. */
  termAt(index: LogIndex): Term | undefined {
    return this.terms[index];
  }

  /** A term in which the entry was committed already: leaders of later terms have it. */
  committedInTerm(index: LogIndex): Term {
    return this.committedIn[index] ?? Infinity;
  }

  /** Adds the entry behind the last one. */
  add(term: Term, committedIn: Term): void {
    this.terms.push(term);
    this.committedIn.push(committedIn);
  }
}
