import type { NodeId, RaftConfig, Random } from '@app/raft';
import { EventQueue, type SimEvent } from './event-queue.js';
import { Network } from './network.js';
import type { SimObserver, SimTime } from './observer.js';
import type { Surroundings } from './process.js';
import { SeededRandom } from './seeded-random.js';
import { configurationOf, SimulatedNode } from './simulated-node.js';
import { Trace } from './trace.js';
import type { DiskBehaviour, LinkBehaviour, PowerLossLeaves, ProcessBehaviour, WorldControl } from './world-control.js';

/** Small bounds, so that every queue of the core overflows now and then. */
const defaultConfig = {
  electionTimeoutTicks: 10,
  heartbeatTicks: 2,
  preVote: true,
  checkQuorum: true,
  leaseTicks: 0,
  appendBytesMax: 1024,
  inflightMessagesMax: 4,
  inflightBytesMax: 4096,
  uncommittedBytesMax: 16_384,
  pendingReadsMax: 100,
  applyBytesMax: 4096,
  retainedEntries: 10,
  cacheBytesMax: 16_384,
} satisfies Omit<RaftConfig, 'id'>;

export interface WorldOptions {
  readonly seed: number;
  /** The cluster begins with so many nodes, `n1`, `n2` and so on, that start at time 0. */
  readonly voters: number;
  readonly config?: Partial<RaftConfig>;
  /** Differences from `config` on single nodes. */
  readonly configs?: Readonly<Record<NodeId, Partial<RaftConfig>>>;
  readonly observer: SimObserver;
  /** Gets every line of the trace; makes a run several times slower. */
  readonly traceSink?: (line: string) => void;
}

class Action implements SimEvent {
  constructor(private readonly action: () => void) {}

  run(): void {
    this.action();
  }
}

/**
 * A Raft cluster and everything around it, in one process and from one seed: simulated time, network, disks and processes that run the
 * classes of the real node. Nothing in it depends on anything but its options and on what is done to it.
 */
export class World implements WorldControl {
  private readonly events = new EventQueue();
  private readonly tracer: Trace;
  private readonly network: Network;
  private readonly nodes = new Map<NodeId, SimulatedNode>();
  private readonly around: Surroundings;
  private readContext = 0;

  constructor(private readonly options: WorldOptions) {
    this.tracer = new Trace(() => this.events.now, options.traceSink);
    this.network = new Network(this.events, this.tracer, options.seed);
    this.around = {
      events: this.events,
      network: this.network,
      observer: options.observer,
      trace: this.tracer,
      nextReadContext: () => ++this.readContext,
    };
    const ids = Array.from({ length: options.voters }, (_, i) => `n${i + 1}`);
    for (const id of ids) this.add(id, ids);
    for (const node of this.nodes.values()) node.start();
  }

  get now(): SimTime {
    return this.events.now;
  }

  get ids(): readonly NodeId[] {
    return [...this.nodes.keys()];
  }

  /** Of everything that has happened so far: two runs of one seed have the same. */
  get traceHash(): string {
    return this.tracer.hash;
  }

  /** Throws a `RangeError` for a node that there is not. */
  node(id: NodeId): SimulatedNode {
    const node = this.nodes.get(id);
    if (node === undefined) throw new RangeError(`there is no node ${id}`);
    return node;
  }

  /** Lets everything happen that is due by then. Throws the `SimulationFailure` that ends the run. */
  runUntil(time: SimTime): void {
    for (;;) {
      const event = this.events.take(time);
      if (event === undefined) return;
      event.run();
    }
  }

  /** Lets one thing happen, if there is one by then. */
  step(until: SimTime): boolean {
    const event = this.events.take(until);
    event?.run();
    return event !== undefined;
  }

  at(time: SimTime, action: () => void): void {
    this.events.schedule(Math.max(time, this.now), new Action(action));
  }

  random(name: string): Random {
    return new SeededRandom(this.options.seed, `plan ${name}`);
  }

  trace(kind: string, node: NodeId, numbers: readonly number[], text?: () => string): void {
    this.tracer.event(kind, node, numbers, text);
  }

  setLink(from: NodeId, to: NodeId, behaviour: Partial<LinkBehaviour>): void {
    this.network.become(from, to, behaviour);
  }

  resetLink(from: NodeId, to: NodeId): void {
    this.network.reset(from, to);
  }

  setDisk(id: NodeId, behaviour: Partial<DiskBehaviour>): void {
    this.nodes.get(id)?.disk.become(behaviour);
  }

  setProcess(id: NodeId, behaviour: Partial<ProcessBehaviour>): void {
    this.nodes.get(id)?.become(behaviour);
  }

  crash(id: NodeId, options: { readonly effects: number; readonly powerLoss?: PowerLossLeaves }): void {
    this.nodes.get(id)?.crash(options.effects, options.powerLoss);
  }

  restart(id: NodeId): void {
    this.nodes.get(id)?.start();
  }

  wipe(id: NodeId): void {
    this.nodes.get(id)?.wipe();
  }

  flipBit(id: NodeId): boolean {
    return this.nodes.get(id)?.flipBit() ?? false;
  }

  join(id: NodeId): void {
    if (this.nodes.has(id)) return;
    this.add(id, []);
    this.node(id).start();
  }

  checkpoint(id: NodeId): void {
    this.nodes.get(id)?.checkpoint();
  }

  private add(id: NodeId, voters: readonly NodeId[]): void {
    const config = { ...defaultConfig, ...this.options.config, ...this.options.configs?.[id], id };
    const node = new SimulatedNode(id, config, configurationOf(voters), this.around, this.options.seed);
    this.nodes.set(id, node);
    this.network.add(node);
  }
}
