import { decodeConfiguration } from '../configuration-codec.js';
import type { Configuration, ConfigurationAt } from '../configuration.js';
import { Election } from '../election.js';
import { EntryType, type Entry, type HardState, type NodeId } from '../entry.js';
import { emptyLog, type RestoredLog } from '../log.js';
import type { Message, ReadRejection } from '../messages.js';
import { Raft } from '../raft.js';
import type { RaftConfig } from '../raft-config.js';
import type { Random } from '../random.js';
import { LeadershipTransfer } from '../leadership-transfer.js';
import { Membership } from '../membership.js';
import { ReadIndex } from '../read-index.js';
import { Snapshots } from '../snapshots.js';
import type { EntryFetch, PersistBatch } from '../ready.js';
import { Replication } from '../replication.js';
import { RaftState, type Role } from '../state.js';

/** What survives a crash. */
export interface TestDisk {
  hardState: HardState;
  entries: Entry[];
}

/** Who wants to know what a node does, at the moment it does it. */
export interface TestObserver {
  sent(node: TestNode, message: Message): void;
  synced(node: TestNode): void;
  applied(node: TestNode, entries: readonly Entry[]): void;
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
    this.applied.length = appliedIndex;
    const { entries } = this.disk;
    const log: RestoredLog = {
      ...emptyLog,
      lastIndex: entries.length,
      termRuns: entries
        .map((entry) => ({ firstIndex: entry.index, term: entry.term }))
        .filter((run, i, runs) => i === 0 || runs[i - 1]!.term !== run.term),
      tail: entries.slice(appliedIndex),
    };
    this.state = new RaftState(this.id, {
      hardState: this.disk.hardState,
      log,
      configurations: [{ index: 0, configuration: this.configuration }, ...configurationsOf(entries)],
      appliedIndex,
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

  /** Stops at once. Of a batch that is being written, `recordsKept` reach the disk: first the hard state, then the entries. */
  crash(recordsKept = 0): void {
    this.isUp = false;
    if (this.writing !== undefined) this.write(this.writing, recordsKept);
    this.writing = undefined;
    this.fetches.length = 0;
  }

  /** Carries out what the core asks for, in the order that `Ready` states, until it asks for nothing. */
  pump(): void {
    while (this.isUp) {
      const ready = this.raft.takeReady(!this.isApplySlow);
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
      this.fetches.push(...ready.fetches);
      if (!this.isDiskSlow) while (this.fetches.length > 0) this.completeFetch();
      if (ready.persist === undefined && ready.messages.length + ready.committed.length + ready.fetches.length === 0) {
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
    for (const entry of isReadable ? this.disk.entries.slice(fetch.from - 1) : []) {
      const bytes = entries.reduce((sum, { data }) => sum + data.byteLength, entry.data.byteLength);
      if (entries.length > 0 && bytes > fetch.bytesMax) break;
      entries.push(entry);
    }
    this.raft.entriesFetched(fetch.to, entries);
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
    const records = [batch.hardState, ...batch.entries].filter((record) => record !== undefined);
    for (const record of records.slice(0, recordsKept)) {
      if ('currentTerm' in record) {
        this.disk.hardState = record;
      } else {
        this.disk.entries.length = record.index - 1;
        this.disk.entries.push(record);
      }
      this.observer.synced(this);
    }
  }

  private apply(entries: readonly Entry[]): void {
    if (entries.length === 0) return;
    this.observer.applied(this, entries);
    this.applied.push(...entries);
    this.raft.applied(entries.at(-1)!.index);
  }
}
