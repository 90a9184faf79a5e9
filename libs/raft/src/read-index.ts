import type { ReadIndexRequest, ReadIndexResponse, ReadRejection } from './messages.js';
import { hasQuorum } from './quorum.js';
import type { RaftConfig } from './raft-config.js';
import type { ReadyBuilder } from './ready.js';
import type { RaftState } from './state.js';

/** `lease` trusts the clocks within a stated bound, `read_index` trusts none. */
export type ReadMode = 'read_index' | 'lease';

/**
 * Linearizable reads without a log entry (dissertation 6.4): the commit index at the time of the read is
 * safe to read at, once a quorum has answered a round of messages sent after that time.
 *
 * One round at a time is under way; every read that arrives meanwhile shares the next. Rounds are numbered
 * within a term and a number is never used again, so a late answer cannot confirm a later read. No round begins before
 * an entry of this term is committed: until then a new leader may not know of all commits.
 */
export class ReadIndex {
  private waiting: number[] = [];
  private round: { readContext: number; index: number; contexts: number[] } | undefined;

  constructor(private readonly config: RaftConfig) {}

  get pendingCount(): number {
    return this.waiting.length + (this.round?.contexts.length ?? 0);
  }

  /** Accepts a read, named by a context of the caller's choice, or rejects it at once. */
  request(state: RaftState, context: number, _mode: ReadMode, ready: ReadyBuilder): void {
    if (state.role !== 'leader') this.reject([context], 'not_leader', ready);
    else if (this.pendingCount >= this.config.pendingReadsMax) this.reject([context], 'read_limit', ready);
    else this.waiting.push(context);
  }

  /** Begins a round if reads wait and none is under way; true when one began and must be broadcast. */
  maybeBegin(state: RaftState): boolean {
    if (state.role !== 'leader' || this.round !== undefined || this.waiting.length === 0) return false;
    if (!state.hasCommittedInTerm) return false;
    state.readContext += 1;
    this.round = { readContext: state.readContext, index: state.commitIndex, contexts: this.waiting };
    this.waiting = [];
    return true;
  }

  /** Confirms the round once a quorum has answered it. */
  maybeConfirm(state: RaftState, ready: ReadyBuilder): void {
    const round = this.round;
    if (round === undefined || state.role !== 'leader') return;
    const hasAnswered = (id: string) =>
      id === state.id || (state.progress.get(id)?.readContext ?? 0) >= round.readContext;
    if (!hasQuorum(state.configuration, hasAnswered)) return;
    ready.confirmedReads.push({ index: round.index, contexts: round.contexts });
    this.round = undefined;
  }

  tick(state: RaftState, ready: ReadyBuilder): void {
    void [state, ready];
  }

  /** A follower asks this node, which it believes to lead. */
  handleRequest(state: RaftState, message: ReadIndexRequest, ready: ReadyBuilder): void {
    void [state, message, ready];
  }

  handleResponse(state: RaftState, message: ReadIndexResponse, ready: ReadyBuilder): void {
    void [state, message, ready];
  }

  leadershipLost(ready: ReadyBuilder): void {
    const contexts = [...(this.round?.contexts ?? []), ...this.waiting];
    this.round = undefined;
    this.waiting = [];
    if (contexts.length > 0) this.reject(contexts, 'leadership_lost', ready);
  }

  private reject(contexts: readonly number[], reason: ReadRejection, ready: ReadyBuilder): void {
    ready.rejectedReads.push({ reason, contexts });
  }
}
