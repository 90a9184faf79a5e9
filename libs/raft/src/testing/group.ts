import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { emptyConfiguration, simpleConfiguration, type Configuration } from '../configuration.js';
import { EntryType, type Entry, type NodeId } from '../entry.js';
import type { AppendEntries, AppendEntriesResponse, Message, RequestVote, RequestVoteResponse } from '../messages.js';
import type { ProposeResult } from '../raft.js';
import type { RaftConfig } from '../raft-config.js';
import type { Random } from '../random.js';
import type { ReadMode } from '../read-index.js';
import { Invariants } from './invariants.js';
import { TestNode, type TestDisk, type TestObserver } from './node.js';

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
  leaseTicks: 0,
  retainedEntries: 10,
} satisfies Omit<RaftConfig, 'id'>;

export function seededRandom(seed: number): Random {
  const generator = xoroshiro128plus(seed);
  return { nextInt: (min, max) => uniformInt(generator, min, max) };
}

export const bytes = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0));

/** A log as the paper's figures draw it: the terms of its entries from index 1 on. The data of an entry is its index. */
export const logOf = (terms: readonly number[]): Entry[] =>
  terms.map((term, at) => ({ index: at + 1, term, type: EntryType.Normal, data: bytes(`${at + 1}`) }));

export interface TestGroupOptions {
  readonly config?: Partial<RaftConfig>;
  /** Differences from `config` on single nodes. */
  readonly configs?: Readonly<Record<NodeId, Partial<RaftConfig>>>;
  readonly seed?: number;
  /** Everyone is a voter unless given. */
  readonly configuration?: Configuration;
  /** Logs to start from, as lists of terms; the current term is the last of them unless given. */
  readonly logs?: Readonly<Record<NodeId, { terms: readonly number[]; currentTerm?: number; votedFor?: NodeId }>>;
}

/** A cluster in memory whose messages move only when they are told to, under the eyes of `Invariants`. */
export class TestGroup {
  readonly nodes = new Map<NodeId, TestNode>();
  readonly invariants = new Invariants(this.nodes);
  readonly network: Message[] = [];
  /** Every message ever sent. */
  readonly sent: Message[] = [];
  readonly ids: NodeId[];
  private readonly cuts = new Set<string>();
  /** What the transport knows of the senders. */
  private readonly incarnations = new WeakMap<Message, string>();
  private readonly observer: TestObserver;
  private nextRead = 1;
  private readonly readsAt = new Map<NodeId, number[]>();

  constructor(
    ids: readonly NodeId[],
    private readonly options: TestGroupOptions = {},
  ) {
    this.ids = [...ids];
    const configuration = options.configuration ?? simpleConfiguration(ids);
    this.observer = {
      sent: (node: TestNode, message: Message) => {
        this.invariants.sent(node, message);
        if (node.incarnation !== undefined) this.incarnations.set(message, node.incarnation);
        this.sent.push(message);
        this.network.push(message);
      },
      synced: this.invariants.synced.bind(this.invariants),
      applied: this.invariants.applied.bind(this.invariants),
      confirmed: this.invariants.confirmed.bind(this.invariants),
      rejected: this.invariants.rejected.bind(this.invariants),
      installed: this.invariants.installed.bind(this.invariants),
      compacted: this.invariants.compacted.bind(this.invariants),
    };
    ids.forEach((id, i) => {
      const given = options.logs?.[id];
      const disk: TestDisk = {
        hardState: {
          currentTerm: given?.currentTerm ?? given?.terms.at(-1) ?? 0,
          votedFor: given?.votedFor,
          commitIndex: 0,
        },
        entries: logOf(given?.terms ?? []),
      };
      this.startNode(id, i, configuration, disk);
    });
  }

  /** A node with nothing on its disk, that waits until a leader sends it a log; also in place of one of that name that lost its disk. */
  add(id: NodeId, config: Partial<RaftConfig> = {}, configuration = emptyConfiguration): TestNode {
    if (this.nodes.has(id)) {
      this.crash(id);
      this.invariants.wiped(id);
    } else {
      this.ids.push(id);
    }
    const disk: TestDisk = { hardState: { currentTerm: 0, votedFor: undefined, commitIndex: 0 }, entries: [] };
    return this.startNode(id, this.ids.indexOf(id), configuration, disk, config);
  }

  node(id: NodeId): TestNode {
    return this.nodes.get(id)!;
  }

  get leaders(): NodeId[] {
    return [...this.nodes.values()].filter((node) => node.isUp && node.role === 'leader').map((node) => node.id);
  }

  /** The leader of the latest term. */
  get leader(): TestNode | undefined {
    return this.leaders.map((id) => this.node(id)).sort((a, b) => b.state.currentTerm - a.state.currentTerm)[0];
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

  /** Restores every link, or the one direction that is given. */
  heal(from?: NodeId, to?: NodeId): void {
    if (from === undefined) this.cuts.clear();
    else this.cuts.delete(`${from}>${to}`);
  }

  isCut(from: NodeId, to: NodeId): boolean {
    return this.cuts.has(`${from}>${to}`);
  }

  /** See `TestNode.crash`. */
  crash(id: NodeId, recordsKept = 0): void {
    this.node(id).crash(recordsKept);
    this.invariants.crashed(this.node(id), this.readsAt.get(id) ?? []);
    this.readsAt.delete(id);
  }

  /** See `TestNode.start`. */
  restart(id: NodeId, appliedIndex?: number): void {
    this.node(id).start(appliedIndex);
  }

  /** Delivers what `accept` chooses and is not cut, in order; the rest is lost. One wave only. */
  deliver(accept: (message: Message) => boolean = () => true): void {
    for (const message of this.network.splice(0)) if (accept(message)) this.hand(message);
    this.pump();
  }

  /** Brings one message to its node, whatever is on the network, unless its link is cut. */
  hand(message: Message): void {
    const target = this.node(message.to);
    if (!target.isUp || this.isCut(message.from, message.to)) return;
    target.raft.step(message, this.incarnations.get(message));
  }

  pump(): void {
    for (const node of this.nodes.values()) node.pump();
    this.invariants.check();
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
  tick(count = 1, accept?: (message: Message) => boolean): void {
    for (let i = 0; i < count; i++) {
      for (const node of this.nodes.values()) if (node.isUp) node.raft.tick();
      this.stabilize(accept);
    }
  }

  /** Ticks until `condition` holds. */
  tickUntil(condition: () => boolean, ticksMax = 1000): void {
    for (let i = 0; !condition(); i++) {
      if (i === ticksMax) throw new Error(`not reached within ${ticksMax} ticks`);
      this.tick();
    }
  }

  /** Campaigns at once, and delivers everything that follows from it. */
  campaign(id: NodeId): void {
    this.node(id).raft.campaign();
    this.stabilize();
  }

  propose(id: NodeId, ...texts: string[]): ProposeResult {
    return this.node(id).raft.propose(texts.map(bytes));
  }

  /** Begins a read and returns its context; `invariants.reads` has what became of it. */
  read(id: NodeId, mode?: ReadMode): number {
    const context = this.nextRead++;
    this.invariants.began(context);
    this.readsAt.set(id, [...(this.readsAt.get(id) ?? []), context]);
    this.node(id).raft.requestRead(context, mode);
    return context;
  }

  outcomeOf(context: number): string | undefined {
    return this.invariants.reads.get(context)?.outcome;
  }

  private startNode(
    id: NodeId,
    stream: number,
    configuration: Configuration,
    disk: TestDisk,
    special: Partial<RaftConfig> = {},
  ): TestNode {
    const { options } = this;
    const config = { ...testConfig, ...options.config, ...options.configs?.[id], ...special, id };
    const random = seededRandom((options.seed ?? 1) * 1000 + stream);
    const node = new TestNode(config, configuration, random, disk, this.observer);
    this.nodes.set(id, node);
    return node;
  }

  /** The messages of `type` on the network. */
  on<T extends Message['type']>(type: T): Extract<Message, { type: T }>[] {
    return this.network.filter((message) => message.type === type) as Extract<Message, { type: T }>[];
  }
}

/** Messages as a peer would have sent them, for what a test does not care about. */
export const requestVote = (fields: Partial<RequestVote>): RequestVote => ({
  type: 'RequestVote',
  from: 'b',
  to: 'a',
  term: 1,
  lastLogIndex: 0,
  lastLogTerm: 0,
  preVote: false,
  isTransfer: false,
  ...fields,
});

export const voteResponse = (fields: Partial<RequestVoteResponse>): RequestVoteResponse => ({
  type: 'RequestVoteResponse',
  from: 'b',
  to: 'a',
  term: 1,
  voteGranted: true,
  preVote: false,
  ...fields,
});

export const appendEntries = (fields: Partial<AppendEntries>): AppendEntries => ({
  type: 'AppendEntries',
  from: 'b',
  to: 'a',
  term: 1,
  prevLogIndex: 0,
  prevLogTerm: 0,
  entries: [],
  leaderCommit: 0,
  readContext: 0,
  ...fields,
});

export const appendResponse = (fields: Partial<AppendEntriesResponse>): AppendEntriesResponse => ({
  type: 'AppendEntriesResponse',
  from: 'b',
  to: 'a',
  term: 1,
  success: true,
  matchIndex: 0,
  rejectedIndex: 0,
  conflictTerm: 0,
  conflictIndex: 0,
  readContext: 0,
  ...fields,
});
