import type { NodeId } from './entry.js';
import type { RaftConfig } from './raft-config.js';
import type { ReadyBuilder } from './ready.js';
import type { RaftState } from './state.js';

/** Why a transfer was not begun. */
export type TransferRejection =
  'not_leader' | 'transfer_in_progress' | 'not_a_voter' | 'already_leader' | 'unreachable';

/**
 * Handing the leadership over (dissertation 3.10): no new proposals, the successor is brought up to date, and told to campaign at once.
 * After an election timeout the leader takes back the attempt.
 */
export class LeadershipTransfer {
  constructor(private readonly config: RaftConfig) {}

  /** Undefined when the transfer has begun. */
  begin(state: RaftState, to: NodeId, ready: ReadyBuilder): TransferRejection | undefined {
    void [state, to, ready, this.config];
    return 'not_leader';
  }

  /** Tells the successor once it has everything. */
  settle(state: RaftState, ready: ReadyBuilder): void {
    void [state, ready];
  }

  tick(state: RaftState): void {
    void state;
  }
}
