import type { LogIndex, Term } from '@app/raft';

/** Who waits for an entry of the log. Exactly one of the three is called, once. */
export interface WaitingForEntry {
  /** `answers` has one for each command of the entry. */
  applied(answers: readonly Uint8Array[], term: Term, index: LogIndex): void;
  /** It surely did not take effect. */
  rejected(reason: string): void;
  unknown(reason: string): void;
}

const LEADERSHIP_LOST = 'leadership_lost';

/**
 * The entries that this node has proposed and not yet applied, by their index: the twin of the real node's. Every one ends: answered when
 * it is applied, rejected when another entry is applied in its place, unknown when the leadership is lost first.
 */
export class PendingProposals {
  private readonly entries = new Map<LogIndex, { readonly term: Term; readonly waiting: WaitingForEntry }>();

  get count(): number {
    return this.entries.size;
  }

  add(index: LogIndex, term: Term, waiting: WaitingForEntry): void {
    const displaced = this.entries.get(index);
    this.entries.set(index, { term, waiting });
    displaced?.waiting.unknown(LEADERSHIP_LOST);
  }

  applied(index: LogIndex, term: Term, answers: readonly Uint8Array[]): void {
    const entry = this.entries.get(index);
    if (entry === undefined) return;
    this.entries.delete(index);
    if (entry.term === term) entry.waiting.applied(answers, term, index);
    else entry.waiting.rejected('overwritten');
  }

  leadershipLost(): void {
    const lost = [...this.entries.values()];
    this.entries.clear();
    for (const { waiting } of lost) waiting.unknown(LEADERSHIP_LOST);
  }
}
