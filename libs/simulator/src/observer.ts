import type { Answer, Request } from '@app/kv';
import type {
  ConfigurationAt,
  Entry,
  HardState,
  LogIndex,
  Message,
  NodeId,
  Raft,
  RaftConfig,
  RaftState,
  ReadMode,
  ReadRejection,
  SnapshotMetadata,
  Term,
} from '@app/raft';

/** Simulated time: whole units since the run began. A tick of a node whose clock is right lasts `UNITS_PER_TICK`. */
export type SimTime = number;
export const UNITS_PER_TICK = 10;

/** A process of the simulated cluster, as those who watch it see it. */
export interface ObservedNode {
  readonly id: NodeId;
  /** Of the data directory. */
  readonly incarnation: string;
  readonly config: RaftConfig;
  readonly isUp: boolean;
  /** Undefined while the process is down or still recovers. */
  readonly raft: Raft | undefined;
  readonly state: RaftState | undefined;
  /** Of the state machine in memory. */
  readonly appliedIndex: LogIndex;
  /** Every row of the state machine, for comparisons between replicas; expensive. */
  stateRows(): Iterable<{ readonly key: Uint8Array; readonly value: Uint8Array }>;
}

/** What the process's disk holds for sure after a restart, however it ends: told by completions of real syncs, nothing else. */
export interface Synced {
  readonly hardState: HardState | undefined;
  readonly snapshot: SnapshotMetadata | undefined;
  readonly entries: readonly Entry[];
}

/**
 * Called at the moment something happens, in the order in which it happens, by the simulated world. Throwing a `SimulationFailure` ends
 * the run.
 */
export interface SimObserver {
  /** A message leaves a node, before the network decides what becomes of it. */
  sent(node: ObservedNode, message: Message): void;
  /** A message is about to be given to `Raft.step`. */
  received(node: ObservedNode, message: Message): void;
  /** A batch is durable: reported by the disk's completion, before the core is told. */
  synced(node: ObservedNode, synced: Synced): void;
  /** The core is about to be told, by `persisted()`, that its last batch is durable. */
  persistReported(node: ObservedNode): void;
  /** Committed entries are handed to the state machine; `answers` has one list per entry, one answer per command. */
  applied(node: ObservedNode, entries: readonly Entry[], answers: readonly (readonly Uint8Array[])[]): void;
  /** The state machine was replaced by that of a snapshot. */
  snapshotInstalled(node: ObservedNode, snapshot: SnapshotMetadata): void;
  /** The durable state of the state machine contains everything up to here. */
  checkpointed(node: ObservedNode, index: LogIndex, configuration: ConfigurationAt): void;
  /** The log's entries up to `index` may be removed from the disk. */
  compacted(node: ObservedNode, index: LogIndex): void;
  readRequested(node: ObservedNode, context: number, mode: ReadMode): void;
  readConfirmed(node: ObservedNode, context: number, index: LogIndex): void;
  readRejected(node: ObservedNode, context: number, reason: ReadRejection): void;
  /** The process ended; `isPowerLoss` if what was not synced may be gone as well. */
  crashed(node: ObservedNode, isPowerLoss: boolean): void;
  /** The process has read its disk and built its core: `RaftState` is what was recovered. */
  started(node: ObservedNode): void;
  /** The data directory was emptied; the next start is a new incarnation. */
  wiped(node: ObservedNode): void;
  /** After every event that touched this node, when it has carried out all that its core asked for. */
  settled(node: ObservedNode): void;
}

/** How an operation of a client, or of an operator, ends. */
export type Outcome<T> =
  | { readonly kind: 'applied'; readonly answer: T }
  /** Surely did not take effect. */
  | { readonly kind: 'rejected'; readonly reason: string; readonly leaderHint?: NodeId }
  /** May have taken effect, or may yet. */
  | { readonly kind: 'unknown'; readonly reason: string };

export type OperatorCommand =
  | { readonly kind: 'add_learner' | 'promote' | 'remove' | 'transfer'; readonly node: NodeId }
  /** To become a voter by itself, in the place of `replaced`, if given. */
  | { readonly kind: 'join'; readonly node: NodeId; readonly replaced?: NodeId }
  /** To another address. */
  | { readonly kind: 'move'; readonly node: NodeId; readonly address: string }
  /** In one change. */
  | { readonly kind: 'replace'; readonly remove: NodeId; readonly promote: NodeId };

/** What clients and operators may ask of a node's process; every call is answered exactly once, unless that process dies first: then never. */
export interface NodeDoor {
  write(command: Request, reply: (outcome: Outcome<Answer>) => void): void;
  /** A `stale` read is answered from the state as it is. */
  read(key: Uint8Array, mode: ReadMode | 'stale', reply: (outcome: Outcome<Answer>) => void): void;
  operate(
    command: OperatorCommand,
    reply: (outcome: Outcome<{ readonly term: Term; readonly index: LogIndex }>) => void,
  ): void;
}

/** Something that Raft, or a database, must never do. `check` is its stable name, for the scoreboard and the corpus. */
export class SimulationFailure extends Error {
  constructor(
    readonly check: string,
    message: string,
  ) {
    super(`${check}: ${message}`);
    this.name = 'SimulationFailure';
  }
}
