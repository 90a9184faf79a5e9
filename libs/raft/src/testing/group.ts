import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { simpleConfiguration } from '../configuration.js';
import { Election } from '../election.js';
import { EntryType, type Entry, type HardState, type NodeId } from '../entry.js';
import { emptyLog, type RestoredLog } from '../log.js';
import type { Message } from '../messages.js';
import { Raft, type ProposeResult } from '../raft.js';
import type { RaftConfig } from '../raft-config.js';
import type { Random } from '../random.js';
import { ReadIndex } from '../read-index.js';
import type { PersistBatch, ReadRejection } from '../ready.js';
import { Replication } from '../replication.js';
import { RaftState, type Role } from '../state.js';

export const testConfig = {
  electionTimeoutTicks: 10,
  heartbeatTicks: 2,
  preVote: true,
  checkQuorum: true,
  appendBytesMax: 1024,
  inflightMessagesMax: 4,
  inflightBytesMax: 4096,
  uncommittedBytesMax: 8192,
  pendingReadsMax: 100,
  applyBytesMax: 4096,
  cacheBytesMax: 65_536,
} satisfies Omit<RaftConfig, 'id'>;

export function seededRandom(seed: number): Random {
  const generator = xoroshiro128plus(seed);
  return { nextInt: (min, max) => uniformInt(generator, min, max) };
}

/** What survives a crash. */
interface TestDisk {
  hardState: HardState;
  entries: Entry[];
}

/** An entry as `term:text`, so that logs read like the paper's figures. */
export const show = (entry: Entry): string =>
  `${entry.term}:${entry.type === EntryType.Noop ? '-' : String.fromCharCode(...entry.data)}`;

export const bytes = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0));

/** One node with a disk that completes when it is told to. */
export class TestNode {
  raft!: Raft;
  state!: RaftState;
  readonly applied: Entry[] = [];
  readonly confirmedReads: { context: number; index: number }[] = [];
  readonly rejectedReads: { context: number; reason: ReadRejection }[] = [];
  isUp = true;
  /** With a slow disk a batch stays here until `completePersist`. */
  isDiskSlow = false;
  writing: PersistBatch | undefined;

  constructor(
    readonly id: NodeId,
    private readonly voters: readonly NodeId[],
    private readonly config: RaftConfig,
    private readonly random: Random,
    readonly disk: TestDisk,
    private readonly send: (message: Message) => void,
  ) {
    this.start();
  }

  /** A restart: memory is lost, the disk and the state machine are not. */
  start(): void {
    const log: RestoredLog = {
      ...emptyLog,
      lastIndex: this.disk.entries.length,
      termRuns: this.disk.entries
        .map((entry) => ({ firstIndex: entry.index, term: entry.term }))
        .filter((run, i, runs) => i === 0 || runs[i - 1]!.term !== run.term),
      tail: this.disk.entries,
    };
    this.state = new RaftState(this.id, {
      hardState: this.disk.hardState,
      log,
      configuration: simpleConfiguration(this.voters),
      appliedIndex: this.applied.length,
    });
    this.raft = new Raft(
      this.config,
      this.state,
      new Election(this.config, this.random),
      new Replication(this.config),
      new ReadIndex(this.config),
    );
    this.writing = undefined;
    this.isUp = true;
  }

  /** Carries out what the core asks for, in the order that `Ready` states, until it asks for nothing. */
  pump(): void {
    while (this.isUp) {
      const ready = this.raft.takeReady();
      ready.messages.forEach(this.send);
      for (const { index, contexts } of ready.confirmedReads) {
        for (const context of contexts) this.confirmedReads.push({ context, index });
      }
      for (const { reason, contexts } of ready.rejectedReads) {
        for (const context of contexts) this.rejectedReads.push({ context, reason });
      }
      for (const fetch of ready.fetches) {
        this.raft.entriesFetched(fetch.to, this.disk.entries.slice(fetch.from - 1, fetch.from + 9));
      }
      this.applied.push(...ready.committed);
      if (ready.committed.length > 0) this.raft.applied(ready.committed.at(-1)!.index);
      if (ready.persist !== undefined) {
        this.writing = ready.persist;
        if (!this.isDiskSlow) this.completePersist();
      } else if (ready.messages.length + ready.committed.length + ready.fetches.length === 0) {
        return;
      }
    }
  }

  completePersist(): void {
    const batch = this.writing!;
    this.writing = undefined;
    if (batch.hardState !== undefined) this.disk.hardState = batch.hardState;
    for (const entry of batch.entries) {
      this.disk.entries.length = entry.index - 1;
      this.disk.entries.push(entry);
    }
    batch.messages.forEach(this.send);
    this.raft.persisted();
  }

  get log(): string[] {
    return (this.state.log.slice(1, this.state.log.lastIndex, Infinity) ?? []).map(show);
  }

  get role(): Role {
    return this.state.role;
  }
}

/** A cluster in memory whose messages move only when they are told to. */
export class TestGroup {
  readonly nodes = new Map<NodeId, TestNode>();
  readonly network: Message[] = [];
  /** Every message ever sent. */
  readonly sent: Message[] = [];
  private readonly cuts = new Set<string>();

  constructor(
    readonly ids: readonly NodeId[],
    options: {
      config?: Partial<RaftConfig>;
      seed?: number;
      /** Logs to start from, as lists of terms; the current term is the last of them unless given. */
      logs?: Record<NodeId, { terms: readonly number[]; currentTerm?: number }>;
    } = {},
  ) {
    ids.forEach((id, i) => {
      const given = options.logs?.[id];
      const entries = (given?.terms ?? []).map((term, at): Entry => ({
        index: at + 1,
        term,
        type: EntryType.Normal,
        data: bytes(`${at + 1}`),
      }));
      const disk: TestDisk = {
        hardState: {
          currentTerm: given?.currentTerm ?? given?.terms.at(-1) ?? 0,
          votedFor: undefined,
          commitIndex: 0,
        },
        entries,
      };
      const config = { ...testConfig, ...options.config, id };
      const random = seededRandom((options.seed ?? 1) * 1000 + i);
      this.nodes.set(
        id,
        new TestNode(id, ids, config, random, disk, (message) => {
          this.sent.push(message);
          this.network.push(message);
        }),
      );
    });
  }

  node(id: NodeId): TestNode {
    return this.nodes.get(id)!;
  }

  get leaders(): NodeId[] {
    return [...this.nodes.values()].filter((node) => node.isUp && node.role === 'leader').map((node) => node.id);
  }

  /** Messages between the two are lost, in both directions. */
  cut(a: NodeId, b: NodeId): void {
    this.cutOneWay(a, b);
    this.cutOneWay(b, a);
  }

  cutOneWay(from: NodeId, to: NodeId): void {
    this.cuts.add(`${from}>${to}`);
  }

  isolate(id: NodeId): void {
    for (const other of this.ids) if (other !== id) this.cut(id, other);
  }

  heal(): void {
    this.cuts.clear();
  }

  crash(id: NodeId): void {
    this.node(id).isUp = false;
  }

  /** Delivers what `accept` chooses and is not cut, in order; the rest is lost. One wave only. */
  deliver(accept: (message: Message) => boolean = () => true): void {
    for (const message of this.network.splice(0)) {
      const target = this.node(message.to);
      if (!target.isUp || this.cuts.has(`${message.from}>${message.to}`) || !accept(message)) continue;
      target.raft.step(message);
    }
    this.pump();
  }

  pump(): void {
    for (const node of this.nodes.values()) node.pump();
  }

  /** Delivers until nobody has anything to say. */
  stabilize(accept?: (message: Message) => boolean): void {
    this.pump();
    for (let wave = 0; this.network.length > 0; wave++) {
      if (wave > 1000) throw new Error('the group does not come to rest');
      this.deliver(accept);
    }
  }

  /** One tick for everyone who is up, then everything is delivered. */
  tick(count = 1): void {
    for (let i = 0; i < count; i++) {
      for (const node of this.nodes.values()) if (node.isUp) node.raft.tick();
      this.stabilize();
    }
  }

  /** Ticks until `condition` holds. */
  tickUntil(condition: () => boolean, ticksMax = 1000): void {
    for (let i = 0; !condition(); i++) {
      if (i === ticksMax) throw new Error(`not reached within ${ticksMax} ticks`);
      this.tick();
    }
  }

  campaign(id: NodeId): void {
    this.node(id).raft.campaign();
    this.stabilize();
  }

  propose(id: NodeId, ...texts: string[]): ProposeResult {
    return this.node(id).raft.propose(texts.map(bytes));
  }
}
