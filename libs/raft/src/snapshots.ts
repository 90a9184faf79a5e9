import type { LogIndex, NodeId, Term } from './entry.js';
import { invariant } from './errors.js';
import type { InstallSnapshot, SnapshotMetadata } from './messages.js';
import type { RaftConfig } from './raft-config.js';
import type { ReadyBuilder } from './ready.js';
import type { RaftState } from './state.js';

/**
 * Compaction of the log, and the state instead of the log for who is too far behind (section 7). The state itself is the driver's:
 * this part decides when it is needed, from where, and what becomes of the log.
 */
export class Snapshots {
  /** Whom the driver is bringing a state, and since which term of this leader: one request at a time for each. */
  private readonly requested = new Map<NodeId, Term>();

  constructor(private readonly config: RaftConfig) {}

  /**
   * What the state machine's state at `index` stands for; `index` is not above what is applied. Undefined below the log's base: there
   * terms are unknown, also of what was applied last, when a snapshot is about to replace it.
   */
  describe(state: RaftState, index: LogIndex): SnapshotMetadata | undefined {
    invariant(
      index <= state.appliedIndex,
      () => `a snapshot of ${index} is asked for, only ${state.appliedIndex} is applied`,
    );
    if (index < state.log.base.index) return undefined;
    return { index, term: state.log.termAt(index), configuration: state.configurations.at(index) };
  }

  /** The state machine's state up to `index` is durable without the log: older entries are needed only by followers. */
  checkpointed(state: RaftState, index: LogIndex, retainedEntries: number, ready: ReadyBuilder): void {
    invariant(index <= state.appliedIndex, () => `${index} is checkpointed, only ${state.appliedIndex} is applied`);
    const through = Math.min(index - retainedEntries, state.log.persistedIndex, this.pinnedIndex(state));
    if (through <= state.log.base.index) return;
    state.log.compactThrough(through);
    state.configurations.compactThrough(through);
    ready.compactThrough = through;
  }

  /** To be called on a leader: asks the driver for the state on behalf of each follower that waits for it. */
  request(state: RaftState, ready: ReadyBuilder): void {
    for (const [to, progress] of state.progress) {
      if (progress.state !== 'snapshot' || this.requested.has(to)) continue;
      this.requested.set(to, state.currentTerm);
      ready.snapshots.push({ to });
    }
  }

  /**
   * The driver has begun to bring a follower the state of `index`. Undefined when that follower needs none any more, or when the
   * request is of an earlier term: then it has ended, and is made anew if need be.
   */
  started(state: RaftState, to: NodeId, index: LogIndex): InstallSnapshot | undefined {
    const progress = state.progress.get(to);
    if (progress?.state !== 'snapshot' || this.requested.get(to) !== state.currentTerm) {
      this.ended(state, to, false);
      return undefined;
    }
    const snapshot = this.describe(state, index);
    invariant(
      snapshot !== undefined,
      () => `the state of ${index} does not reach ${state.log.base.index}, the log's base`,
    );
    progress.pendingSnapshotIndex = index;
    return { type: 'InstallSnapshot', from: state.id, to, term: state.currentTerm, snapshot };
  }

  /** What was delivered is acknowledged by the follower itself. If it was not, the next heartbeat finds out what it lacks. */
  ended(state: RaftState, to: NodeId, isDelivered: boolean): void {
    const isOfThisTerm = this.requested.get(to) === state.currentTerm;
    const isKnown = this.requested.delete(to);
    const progress = state.progress.get(to);
    // Meanwhile the follower may have caught up, left and come back, or the leadership changed hands and returned.
    if (!isKnown || progress?.state !== 'snapshot') return;
    if (isDelivered && isOfThisTerm && progress.pendingSnapshotIndex > 0) progress.snapshotDelivered();
    else progress.pause(Math.max(progress.matchIndex, state.log.base.index) + 1);
  }

  /** At the same term as this node's: the sender is its leader, and the state has come with it. */
  handleInstallSnapshot(state: RaftState, message: InstallSnapshot, ready: ReadyBuilder): void {
    const { index, term } = message.snapshot;
    if (index > state.commitIndex) {
      // With the entry at its end this log has all that the snapshot stands for, and what follows stays (section 7, figure 13).
      if (state.log.matches(index, term)) state.commitIndex = index;
      else state.restore(message.snapshot);
    }
    ready.sendAfterPersist({
      type: 'AppendEntriesResponse',
      from: state.id,
      to: message.from,
      term: state.currentTerm,
      success: true,
      matchIndex: Math.max(index, state.commitIndex),
      rejectedIndex: 0,
      conflictTerm: 0,
      conflictIndex: 0,
      readContext: 0,
    });
  }

  /**
   * The entries behind it are needed by a follower that is being brought a state, or that has it and is still writing it: without them
   * it would need the next one, and so for ever. Who has fallen silent since holds up nobody.
   */
  private pinnedIndex(state: RaftState): LogIndex {
    let pinned = Infinity;
    for (const { pendingSnapshotIndex, state: phase, lastContactTick } of state.progress.values()) {
      const isAwaited = phase === 'snapshot' || state.now - lastContactTick < this.config.electionTimeoutTicks;
      if (pendingSnapshotIndex > 0 && isAwaited) pinned = Math.min(pinned, pendingSnapshotIndex);
    }
    return pinned;
  }
}
