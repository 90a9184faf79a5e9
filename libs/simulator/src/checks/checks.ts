import type {
  ConfigurationAt,
  Entry,
  LogIndex,
  Message,
  NodeId,
  ReadMode,
  ReadRejection,
  SnapshotMetadata,
} from '@app/raft';
import type { ObservedNode, SimObserver, Synced } from '../observer.js';
import { ApplyChecks } from './apply-checks.js';
import { CandidacyChecks } from './candidacy-checks.js';
import type { Check } from './check.js';
import { CommitChecks } from './commit-checks.js';
import { CommittedLog } from './committed-log.js';
import { CompactionChecks } from './compaction-checks.js';
import { ConfigurationChecks } from './configuration-checks.js';
import { DisturbanceChecks } from './disturbance-checks.js';
import { DurableLedger } from './durable-ledger.js';
import { fail } from './fail.js';
import { ElectionChecks } from './election-checks.js';
import { LogChecks } from './log-checks.js';
import { PendingCalls } from './pending-calls.js';
import { ProgressChecks } from './progress-checks.js';
import { PromiseChecks } from './promise-checks.js';
import { ReadChecks } from './read-checks.js';
import { ReferenceFold } from './reference-fold.js';
import { WriteRecord } from './write-record.js';

export interface ChecksOptions {
  /** Whether clocks and settings of this run keep the bound that lease reads need. */
  readonly areLeasesSound: boolean;
}

/**
 * Everything that is checked after every step, in one observer. The work per event is what has changed on the node that it touched; an idle
 * cluster costs a few comparisons.
 */
export class Checks implements SimObserver {
  readonly committed = new CommittedLog();
  readonly ledger = new DurableLedger();
  readonly writes = new WriteRecord();
  readonly reads: ReadChecks;
  readonly calls = new PendingCalls();
  private readonly fold = new ReferenceFold();
  private readonly damaged = new Set<NodeId>();
  private readonly apply = new ApplyChecks(this.committed, this.ledger, this.fold, this.writes);
  private readonly candidacy = new CandidacyChecks();
  private readonly commit = new CommitChecks(this.committed, this.ledger);
  private readonly compaction = new CompactionChecks();
  private readonly configurations = new ConfigurationChecks();
  private readonly disturbance = new DisturbanceChecks();
  private readonly elections = new ElectionChecks(this.ledger);
  private readonly progress = new ProgressChecks(this.ledger);
  private readonly promises = new PromiseChecks(this.ledger);
  private readonly logs = new LogChecks(this.committed, (node, entry, isLeaders) => {
    if (isLeaders) this.configurations.appended(node, entry);
  });

  constructor({ areLeasesSound }: ChecksOptions) {
    this.reads = new ReadChecks(this.committed, areLeasesSound);
  }

  sent(node: ObservedNode, message: Message): void {
    this.promises.sent(node, message);
    this.commit.sent(node, message);
    this.progress.sent(node, message);
    this.disturbance.sent(node, message);
    this.candidacy.sent(node, message);
  }

  received(node: ObservedNode, message: Message): void {
    this.commit.received(node, message);
    this.progress.received(node, message);
    this.compaction.received(node, message);
    this.disturbance.received(node, message);
    this.candidacy.received(node, message);
  }

  synced(node: ObservedNode, synced: Synced): void {
    this.ledger.synced(node, synced);
  }

  persistReported(): void {
    // What it reports has been compared when it was synced.
  }

  applied(node: ObservedNode, entries: readonly Entry[], answers: readonly (readonly Uint8Array[])[]): void {
    this.commit.applied(node, entries);
    this.progress.applied(node, entries);
    this.apply.applied(node, entries, answers);
  }

  snapshotInstalled(node: ObservedNode, snapshot: SnapshotMetadata): void {
    this.apply.snapshotInstalled(node, snapshot);
    this.compaction.snapshotInstalled(node, snapshot);
  }

  checkpointed(node: ObservedNode, index: LogIndex, configuration: ConfigurationAt): void {
    this.apply.checkpointed(node, index, configuration);
    this.compaction.checkpointed(node, index);
  }

  compacted(node: ObservedNode, index: LogIndex): void {
    this.compaction.compacted(node, index);
  }

  readRequested(node: ObservedNode, context: number, mode: ReadMode): void {
    this.reads.readRequested(node, context, mode);
    this.progress.readRequested(node);
  }

  readConfirmed(node: ObservedNode, context: number, index: LogIndex): void {
    this.reads.readConfirmed(node, context, index);
  }

  readRejected(node: ObservedNode, context: number, reason: ReadRejection): void {
    this.reads.readRejected(node, context, reason);
  }

  crashed(node: ObservedNode): void {
    for (const check of this.perProcess) check.crashed?.(node, false);
    this.calls.crashed(node.id);
  }

  started(node: ObservedNode): void {
    if (this.damaged.has(node.id)) fail('damage_accepted', `${node.id} starts although its log is damaged`);
    for (const check of this.perProcess) check.started?.(node);
  }

  wiped(node: ObservedNode): void {
    this.damaged.delete(node.id);
    this.ledger.wiped(node);
  }

  /** A synced record of this node, with others behind it, was damaged: it must refuse to start. */
  damagedLog(id: NodeId): void {
    this.damaged.add(id);
  }

  /** An operator is about to ask that this learner becomes a voter. */
  askedToPromote(id: NodeId): void {
    this.configurations.askedToPromote(id);
  }

  settled(node: ObservedNode): void {
    this.commit.settled(node);
    this.ledger.settled(node);
    this.logs.settled(node);
    this.elections.settled(node);
    this.progress.settled(node);
    this.compaction.settled(node);
    this.disturbance.settled(node);
    this.candidacy.settled(node);
    this.reads.settled(node);
    this.configurations.settled(node);
  }

  /** Whether the state of this replica is what the log makes. Costs all its rows: for the end of a run. */
  checkState(node: ObservedNode, when: string): void {
    this.apply.checkState(node, when);
  }

  private get perProcess(): readonly Check[] {
    return [
      this.ledger,
      this.logs,
      this.commit,
      this.elections,
      this.disturbance,
      this.candidacy,
      this.progress,
      this.apply,
      this.compaction,
      this.reads,
    ];
  }
}
