import type { LogIndex, NodeId } from './entry.js';
import { ForwardedReads } from './forwarded-reads.js';
import { Lease } from './lease.js';
import type { ReadIndexRequest, ReadIndexResponse, ReadRejection } from './messages.js';
import { hasQuorum } from './quorum.js';
import type { RaftConfig } from './raft-config.js';
import type { Random } from './random.js';
import type { ReadyBuilder } from './ready.js';
import type { RaftState } from './state.js';

/** `lease` trusts the clocks within a stated bound, `read_index` trusts none. */
export type ReadMode = 'read_index' | 'lease';

/** Who waits for a round: a read of this node, by its context, or a follower. */
type Reader = number | { readonly to: NodeId; readonly requestId: number };

/**
 * Linearizable reads without a log entry (dissertation 6.4): the commit index at the time of the read is
 * safe to read at, once a quorum has answered a round of messages sent after that time.
 *
 * One round at a time is under way; every read that arrives meanwhile, also from followers, shares the next. Rounds are numbered
 * within a term and a number is never used again, so a late answer cannot confirm a later read. No round begins before
 * an entry of this term is committed: until then a new leader may not know of all commits.
 */
export class ReadIndex {
  private waiting: Reader[] = [];
  private round: { readContext: number; index: LogIndex; readers: Reader[] } | undefined;
  private readonly forwarded: ForwardedReads;
  private readonly lease: Lease;

  constructor(
    private readonly config: RaftConfig,
    random: Random,
  ) {
    this.forwarded = new ForwardedReads(config, random);
    this.lease = new Lease(config);
  }

  get pendingCount(): number {
    return this.waiting.length + (this.round?.readers.length ?? 0) + this.forwarded.count;
  }

  /** Accepts a read, named by a context of the caller's choice, or rejects it at once. */
  request(state: RaftState, context: number, mode: ReadMode, ready: ReadyBuilder): void {
    if (state.leaderId === undefined) this.answer([context], 'not_leader', state, ready);
    else if (mode === 'lease' && state.role === 'leader' && state.hasCommittedInTerm && this.lease.isValid(state))
      ready.confirmedReads.push({ index: state.commitIndex, contexts: [context] });
    else if (this.pendingCount >= this.config.pendingReadsMax) this.answer([context], 'read_limit', state, ready);
    else if (state.role === 'leader') this.waiting.push(context);
    else this.forwarded.add(state, context);
  }

  /** Begins a round if reads wait and none is under way; true when one began and must be broadcast. */
  maybeBegin(state: RaftState): boolean {
    if (state.role !== 'leader' || this.round !== undefined || this.waiting.length === 0) return false;
    if (!state.hasCommittedInTerm) return false;
    this.beginRound(state);
    this.round = { readContext: state.readContext, index: state.commitIndex, readers: this.waiting };
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
    this.round = undefined;
    this.answer(round.readers, round.index, state, ready);
  }

  /** With leases a round begins every `heartbeatTicks`; true when one began and must be broadcast. */
  tick(state: RaftState, ready: ReadyBuilder): boolean {
    this.forwarded.tick(state, ready);
    const isHeartbeat = state.role === 'leader' && state.now % this.config.heartbeatTicks === 0;
    if (!isHeartbeat || !this.lease.isEnabled) return false;
    this.beginRound(state);
    return true;
  }

  /** To be called when everything else has taken effect: sends what a follower's reads ask for, and ends them when the leader has changed. */
  settle(state: RaftState, ready: ReadyBuilder): void {
    this.forwarded.settle(state, ready);
  }

  /** A follower asks this node, which it believes to lead. Who is no member is answered like by any node that does not lead. */
  handleRequest(state: RaftState, message: ReadIndexRequest, ready: ReadyBuilder): void {
    const reader = { to: message.from, requestId: message.requestId };
    if (state.role !== 'leader' || !state.progress.has(message.from)) this.answer([reader], 'not_leader', state, ready);
    else if (this.pendingCount >= this.config.pendingReadsMax) this.answer([reader], 'read_limit', state, ready);
    else this.waiting.push(reader);
  }

  handleResponse(message: ReadIndexResponse, ready: ReadyBuilder): void {
    this.forwarded.handleResponse(message, ready);
  }

  leadershipLost(state: RaftState, ready: ReadyBuilder): void {
    const readers = [...(this.round?.readers ?? []), ...this.waiting];
    this.round = undefined;
    this.waiting = [];
    this.answer(readers, 'leadership_lost', state, ready);
  }

  private beginRound(state: RaftState): void {
    state.readContext += 1;
    this.lease.roundBegun(state);
  }

  private answer(
    readers: readonly Reader[],
    outcome: LogIndex | ReadRejection,
    state: RaftState,
    ready: ReadyBuilder,
  ): void {
    const contexts = readers.filter((reader) => typeof reader === 'number');
    const isConfirmed = typeof outcome === 'number';
    if (contexts.length > 0) {
      if (isConfirmed) ready.confirmedReads.push({ index: outcome, contexts });
      else ready.rejectedReads.push({ reason: outcome, contexts });
    }
    for (const reader of readers) {
      if (typeof reader === 'number') continue;
      const response: ReadIndexResponse = {
        type: 'ReadIndexResponse',
        from: state.id,
        to: reader.to,
        term: state.currentTerm,
        requestId: reader.requestId,
        index: isConfirmed ? outcome : 0,
        rejection: isConfirmed ? undefined : outcome,
      };
      if (state.persistedTerm === state.currentTerm) ready.send(response);
      else ready.sendAfterPersist(response);
    }
  }
}
