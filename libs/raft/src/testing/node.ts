import { decodeConfiguration } from '../configuration-codec.js';
import type { Configuration, ConfigurationAt } from '../configuration.js';
import { Election } from '../election.js';
import { EntryType, type Entry, type HardState, type NodeId } from '../entry.js';
import { emptyLog, type LogBase, type RestoredLog } from '../log.js';
import type { Message, ReadRejection, SnapshotMetadata } from '../messages.js';
import { Raft } from '../raft.js';
import type { RaftConfig } from '../raft-config.js';
import type { Random } from '../random.js';
import { LeadershipTransfer } from '../leadership-transfer.js';
import { Membership } from '../membership.js';
import { ReadIndex } from '../read-index.js';
import { Snapshots } from '../snapshots.js';
import { hasWork, type EntryFetch, type PersistBatch } from '../ready.js';
import { Replication } from '../replication.js';
import { RaftState, type Role } from '../state.js';

/** What survives a crash. */
export interface TestDisk {
  hardState: HardState;
  /** From index 1 on. What the log has forgotten stays for the observer only: the node cannot read it. */
  entries: Entry[];
  /** Up to here the log has forgotten its entries. */
  base?: LogBase;
  /** The state machine as of some index: all entries that made it. */
  checkpoint?: { readonly metadata: SnapshotMetadata; readonly state: readonly Entry[] };
}

/** The states that travel with snapshots. */
const travelling = new WeakMap<SnapshotMetadata, readonly Entry[]>();

/** To be delivered with a snapshot that a test has made itself. */
export function attachState(snapshot: SnapshotMetadata, state: readonly Entry[]): void {
  travelling.set(snapshot, state);
}

/** Who wants to know what a node does, at the moment it does it. */
export interface TestObserver {
  sent(node: TestNode, message: Message): void;
  synced(node: TestNode): void;
  applied(node: TestNode, entries: readonly Entry[]): void;
  /** `state` has taken the place of what was applied. */
  installed(node: TestNode, state: readonly Entry[]): void;
  compacted(node: TestNode, index: number): void;
  confirmed(node: TestNode, context: number, index: number): void;
  rejected(node: TestNode, context: number, reason: ReadRejection): void;
}

/** An entry as `term:text`, so that logs read like the paper's figures. */
export const show = (entry: Entry): string =>
  `${entry.term}:${entry.type === EntryType.Noop ? '-' : String.fromCharCode(...entry.data)}`;

const configurationsOf = (entries: readonly Entry[]): ConfigurationAt[] =>
  entries
    .filter((entry) => entry.type === EntryType.Configuration)
    .map(({ index, data }) => ({ index, configuration: decodeConfiguration(data)! }));

/** One node, with a disk and a state machine that are as slow as they are told to be. */
export class TestNode {
  raft!: Raft;
  state!: RaftState;
  readonly applied: Entry[] = [];
  readonly confirmedReads: { context: number; index: number }[] = [];
  readonly rejectedReads: { context: number; reason: ReadRejection }[] = [];
  isUp = true;
  /** With a slow disk a batch stays in `writing` until `completePersist`, and fetches in `fetches` until `completeFetch`. */
  isDiskSlow = false;
  isApplySlow = false;
  writing: PersistBatch | undefined;
  readonly fetches: EntryFetch[] = [];
  /** With slow transfers requests for the state wait for `startTransfer`, and what that began for `endTransfer`. */
  areTransfersSlow = false;
  readonly requests: NodeId[] = [];
  readonly transfers: NodeId[] = [];

  constructor(
    private readonly config: RaftConfig,
    private readonly configuration: Configuration,
    private readonly random: Random,
    readonly disk: TestDisk,
    private readonly observer: TestObserver,
  ) {
    this.start();
  }

  get id(): NodeId {
    return this.config.id;
  }

  get incarnation(): string | undefined {
    return this.config.incarnation;
  }

  /** A restart. The memory is lost, the disk is not; of the state machine `appliedIndex` entries are left, all by default. */
  start(appliedIndex = this.applied.length): void {
    const { checkpoint } = this.disk;
    if (checkpoint !== undefined) {
      const { index, term } = checkpoint.metadata;
      // A crash has come between the state and the log: the state decides.
      if (index > this.base.index && this.disk.entries[index - 1]?.term !== term) this.resetLog(checkpoint);
      if (appliedIndex < index) this.applied.splice(0, Infinity, ...checkpoint.state);
    }
    this.applied.length = Math.max(appliedIndex, checkpoint?.metadata.index ?? 0);
    const { base } = this;
    const entries = this.disk.entries.slice(base.index);
    const log: RestoredLog = {
      base,
      lastIndex: base.index + entries.length,
      termRuns: entries
        .map((entry) => ({ firstIndex: entry.index, term: entry.term }))
        .filter((run, i, runs) => i === 0 || runs[i - 1]!.term !== run.term),
      tail: entries.slice(this.applied.length - base.index),
    };
    const known = checkpoint?.metadata.configuration ?? { index: 0, configuration: this.configuration };
    this.state = new RaftState(this.id, {
      hardState: this.disk.hardState,
      log,
      configurations: [known, ...configurationsOf(entries).filter(({ index }) => index > known.index)],
      appliedIndex: this.applied.length,
    });
    const replication = new Replication(this.config);
    this.raft = new Raft(
      this.config,
      this.state,
      new Election(this.config, this.random),
      replication,
      new ReadIndex(this.config, this.random),
      new Membership(this.config, replication),
      new Snapshots(this.config),
      new LeadershipTransfer(this.config),
    );
    this.isUp = true;
  }

  /**
   * Stops at once. Of a batch that is being written, `recordsKept` reach the disk: the hard state, the state of a snapshot, the log's new
   * beginning, then the entries.
   */
  crash(recordsKept = 0): void {
    this.isUp = false;
    if (this.writing !== undefined) this.write(this.writing, recordsKept);
    this.writing = undefined;
    this.fetches.length = 0;
    this.requests.length = 0;
    this.transfers.length = 0;
  }

  /** Carries out what the core asks for, in the order that `Ready` states, until it asks for nothing. */
  pump(): void {
    while (this.isUp) {
      const { isAtRest } = this.raft;
      const ready = this.raft.takeReady(!this.isApplySlow);
      if (isAtRest && hasWork(ready)) throw new Error(`${this.id} is not at rest`);
      for (const message of ready.messages) this.observer.sent(this, message);
      if (ready.persist !== undefined) {
        if (this.writing !== undefined) throw new Error(`${this.id}: a second batch while one is being written`);
        this.writing = ready.persist;
        if (!this.isDiskSlow) this.completePersist();
      }
      this.apply(ready.committed);
      for (const { index, contexts } of ready.confirmedReads) {
        for (const context of contexts) {
          this.confirmedReads.push({ context, index });
          this.observer.confirmed(this, context, index);
        }
      }
      for (const { reason, contexts } of ready.rejectedReads) {
        for (const context of contexts) {
          this.rejectedReads.push({ context, reason });
          this.observer.rejected(this, context, reason);
        }
      }
      if (ready.compactThrough !== undefined) this.compact(ready.compactThrough);
      this.requests.push(...ready.snapshots.map(({ to }) => to));
      while (!this.areTransfersSlow && this.requests.length > 0) {
        this.startTransfer();
        this.endTransfer(true);
      }
      this.fetches.push(...ready.fetches);
      if (!this.isDiskSlow) while (this.fetches.length > 0) this.completeFetch();
      const { messages, committed, fetches, snapshots } = ready;
      if (ready.persist === undefined && messages.length + committed.length + fetches.length + snapshots.length === 0) {
        return;
      }
    }
  }

  completePersist(): void {
    const batch = this.writing!;
    this.writing = undefined;
    this.write(batch, Infinity);
    for (const message of batch.messages) this.observer.sent(this, message);
    this.raft.persisted();
  }

  completeFetch(isReadable = true): void {
    const fetch = this.fetches.shift()!;
    const entries: Entry[] = [];
    const isThere = isReadable && fetch.from > this.base.index;
    for (const entry of isThere ? this.disk.entries.slice(fetch.from - 1) : []) {
      const bytes = entries.reduce((sum, { data }) => sum + data.byteLength, entry.data.byteLength);
      if (entries.length > 0 && bytes > fetch.bytesMax) break;
      entries.push(entry);
    }
    this.raft.entriesFetched(fetch.to, entries);
  }

  /** Makes the state machine durable as it stands. */
  checkpoint(): void {
    const index = this.applied.length;
    const metadata = this.raft.describeSnapshot(index);
    if (metadata === undefined) return;
    this.disk.checkpoint = { metadata, state: [...this.applied] };
    this.raft.checkpointed(index);
  }

  /** Begins the oldest transfer that waits: the message leaves, with the state. */
  startTransfer(): void {
    const to = this.requests.shift()!;
    const message = this.raft.snapshotStarted(to, this.applied.length);
    if (message === undefined) return;
    attachState(message.snapshot, [...this.applied]);
    this.transfers.push(to);
    this.observer.sent(this, message);
  }

  endTransfer(isDelivered: boolean): void {
    const to = this.transfers.shift();
    if (to !== undefined) this.raft.snapshotEnded(to, isDelivered);
  }

  get base(): LogBase {
    return this.disk.base ?? emptyLog.base;
  }

  /** The whole log, also what has left the memory. */
  get entries(): Entry[] {
    const { log } = this.state;
    let first = 1;
    while (first <= log.lastIndex && log.slice(first, first, Infinity) === undefined) first++;
    const inMemory = first <= log.lastIndex ? log.slice(first, log.lastIndex, Infinity)! : [];
    return [...this.disk.entries.slice(0, first - 1), ...inMemory];
  }

  get log(): string[] {
    return this.entries.map(show);
  }

  get role(): Role {
    return this.state.role;
  }

  private write(batch: PersistBatch, recordsKept: number): void {
    const { hardState, snapshot, entries } = batch;
    const steps: (() => void)[] = [];
    if (hardState !== undefined) steps.push(() => (this.disk.hardState = hardState));
    if (snapshot !== undefined) {
      const state = travelling.get(snapshot)!;
      steps.push(
        () => this.install(snapshot, state),
        () => this.resetLog(this.disk.checkpoint!),
      );
    }
    for (const entry of entries) {
      steps.push(() => {
        this.disk.entries.length = entry.index - 1;
        this.disk.entries.push(entry);
      });
    }
    for (const step of steps.slice(0, recordsKept)) {
      step();
      this.observer.synced(this);
    }
  }

  private install(metadata: SnapshotMetadata, state: readonly Entry[]): void {
    this.observer.installed(this, state);
    this.applied.splice(0, Infinity, ...state);
    this.disk.checkpoint = { metadata, state };
  }

  private resetLog({ metadata, state }: NonNullable<TestDisk['checkpoint']>): void {
    this.disk.entries = [...state];
    this.disk.base = { index: metadata.index, term: metadata.term };
  }

  private compact(index: number): void {
    if (index <= this.base.index) return;
    this.observer.compacted(this, index);
    this.disk.base = { index, term: this.disk.entries[index - 1]!.term };
  }

  private apply(entries: readonly Entry[]): void {
    if (entries.length === 0) return;
    this.observer.applied(this, entries);
    this.applied.push(...entries);
    this.raft.applied(entries.at(-1)!.index);
  }
}
