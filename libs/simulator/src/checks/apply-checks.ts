import {
  EntryType,
  type ConfigurationAt,
  type Entry,
  type LogIndex,
  type NodeId,
  type SnapshotMetadata,
} from '@app/raft';
import type { ObservedNode } from '../observer.js';
import { areEqualBytes } from './bytes.js';
import type { Check } from './check.js';
import type { CommittedLog } from './committed-log.js';
import type { DurableLedger } from './durable-ledger.js';
import { fail } from './fail.js';
import type { ReferenceFold } from './reference-fold.js';
import { digestOf } from './state-digest.js';
import type { WriteRecord } from './write-record.js';

/**
 * Every replica applies the same entries in the same order, each once and after it is on its disk, answers the same, and has the state
 * that the log up to its applied index makes: also after a restart, and after a snapshot.
 */
export class ApplyChecks implements Check {
  private readonly entries: Entry[] = [];
  private readonly appliedIndex = new Map<NodeId, LogIndex>();

  constructor(
    private readonly committed: CommittedLog,
    private readonly ledger: DurableLedger,
    private readonly fold: ReferenceFold,
    private readonly writes: WriteRecord,
  ) {}

  started(node: ObservedNode): void {
    const { id, state } = node;
    if (state === undefined) return;
    this.appliedIndex.set(id, state.appliedIndex);
    if (node.appliedIndex !== state.appliedIndex) {
      fail(
        'applied_twice',
        `${id} starts with a state of ${node.appliedIndex}, its core believes ${state.appliedIndex}`,
      );
    }
    this.checkState(node, 'after its start');
  }

  applied({ id }: ObservedNode, entries: readonly Entry[], answers: readonly (readonly Uint8Array[])[]): void {
    let due = (this.appliedIndex.get(id) ?? 0) + 1;
    entries.forEach((entry, i) => {
      const { index, term } = entry;
      if (index !== due) fail('applied_twice', `${id} applies entry ${index} where ${due} is due`);
      due++;
      if (this.committed.termAt(index) !== term) {
        fail(
          'state_machine_safety',
          `${id} applies entry ${index} of term ${term}, committed is term ${this.committed.termAt(index)}`,
        );
      }
      if (!this.ledger.hasSynced(id, index, term))
        fail('apply_before_sync', `${id} applies entry ${index} before it is synced`);
      this.checkSame(id, entry, answers[i] ?? []);
    });
    this.appliedIndex.set(id, due - 1);
  }

  snapshotInstalled(node: ObservedNode, { index, term }: SnapshotMetadata): void {
    const { id } = node;
    if (this.committed.termAt(index) !== term) {
      fail(
        'snapshot_equals_fold',
        `${id} installs a snapshot of ${index} in term ${term}, committed is term ${this.committed.termAt(index)}`,
      );
    }
    const applied = this.appliedIndex.get(id) ?? 0;
    if (index <= applied) fail('applied_twice', `${id} installs a snapshot of ${index}, it has applied ${applied}`);
    if (node.appliedIndex !== index)
      fail('snapshot_equals_fold', `${id} installs a snapshot of ${index}, its state is of ${node.appliedIndex}`);
    this.appliedIndex.set(id, index);
    this.checkState(node, `after a snapshot of ${index}`);
  }

  checkpointed({ id }: ObservedNode, index: LogIndex, { index: configurationIndex }: ConfigurationAt): void {
    const applied = this.appliedIndex.get(id) ?? 0;
    if (index > applied) fail('snapshot_equals_fold', `${id} has a checkpoint of ${index}, it has applied ${applied}`);
    const due = this.entries.findLast((entry) => entry.index <= index && entry.type === EntryType.Configuration);
    if ((due?.index ?? 0) !== configurationIndex) {
      fail(
        'stale_configuration',
        `${id} has a checkpoint of ${index} with the configuration of ${configurationIndex}, not ${due?.index ?? 0}`,
      );
    }
  }

  /** Whether the state of a replica is what the log up to its applied index makes. Costs all its rows. */
  checkState(node: ObservedNode, when: string): void {
    const digest = this.fold.digestAt(node.appliedIndex);
    if (digest === undefined)
      fail('state_machine_safety', `${node.id} has applied ${node.appliedIndex}, nobody else has`);
    if (digestOf(node.stateRows()) !== digest) {
      fail('snapshot_equals_fold', `the state of ${node.id} at ${node.appliedIndex} is not that of the log, ${when}`);
    }
  }

  private checkSame(id: NodeId, entry: Entry, answers: readonly Uint8Array[]): void {
    const { index } = entry;
    const earlier = this.entries[index - 1];
    if (earlier === undefined) {
      this.entries.push(entry);
      this.fold.apply(entry);
      this.writes.applied(entry, this.fold.answersAt(index));
    } else if (earlier !== entry && (earlier.term !== entry.term || !areEqualBytes(earlier.data, entry.data))) {
      fail('state_machine_safety', `${id} applies another entry ${index} than was applied before`);
    }
    const due = this.fold.answersAt(index);
    const isSame = answers.length === due.length && answers.every((answer, i) => areEqualBytes(answer, due[i]!));
    if (!isSame) fail('state_machine_safety', `${id} answers entry ${index} otherwise than the log says`);
  }
}
