import type { LogIndex, NodeId } from './entry.js';
import type { MembershipNotice, Message } from './messages.js';
import type { RaftConfig } from './raft-config.js';
import type { ReadyBuilder } from './ready.js';
import type { Replication } from './replication.js';
import type { RaftState } from './state.js';

/** What an operator asks for; all of it happens in one change of the configuration. */
export interface MembershipChange {
  /** Nodes that begin to receive the log. They count nowhere. */
  readonly addLearners?: readonly NodeId[];
  /** Learners that become voters; they must have caught up. */
  readonly promote?: readonly NodeId[];
  /** Voters or learners that leave, the leader itself not excepted. */
  readonly remove?: readonly NodeId[];
}

/** Why a change was not appended: it surely has not, and will not, take effect. */
export type ChangeRejection =
  | 'not_leader'
  /** No entry of this leader's term is committed yet: an earlier leader's change may still be on its way. */
  | 'not_ready'
  /** An earlier change is not committed, or its joint configuration has not been left. */
  | 'change_in_progress'
  /** A learner that is to be promoted lags, or has not answered of late. */
  | 'not_caught_up'
  /** It makes no sense in the present configuration; `detail` says why. */
  | 'invalid'
  | 'leadership_transfer';

export type ChangeResult =
  | { readonly accepted: true; readonly term: number; readonly index: LogIndex }
  | { readonly accepted: false; readonly reason: ChangeRejection; readonly detail: string };

/**
 * Changes of the cluster's configuration (section 6; dissertation 4): learners first, one voter more or less at a time where that is
 * enough, joint consensus where it is not.
 */
export class Membership {
  constructor(
    private readonly config: RaftConfig,
    private readonly replication: Replication,
  ) {}

  propose(state: RaftState, change: MembershipChange): ChangeResult {
    void [state, change, this.config, this.replication];
    return { accepted: false, reason: 'not_leader', detail: 'changes are not built yet' };
  }

  /**
   * To be called after every input: follows what the log's configuration has become (a leader's progress, its own removal) and
   * leaves a joint configuration once it is committed.
   */
  settle(state: RaftState, ready: ReadyBuilder): void {
    void [state, ready];
  }

  /** Whether the sender is who the cluster knows by that name. If not, it is told, and its message must change nothing. */
  admits(state: RaftState, message: Message, incarnation: string | undefined, ready: ReadyBuilder): boolean {
    void [state, message, incarnation, ready];
    return true;
  }

  /** Tells a candidate that a committed configuration has left it out. */
  notifyRemoved(state: RaftState, candidate: NodeId, ready: ReadyBuilder): void {
    void [state, candidate, ready];
  }

  handleNotice(state: RaftState, message: MembershipNotice): void {
    void [state, message];
  }
}
