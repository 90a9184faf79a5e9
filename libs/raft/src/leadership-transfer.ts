import { isVoter } from './configuration.js';
import type { NodeId } from './entry.js';
import type { RaftConfig } from './raft-config.js';
import type { ReadyBuilder } from './ready.js';
import type { RaftState } from './state.js';

/** Why a transfer was not begun. */
export type TransferRejection =
  'not_leader' | 'transfer_in_progress' | 'not_a_voter' | 'already_leader' | 'unreachable';

/**
 * Handing the leadership over (dissertation 3.10): no new proposals, the successor is brought up to date, and told to campaign at once.
 * After an election timeout the leader takes back the attempt. A leader that a committed configuration has left out looks for a
 * successor by itself, so that the cluster does not have to wait for a timeout.
 */
export class LeadershipTransfer {
  constructor(private readonly config: RaftConfig) {}

  /** Undefined when the transfer has begun. */
  begin(state: RaftState, to: NodeId, ready: ReadyBuilder): TransferRejection | undefined {
    if (state.role !== 'leader') return 'not_leader';
    if (state.transfer !== undefined) return 'transfer_in_progress';
    if (to === state.id) return 'already_leader';
    // Who is on its way out would have to hand over again.
    if (!state.configuration.voters.includes(to)) return 'not_a_voter';
    if (!this.isReachable(state, to)) return 'unreachable';
    state.transfer = { to, since: state.now, isSent: false };
    this.tellSuccessor(state, ready);
    return undefined;
  }

  /** The voter that has most of the log among those that have answered of late and are not excepted; undefined when there is none. */
  successor(state: RaftState, except: readonly NodeId[]): NodeId | undefined {
    let best: NodeId | undefined;
    for (const id of state.configuration.voters) {
      if (except.includes(id) || !this.isReachable(state, id)) continue;
      if (best === undefined || this.matchIndexOf(state, id) > this.matchIndexOf(state, best)) best = id;
    }
    return best;
  }

  /** Tells the successor once it has everything. True when nothing is left to do for a leader that is no voter: it has to step down. */
  settle(state: RaftState, ready: ReadyBuilder): boolean {
    if (state.role !== 'leader') return false;
    const isRemoved = this.isRemoved(state);
    if (isRemoved && state.transfer === undefined) {
      const to = this.successor(state, []);
      if (to === undefined) return true;
      state.transfer = { to, since: state.now, isSent: false };
    }
    if (state.transfer === undefined) return false;
    this.tellSuccessor(state, ready);
    return isRemoved && state.transfer.isSent;
  }

  /** Gives up after an election timeout. True when the leader has to step down all the same. */
  tick(state: RaftState): boolean {
    const { transfer, now } = state;
    if (transfer === undefined || now - transfer.since < this.config.electionTimeoutTicks) return false;
    state.transfer = undefined;
    return this.isRemoved(state) || state.candidacy === 'never';
  }

  private tellSuccessor(state: RaftState, ready: ReadyBuilder): void {
    const { transfer, log } = state;
    if (transfer === undefined || transfer.isSent) return;
    if (state.progress.get(transfer.to)?.matchIndex !== log.lastIndex) return;
    transfer.isSent = true;
    state.timeoutNowSent = true;
    ready.send({
      type: 'TimeoutNow',
      from: state.id,
      to: transfer.to,
      term: state.currentTerm,
      lastLogIndex: log.lastIndex,
      lastLogTerm: log.lastTerm,
    });
  }

  /** Whether the cluster has decided to go on without this leader; until then it leads without counting itself (section 6). */
  private isRemoved({ configuration, configurations, commitIndex, id }: RaftState): boolean {
    return !isVoter(configuration, id) && configurations.currentIndex <= commitIndex;
  }

  private matchIndexOf(state: RaftState, id: NodeId): number {
    return state.progress.get(id)?.matchIndex ?? 0;
  }

  private isReachable(state: RaftState, id: NodeId): boolean {
    const lastContactTick = state.progress.get(id)?.lastContactTick ?? -Infinity;
    return state.now - lastContactTick < this.config.electionTimeoutTicks;
  }
}
