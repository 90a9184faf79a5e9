import type { LogIndex, NodeId } from './entry.js';
import type { InstallSnapshot, SnapshotMetadata } from './messages.js';
import type { RaftConfig } from './raft-config.js';
import type { ReadyBuilder } from './ready.js';
import type { RaftState } from './state.js';

/**
 * Compaction of the log, and the state instead of the log for who is too far behind (section 7). The state itself is the driver's:
 * this part decides when it is needed, from where, and what becomes of the log.
 */
export class Snapshots {
  constructor(private readonly config: RaftConfig) {}

  /** What the state machine's state at `index` stands for; `index` is not below the log's base and not above what is applied. */
  describe(state: RaftState, index: LogIndex): SnapshotMetadata {
    void this.config;
    return { index, term: state.log.termAt(index), configuration: state.configurations.at(index) };
  }

  /** The state machine's state up to `index` is durable without the log: older entries are needed only by followers. */
  checkpointed(state: RaftState, index: LogIndex, ready: ReadyBuilder): void {
    void [state, index, ready];
  }

  /** The driver has begun to bring a follower the state of `index`. Undefined when that follower needs none any more. */
  started(state: RaftState, to: NodeId, index: LogIndex): InstallSnapshot | undefined {
    void [state, to, index];
    return undefined;
  }

  ended(state: RaftState, to: NodeId, isDelivered: boolean): void {
    void [state, to, isDelivered];
  }

  /** At the same term as this node's: the sender is its leader, and the state has come with it. */
  handleInstallSnapshot(state: RaftState, message: InstallSnapshot, ready: ReadyBuilder): void {
    void [state, message, ready];
  }
}
