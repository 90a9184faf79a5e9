import type { LogIndex, Message, NodeId } from '@app/raft';
import type { ObservedNode } from '../observer.js';
import type { Check } from './check.js';
import { fail } from './fail.js';

/** The log is shortened only below what the durable state contains. */
export class CompactionChecks implements Check {
  private readonly checkpoints = new Map<NodeId, LogIndex>();
  /** The latest snapshot that a node was sent since it started: its log begins anew in memory before that is durable. */
  private readonly offered = new Map<NodeId, LogIndex>();

  started({ id, appliedIndex, state }: ObservedNode): void {
    this.checkpoints.set(id, appliedIndex);
    this.offered.set(id, 0);
    if (state !== undefined && state.log.base.index > appliedIndex) {
      fail(
        'compaction_beyond_checkpoint',
        `the log of ${id} begins behind ${state.log.base.index}, its state is of ${appliedIndex}`,
      );
    }
  }

  received({ id }: ObservedNode, message: Message): void {
    if (message.type !== 'InstallSnapshot') return;
    this.offered.set(id, Math.max(message.snapshot.index, this.offered.get(id) ?? 0));
  }

  snapshotInstalled({ id }: ObservedNode, { index }: { readonly index: LogIndex }): void {
    this.checkpoints.set(id, Math.max(index, this.checkpoints.get(id) ?? 0));
  }

  checkpointed({ id }: ObservedNode, index: LogIndex): void {
    this.checkpoints.set(id, Math.max(index, this.checkpoints.get(id) ?? 0));
  }

  compacted({ id }: ObservedNode, index: LogIndex): void {
    const checkpoint = this.checkpoints.get(id) ?? 0;
    if (index > checkpoint) {
      fail(
        'compaction_beyond_checkpoint',
        `${id} forgets its log up to ${index}, its durable state is of ${checkpoint}`,
      );
    }
  }

  settled({ id, state }: ObservedNode): void {
    if (state === undefined) return;
    const checkpoint = Math.max(this.checkpoints.get(id) ?? 0, this.offered.get(id) ?? 0);
    if (state.log.base.index > checkpoint) {
      fail(
        'compaction_beyond_checkpoint',
        `the log of ${id} begins behind ${state.log.base.index}, its durable state is of ${checkpoint}`,
      );
    }
  }
}
