import { decodeAnswer, encodeCommand, type Answer, type Request, type Row } from '@app/kv';
import {
  emptyConfiguration,
  simpleConfiguration,
  type Configuration,
  type InstallSnapshot,
  type LogIndex,
  type MembershipChange,
  type Message,
  type NodeId,
  type Raft,
  type RaftConfig,
  type RaftState,
  type ReadMode,
  type Term,
} from '@app/raft';
import { DurableKeySpace, type StateImage } from './durable-key-space.js';
import type { SimEvent } from './event-queue.js';
import type { Machine } from './machine.js';
import type { NetworkEnd } from './network.js';
import type { NodeDoor, OperatorCommand, Outcome } from './observer.js';
import type { WaitingForEntry } from './pending-proposals.js';
import { ProcessClock } from './process-clock.js';
import { Process, type Surroundings } from './process.js';
import { SeededRandom } from './seeded-random.js';
import { SimulatedDisk } from './simulated-disk.js';
import { goodProcess, type PowerLossLeaves, type ProcessBehaviour } from './world-control.js';

/** Clocks of different machines never show the same time of day. */
const CLOCK_ERROR_MS_MAX = 10_000;
const START_OF_TIME_MS = 1_700_000_000_000;

class Call implements SimEvent {
  constructor(private readonly call: () => void) {}

  run(): void {
    this.call();
  }
}

/** A machine of the cluster: its disk, its clock, its name on the network, and at most one process at a time. */
export class SimulatedNode implements Machine, NodeDoor, NetworkEnd {
  readonly disk: SimulatedDisk;
  readonly keySpace: DurableKeySpace;
  readonly clock: ProcessClock;
  behaviour: ProcessBehaviour = goodProcess;
  isDamaged = false;
  private process: Process | undefined;
  private starts = 0;
  private wipes = 0;
  private lastLogTimeMs = 0;
  private incarnationConfig: RaftConfig;

  constructor(
    readonly id: NodeId,
    private readonly givenConfig: RaftConfig,
    /** What its operator has written down; empty for a node that joins a running cluster. */
    private initial: Configuration,
    private readonly around: Surroundings,
    private readonly seed: number,
  ) {
    const random = new SeededRandom(seed, `machine ${id}`);
    this.disk = new SimulatedDisk(id, around.events, new SeededRandom(seed, `disk ${id}`));
    this.keySpace = new DurableKeySpace({ index: 0, configuration: initial });
    const startMs = START_OF_TIME_MS + random.nextInt(0, CLOCK_ERROR_MS_MAX);
    this.clock = new ProcessClock(around.events, startMs, () => this.process?.clockDue());
    this.incarnationConfig = { ...givenConfig, incarnation: this.incarnation };
  }

  get incarnation(): string {
    return `${this.id}.${this.wipes}`;
  }

  get config(): RaftConfig {
    return this.incarnationConfig;
  }

  get isUp(): boolean {
    return this.process !== undefined;
  }

  get raft(): Raft | undefined {
    return this.process?.raft;
  }

  get state(): RaftState | undefined {
    return this.process?.state;
  }

  get appliedIndex(): LogIndex {
    return this.keySpace.appliedIndex;
  }

  get listener(): object | undefined {
    return this.process;
  }

  stateRows(): Iterable<Row> {
    return this.keySpace.allRows();
  }

  logTimeMs(appliedMs: number): number {
    this.lastLogTimeMs = Math.max(this.lastLogTimeMs, appliedMs, this.clock.nowMs());
    return this.lastLogTimeMs;
  }

  /** A crash that was planned and has not come is called off. */
  start(): void {
    if (this.process !== undefined) {
      this.process.crashAfter(Infinity, undefined);
      return;
    }
    this.starts += 1;
    this.lastLogTimeMs = 0;
    const stream = (name: string): SeededRandom => new SeededRandom(this.seed, `${name} ${this.id} ${this.starts}`);
    this.process = new Process(this, this.around, stream('election'), stream('read'), stream('compaction'));
    this.around.trace.event('starts', this.id, [this.starts]);
    this.process.start();
  }

  crash(effects: number, powerLoss: PowerLossLeaves | undefined): void {
    this.process?.crashAfter(effects, powerLoss);
  }

  processEnded(process: object, powerLoss: PowerLossLeaves | undefined): void {
    if (this.process !== process) return;
    this.process = undefined;
    this.clock.stop();
    this.disk.processEnded(powerLoss);
    if (powerLoss !== undefined)
      this.keySpace.powerLoss(powerLoss, new SeededRandom(this.seed, `loss ${this.id} ${this.starts}`));
    this.around.trace.event('ends', this.id, [powerLoss === undefined ? 0 : 1], () =>
      powerLoss === undefined ? '' : `power loss ${powerLoss}`,
    );
    this.around.observer.crashed(this, powerLoss !== undefined);
    if (powerLoss === undefined) this.around.network.processEnded(this.id);
  }

  /** A new disk; nothing happens while a process runs. */
  wipe(): void {
    if (this.process !== undefined) return;
    this.wipes += 1;
    this.incarnationConfig = { ...this.givenConfig, incarnation: this.incarnation };
    this.isDamaged = false;
    this.disk.wipe();
    this.keySpace.wipe({ index: 0, configuration: this.initial });
    this.around.trace.event('wiped', this.id, []);
    this.around.observer.wiped(this);
  }

  /** See `WorldControl.flipBit`. */
  flipBit(): boolean {
    if (this.process !== undefined || !this.disk.flipBit()) return false;
    this.isDamaged = true;
    this.around.trace.event('damaged', this.id, []);
    return true;
  }

  become(behaviour: Partial<ProcessBehaviour>): void {
    this.behaviour = { ...this.behaviour, ...behaviour };
    this.clock.setRate(this.behaviour.clockRate);
    this.process?.resumed();
  }

  checkpoint(): void {
    this.process?.checkpoint();
  }

  receiveGarbage(message: Message): void {
    this.process?.receiveGarbage(message);
  }

  receive(message: Message, incarnation: string): boolean {
    this.process?.receive(message, incarnation);
    return this.process !== undefined;
  }

  receiveSnapshot(message: InstallSnapshot, image: StateImage, incarnation: string): void {
    this.process?.receiveSnapshot(message, image, incarnation);
  }

  unreachable(id: NodeId): void {
    this.process?.unreachable(id);
  }

  disconnected(id: NodeId): void {
    this.process?.disconnected(id);
  }

  write(command: Request, reply: (outcome: Outcome<Answer>) => void): void {
    const { process } = this;
    if (process === undefined) return this.refuse(reply);
    process.write({
      command: encodeCommand(command),
      answered: (answer) => reply({ kind: 'applied', answer: decodeAnswer(answer) }),
      rejected: (reason, leaderHint) => reply({ kind: 'rejected', reason, leaderHint }),
      unknown: (reason) => reply({ kind: 'unknown', reason }),
    });
  }

  read(key: Uint8Array, mode: ReadMode | 'stale', reply: (outcome: Outcome<Answer>) => void): void {
    const { process } = this;
    if (process === undefined) return this.refuse(reply);
    const read = {
      ready: () => reply({ kind: 'applied', answer: process.stateMachine.read({ kind: 'get', key }) }),
      rejected: (reason: string) => reply({ kind: 'rejected', reason, leaderHint: process.raft?.leaderId }),
    };
    process.read(read, mode);
  }

  operate(
    command: OperatorCommand,
    reply: (outcome: Outcome<{ readonly term: Term; readonly index: LogIndex }>) => void,
  ): void {
    const { process } = this;
    if (process === undefined) return this.refuse(reply);
    const waiting: WaitingForEntry = {
      applied: (_, term, index) => reply({ kind: 'applied', answer: { term, index } }),
      rejected: (reason) => reply({ kind: 'rejected', reason, leaderHint: process.raft?.leaderId }),
      unknown: (reason) => reply({ kind: 'unknown', reason }),
    };
    if (command.kind === 'transfer') process.transferLeadership(command.node, waiting);
    else process.change(changeOf(command), waiting);
  }

  /** As a machine does that has no such process. */
  private refuse(reply: (outcome: { kind: 'rejected'; reason: string }) => void): void {
    this.around.events.schedule(this.around.events.now, new Call(() => reply({ kind: 'rejected', reason: 'down' })));
  }
}

function changeOf(command: OperatorCommand): MembershipChange {
  switch (command.kind) {
    case 'add_learner':
      return { addLearners: [command.node] };
    case 'join':
      return {
        addLearners: [command.node],
        joining: { [command.node]: command.replaced ?? command.node },
        addresses: { [command.node]: `${command.node}:1` },
      };
    case 'move':
      return { addresses: { [command.node]: command.address } };
    case 'promote':
      return { promote: [command.node] };
    case 'remove':
      return { remove: [command.node] };
    case 'transfer':
      return {};
    case 'replace':
      return { remove: [command.remove], promote: [command.promote] };
  }
}

export const configurationOf = (voters: readonly NodeId[]): Configuration =>
  voters.length === 0 ? emptyConfiguration : simpleConfiguration(voters);
