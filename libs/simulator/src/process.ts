import { encodeBatch, RESTORE_RANGES, StateMachine, type Row } from '@app/kv';
import {
  Election,
  EntryType,
  LeadershipTransfer,
  Membership,
  Raft,
  ReadIndex,
  Replication,
  Snapshots,
  hasWork,
  type ChangeResult,
  type Entry,
  type EntryFetch,
  type InstallSnapshot,
  type MembershipChange,
  type Message,
  type NodeId,
  type PersistBatch,
  type RaftState,
  type Random,
  type ReadMode,
  type SnapshotMetadata,
} from '@app/raft';
import { CorruptLogError, IndexCompactedError, type WriteAheadLog } from '@app/storage';
import type { StateImage } from './durable-key-space.js';
import type { EventQueue, SimEvent } from './event-queue.js';
import { HandOver } from './hand-over.js';
import type { Machine } from './machine.js';
import type { Network } from './network.js';
import { SimulationFailure, UNITS_PER_TICK, type SimObserver, type Synced } from './observer.js';
import { PendingProposals, type WaitingForEntry } from './pending-proposals.js';
import { PendingReads, type WaitingRead } from './pending-reads.js';
import { recover, type Recovered } from './recovery.js';
import type { DiskEvent, DiskUser } from './simulated-disk.js';
import { SnapshotSender } from './snapshot-sender.js';
import { MessageEvent, type Trace } from './trace.js';
import type { PowerLossLeaves } from './world-control.js';

/** Operations that may wait; more are refused. */
const PENDING_OPERATIONS_MAX = 500;
/** Messages that wait while the process is paused; more are lost. */
const INBOX_MESSAGES_MAX = 2000;
/** Snapshots that have arrived and that the core has not asked for (yet). */
const STAGED_SNAPSHOTS_MAX = 4;
/** One entry takes at most so many commands of a turn. */
const ENTRY_COMMANDS_MAX = 16;
const NO_COMMANDS = new Uint8Array(0);

/** A command that waits for its answer. */
export interface WaitingWrite {
  readonly command: Uint8Array;
  answered(answer: Uint8Array): void;
  rejected(reason: string, leaderHint: NodeId | undefined): void;
  unknown(reason: string): void;
}

/** The world around a process. */
export interface Surroundings {
  readonly events: EventQueue;
  readonly network: Network;
  readonly observer: SimObserver;
  readonly trace: Trace;
  /** Never the same number twice in a world. */
  nextReadContext(): number;
}

interface Transfer {
  readonly to: NodeId;
  readonly waiting: WaitingForEntry;
  readonly term: number;
  readonly index: number;
}

/** Unwinds the stack of a process that has just died. */
const DIED = new Error('the process has died');

/** What a process would have handled at once if it were not paused or slow. */
class DelayedInput implements SimEvent {
  constructor(
    private readonly process: Process,
    private readonly handle: () => void,
  ) {}

  run(): void {
    this.process.handleLate(this.handle);
  }
}

/**
 * One process of a node, from its start to its death: drives the core as the real node's `RaftDriver` does. All inputs of one moment
 * reach the core first; then one turn carries out what it asks for, in the order that `Ready` states. Each effect is a place where the
 * process can be made to die.
 */
export class Process implements DiskUser, SimEvent {
  raft: Raft | undefined;
  state: RaftState | undefined;
  stateMachine: StateMachine;
  isDead = false;
  private log!: WriteAheadLog;
  /** While the disk is read: what may have to wait there for space. */
  private recoveringLog: WriteAheadLog | undefined;
  private readonly proposals = new PendingProposals();
  private readonly reads = new PendingReads();
  private queuedWrites: WaitingWrite[] = [];
  private queuedReads: { readonly read: WaitingRead; readonly mode: ReadMode }[] = [];
  private inbox: (() => void)[] = [];
  private isTurnScheduled = false;
  private wasLeader = false;
  private transfer: Transfer | undefined;
  private readonly handOver: HandOver;
  private readonly sending = new Map<NodeId, SnapshotSender>();
  private readonly staged = new Map<string, StateImage>();
  private isCheckpointing = false;
  private isCheckpointWanted = false;
  private checkpointedIndex: number;
  /** How many more effects there will be, if a crash is planned. */
  private effectsLeft = Infinity;
  private plannedPowerLoss: PowerLossLeaves | undefined;

  constructor(
    readonly node: Machine,
    private readonly around: Surroundings,
    private readonly electionRandom: Random,
    private readonly readRandom: Random,
    private readonly compactionRandom: Random,
  ) {
    this.stateMachine = new StateMachine(node.keySpace);
    this.checkpointedIndex = node.keySpace.syncedIndex;
    this.handOver = new HandOver(node.config.electionTimeoutTicks);
  }

  /** Begins to read the disk. */
  start(): void {
    this.enter(() => {
      this.node.disk.processStarted(this);
      const opened = (log: WriteAheadLog): void => {
        this.recoveringLog = log;
        this.retryRecoveryLater();
      };
      recover(this.node, opened, (error, recovered) => {
        this.recoveringLog = undefined;
        if (error) this.failedToStart(error);
        else this.recovered(recovered);
      });
    });
  }

  get pendingOperations(): number {
    return this.proposals.count + this.reads.count + this.queuedWrites.length + this.queuedReads.length;
  }

  /** Dies after so many more effects; at once if there are to be none. */
  crashAfter(effects: number, powerLoss: PowerLossLeaves | undefined): void {
    this.effectsLeft = effects;
    this.plannedPowerLoss = powerLoss;
    if (effects <= 0) this.die(powerLoss);
  }

  /** A message arrives. */
  receive(message: Message, incarnation: string): void {
    if (this.node.behaviour.isPaused && this.inbox.length >= INBOX_MESSAGES_MAX) return;
    if (this.isPrompt) this.enter(() => this.step(message, incarnation));
    else this.postpone(() => this.step(message, incarnation));
  }

  /** What no correct node sends is refused without a trace. */
  receiveGarbage(message: Message): void {
    this.input(() => {
      // It comes under the name that the other is known by, else that alone would give it away.
      const { configuration, heard } = this.state ?? {};
      const incarnation = configuration?.incarnations?.[message.from] ?? heard?.get(message.from);
      if (this.raft?.step(message, incarnation) !== true) return;
      throw new SimulationFailure('garbage_accepted', `${this.node.id} takes ${JSON.stringify(message)}`);
    });
  }

  /** A snapshot has arrived, message and state. */
  receiveSnapshot(message: InstallSnapshot, image: StateImage, incarnation: string): void {
    this.input(() => {
      this.stage(message.snapshot, image);
      this.step(message, incarnation);
    });
  }

  unreachable(id: NodeId): void {
    this.input(() => {
      this.raft?.reportUnreachable(id);
      this.scheduleTurn();
    });
  }

  disconnected(id: NodeId): void {
    this.input(() => {
      this.raft?.reportDisconnected(id);
      this.scheduleTurn();
    });
  }

  write(write: WaitingWrite): void {
    this.input(() => {
      const refusal = this.refusal();
      if (refusal !== undefined) return write.rejected(refusal, this.raft?.leaderId);
      if (!this.raft!.isLeader) return write.rejected('not_leader', this.raft!.leaderId);
      if (this.log.isFull) return write.rejected('storage_full', this.raft!.leaderId);
      this.queuedWrites.push(write);
      this.scheduleTurn();
    });
  }

  read(read: WaitingRead, mode: ReadMode | 'stale'): void {
    this.input(() => {
      const refusal = this.refusal();
      if (refusal !== undefined) return read.rejected(refusal);
      if (mode === 'stale') return read.ready();
      this.queuedReads.push({ read, mode });
      this.scheduleTurn();
    });
  }

  change(change: MembershipChange, waiting: WaitingForEntry): void {
    this.input(() => {
      const refusal = this.refusal();
      if (refusal !== undefined) return waiting.rejected(refusal);
      const result: ChangeResult = this.raft!.proposeChange(change);
      this.scheduleTurn();
      if (result.accepted) this.proposals.add(result.index, result.term, waiting);
      else waiting.rejected(result.reason);
    });
  }

  transferLeadership(to: NodeId, waiting: WaitingForEntry): void {
    this.input(() => {
      const refusal = this.refusal();
      if (refusal !== undefined) return waiting.rejected(refusal);
      const rejection = this.raft!.transferLeadership(to);
      this.scheduleTurn();
      if (rejection !== undefined) return waiting.rejected(rejection);
      this.transfer?.waiting.unknown('another_transfer');
      this.transfer = { to, waiting, term: this.state!.currentTerm, index: this.state!.log.lastIndex };
    });
  }

  checkpoint(): void {
    this.input(() => {
      this.isCheckpointWanted = true;
      this.scheduleTurn();
    });
  }

  /** Ticks are due. */
  clockDue(): void {
    if (this.isDead || this.node.behaviour.isPaused) return;
    this.enter(() => this.takeTicks());
  }

  /** It was paused, or its applying was stalled, and is not any more. */
  resumed(): void {
    if (this.isDead || this.node.behaviour.isPaused) return;
    this.enter(() => {
      this.takeTicks();
      this.scheduleTurn();
    });
    const waiting = this.inbox;
    this.inbox = [];
    for (const handle of waiting) this.enter(handle);
  }

  begun(): void {
    this.effect();
  }

  due(operation: DiskEvent): void {
    const complete = (): void => {
      this.effect();
      operation.complete();
    };
    if (this.isPrompt) this.enter(complete);
    else this.postpone(complete);
  }

  handleLate(handle: () => void): void {
    if (this.node.behaviour.isPaused) this.inbox.push(handle);
    else this.enter(handle);
  }

  /** The turn. */
  run(): void {
    this.isTurnScheduled = false;
    if (this.raft === undefined) return;
    if (this.node.behaviour.isPaused) return;
    this.enter(() => this.turn(this.raft!));
  }

  private get isPrompt(): boolean {
    return !this.node.behaviour.isPaused && this.node.behaviour.lag === 0;
  }

  private input(handle: () => void): void {
    if (this.isDead) return;
    if (this.isPrompt) this.enter(handle);
    else this.postpone(handle);
  }

  private postpone(handle: () => void): void {
    if (this.isDead) return;
    if (this.node.behaviour.isPaused) this.inbox.push(handle);
    else this.around.events.schedule(this.around.events.now + this.node.behaviour.lag, new DelayedInput(this, handle));
  }

  /** Everything that the process does begins here. */
  private enter(act: () => void): void {
    if (this.isDead) return;
    try {
      // Whatever is handed over, the ticks that are due come first.
      this.takeTicks();
      act();
    } catch (error) {
      if (error === DIED) return;
      if (error instanceof SimulationFailure) throw error;
      const { name, message } = error as Error;
      const failure = new SimulationFailure('invariant_violation', `${this.node.id}: ${name}: ${message}`);
      failure.cause = error;
      throw failure;
    }
  }

  /** As the real node does: before it runs nobody else tells the log of space. */
  private retryRecoveryLater(): void {
    const retry = (): void => {
      if (this.recoveringLog === undefined) return;
      this.recoveringLog.retry();
      this.retryRecoveryLater();
    };
    this.around.events.schedule(this.around.events.now + UNITS_PER_TICK, new DelayedInput(this, retry));
  }

  private takeTicks(): void {
    for (let ticks = this.node.clock.takeDue(); ticks > 0; ticks--) {
      if (this.raft === undefined) continue;
      this.log.retry();
      this.raft.tick();
      this.scheduleTurn();
    }
  }

  private effect(): void {
    if (this.isDead) throw DIED;
    if (this.effectsLeft > 0) {
      this.effectsLeft -= 1;
      return;
    }
    this.die(this.plannedPowerLoss);
    throw DIED;
  }

  private die(powerLoss: PowerLossLeaves | undefined): void {
    if (this.isDead) return;
    this.isDead = true;
    this.raft = undefined;
    this.state = undefined;
    for (const sender of this.sending.values()) sender.cancel();
    this.node.processEnded(this, powerLoss);
  }

  /** The disk has failed it: it tells its clients, as far as it can, and ends. */
  private stop(error: Error): void {
    if (this.isDead) return;
    if (!this.node.disk.hasFailed && !this.node.isDamaged) {
      throw new SimulationFailure('disk', `${this.node.id}: its disk did not fail, and yet: ${error.message}`);
    }
    this.around.trace.event('stops', this.node.id, [], () => error.message);
    for (const write of this.queuedWrites) write.rejected('stopping', undefined);
    for (const { read } of this.queuedReads) read.rejected('stopping');
    this.proposals.leadershipLost();
    this.reads.rejectAll('stopping');
    this.transfer?.waiting.unknown('stopping');
    this.die(undefined);
  }

  private failedToStart(error: Error): void {
    if (error instanceof CorruptLogError && !this.node.isDamaged) {
      throw new SimulationFailure('recovery', `${this.node.id}: a crash left what looks like damage: ${error.message}`);
    }
    this.stop(error);
  }

  private recovered({ log, state }: Recovered): void {
    const { config } = this.node;
    this.effect();
    this.log = log;
    this.state = state;
    this.restoreStateMachine();
    const replication = new Replication(config);
    this.raft = new Raft(
      config,
      state,
      new Election(config, this.electionRandom),
      replication,
      new ReadIndex(config, this.readRandom),
      new Membership(config, replication),
      new Snapshots(config),
      new LeadershipTransfer(config),
    );
    this.node.clock.start();
    this.around.trace.event(
      'started',
      this.node.id,
      [state.currentTerm, state.log.lastIndex, state.appliedIndex],
      () => {
        const {
          currentTerm,
          log: { base, lastIndex, lastTerm },
          appliedIndex,
        } = state;
        return `${this.node.incarnation} term ${currentTerm} log (${base.index}, ${lastIndex}/${lastTerm}] applied ${appliedIndex}`;
      },
    );
    this.around.observer.started(this.node);
    this.scheduleTurn();
  }

  private restoreStateMachine(): void {
    const { keySpace } = this.node;
    this.stateMachine = new StateMachine(keySpace);
    const rows: Row[] = [];
    for (const { from, to } of RESTORE_RANGES)
      keySpace.scan(from, to, Infinity, (_, found) => void rows.push(...found));
    this.stateMachine.restore(rows);
  }

  private scheduleTurn(): void {
    if (this.isTurnScheduled || this.isDead) return;
    this.isTurnScheduled = true;
    this.around.events.schedule(this.around.events.now, this);
  }

  private refusal(): string | undefined {
    if (this.raft === undefined) return 'starting';
    return this.pendingOperations >= PENDING_OPERATIONS_MAX ? 'overloaded' : undefined;
  }

  private step(message: Message, incarnation: string): void {
    if (this.raft === undefined) return;
    this.around.observer.received(this.node, message);
    const isTaken = this.raft.step(message, incarnation);
    this.around.trace.message(isTaken ? MessageEvent.Received : MessageEvent.Refused, message);
    this.scheduleTurn();
  }

  private turn(raft: Raft): void {
    const { observer } = this.around;
    this.stand(raft);
    this.propose(raft);
    this.requestReads(raft);
    const { isAtRest } = raft;
    const ready = raft.takeReady(!this.node.behaviour.isApplyStalled);
    // The real node takes no turn then.
    if (isAtRest && hasWork(ready)) throw new Error('a core that said to be at rest has work to do');
    for (const message of ready.messages) this.send(message);
    if (ready.persist !== undefined) this.persist(ready.persist);
    for (const fetch of ready.fetches) this.fetch(raft, fetch);
    for (const { to } of ready.snapshots) this.sendSnapshot(to);
    if (ready.committed.length > 0) this.apply(raft, ready.committed);
    for (const { index, contexts } of ready.confirmedReads) {
      for (const context of contexts) {
        observer.readConfirmed(this.node, context, index);
        this.reads.confirm(context, index);
      }
    }
    for (const { reason, contexts } of ready.rejectedReads) {
      for (const context of contexts) {
        observer.readRejected(this.node, context, reason);
        this.reads.reject(context, reason);
      }
    }
    this.reads.applied(this.stateMachine.appliedIndex);
    if (ready.compactThrough !== undefined) this.compact(ready.compactThrough);
    this.noticeLeader(raft);
    if (this.handOver.attempt(raft, this.state!)) this.scheduleTurn();
    this.maybeCheckpoint();
    if (this.isDead) throw DIED;
    observer.settled(this.node);
  }

  /** A node whose log finds no space had better not lead. */
  private stand(raft: Raft): void {
    const { candidacy: wanted } = this.node.behaviour;
    const candidacy = wanted === 'ready' && this.log.isFull ? 'reluctant' : wanted;
    if (candidacy !== this.state!.candidacy) raft.setCandidacy(candidacy);
  }

  private propose(raft: Raft): void {
    if (this.queuedWrites.length === 0) return;
    const queued = this.queuedWrites;
    this.queuedWrites = [];
    const groups: WaitingWrite[][] = [];
    for (let at = 0; at < queued.length; at += ENTRY_COMMANDS_MAX)
      groups.push(queued.slice(at, at + ENTRY_COMMANDS_MAX));
    const logTimeMs = this.node.logTimeMs(this.stateMachine.logTimeMs);
    const result = raft.propose(
      groups.map((group) =>
        encodeBatch(
          logTimeMs,
          group.map((write) => write.command),
        ),
      ),
    );
    if (result.accepted)
      groups.forEach((group, i) => this.proposals.add(result.index + i, result.term, waitingFor(group)));
    else for (const write of queued) write.rejected(result.reason, raft.leaderId);
  }

  /** One request for all reads of a turn that want the same. */
  private requestReads(raft: Raft): void {
    if (this.queuedReads.length === 0) return;
    const queued = this.queuedReads;
    this.queuedReads = [];
    for (const mode of ['read_index', 'lease'] as const) {
      const reads = queued.filter((each) => each.mode === mode).map(({ read }) => read);
      if (reads.length === 0) continue;
      const context = this.around.nextReadContext();
      this.reads.add(context, reads);
      this.around.observer.readRequested(this.node, context, mode);
      raft.requestRead(context, mode);
    }
  }

  private send(message: Message): void {
    this.effect();
    this.around.observer.sent(this.node, message);
    this.around.network.send(message, this.node.incarnation);
  }

  private persist(batch: PersistBatch): void {
    const { hardState, snapshot, entries } = batch;
    if (snapshot === undefined) {
      this.append(hardState, entries, () => this.persisted(batch));
      return;
    }
    const install = (): void =>
      this.install(snapshot, () => this.append(undefined, entries, () => this.persisted(batch)));
    if (hardState === undefined) install();
    else this.append(hardState, [], install);
  }

  /** Durable before `done`. */
  private append(hardState: Synced['hardState'], entries: readonly Entry[], done: () => void): void {
    if (hardState === undefined && entries.length === 0) return done();
    this.effect();
    this.log.append({ hardState, entries }, (error) => {
      if (error) return this.stop(error);
      this.effect();
      this.around.observer.synced(this.node, { hardState, snapshot: undefined, entries });
      done();
    });
  }

  /** First the state, in one atomic step; then the log. The state decides: after a crash between the two, the second is repeated. */
  private install(snapshot: SnapshotMetadata, done: () => void): void {
    const image = this.staged.get(nameOf(snapshot));
    if (image === undefined) {
      throw new SimulationFailure('driver', `${this.node.id} has no state for the snapshot of ${snapshot.index}`);
    }
    this.after(this.node.behaviour.snapshotDelay, () => {
      this.node.keySpace.install({ ...image, configuration: snapshot.configuration });
      this.checkpointedIndex = snapshot.index;
      // A later one may have arrived meanwhile, and be the next that is asked for.
      for (const [name, { index }] of this.staged) if (index <= snapshot.index) this.staged.delete(name);
      this.restoreStateMachine();
      const { index, term } = snapshot;
      this.around.trace.event('installs', this.node.id, [index, term], () => `the snapshot of ${index}/${term}`);
      this.around.observer.snapshotInstalled(this.node, snapshot);
      this.around.observer.synced(this.node, { hardState: undefined, snapshot, entries: [] });
      this.effect();
      this.log.reset({ index, term }, undefined, (error) => {
        if (error) return this.stop(error);
        this.effect();
        done();
      });
    });
  }

  private persisted({ messages }: PersistBatch): void {
    this.around.observer.persistReported(this.node);
    for (const message of messages) this.send(message);
    this.raft!.persisted();
    this.scheduleTurn();
  }

  private fetch(raft: Raft, { to, from, bytesMax }: EntryFetch): void {
    this.log.read(from, this.log.lastIndex + 1, bytesMax, (error, entries) => {
      if (error && !(error instanceof IndexCompactedError)) return this.stop(error);
      if (this.isDead) return;
      raft.entriesFetched(to, error ? [] : entries);
      this.scheduleTurn();
    });
  }

  private apply(raft: Raft, entries: readonly Entry[]): void {
    this.effect();
    const last = entries.at(-1)!;
    const answers = this.stateMachine.apply(
      entries.map(({ index, type, data }) => ({ index, data: type === EntryType.Normal ? data : NO_COMMANDS })),
    );
    raft.applied(last.index);
    const metadata = raft.describeSnapshot(last.index);
    if (metadata === undefined)
      throw new SimulationFailure('driver', `${this.node.id}: what was applied is below the log's base`);
    this.node.keySpace.describe(metadata);
    this.around.trace.event('applies', this.node.id, [last.index, last.term]);
    this.around.observer.applied(this.node, entries, answers);
    this.effect();
    entries.forEach((entry, i) => this.proposals.applied(entry.index, entry.term, answers[i] ?? []));
    // There may be more than one Ready hands out.
    this.scheduleTurn();
  }

  private noticeLeader(raft: Raft): void {
    if (this.wasLeader && !raft.isLeader) this.proposals.leadershipLost();
    this.wasLeader = raft.isLeader;
    const { transfer } = this;
    if (transfer === undefined) return;
    const { to, waiting, term, index } = transfer;
    if (raft.isLeader ? this.state!.transfer !== undefined : raft.leaderId === undefined) return;
    this.transfer = undefined;
    if (raft.leaderId === to && this.state!.currentTerm > term) waiting.applied([], term, index);
    else waiting.unknown(raft.isLeader ? 'taken_back' : 'another_leader');
  }

  private maybeCheckpoint(): void {
    const index = this.stateMachine.appliedIndex;
    const { checkpointEntries } = this.node.behaviour;
    if (!this.isCheckpointWanted && index - this.checkpointedIndex < checkpointEntries) return;
    if (this.isCheckpointing || index === this.checkpointedIndex) return;
    this.isCheckpointing = true;
    this.isCheckpointWanted = false;
    this.node.disk.start({ complete: () => this.checkpointed(index) });
  }

  private checkpointed(index: number): void {
    this.isCheckpointing = false;
    const { keySpace } = this.node;
    // A snapshot may have come in between.
    if (index > keySpace.syncedIndex) {
      keySpace.sync(index);
      this.checkpointedIndex = index;
      this.around.trace.event('checkpoint', this.node.id, [index]);
      this.around.observer.checkpointed(this.node, index, keySpace.syncedConfiguration);
      this.effect();
      this.raft!.checkpointed(index);
    }
    this.scheduleTurn();
  }

  /** Later, or never: nothing depends on it. */
  private compact(index: number): void {
    if (this.compactionRandom.nextInt(0, 9) === 0) return;
    this.after(this.compactionRandom.nextInt(0, 50), () => {
      this.effect();
      this.around.trace.event('compacts', this.node.id, [index]);
      this.around.observer.compacted(this.node, index);
      this.log.removePrefix(index, (error) => {
        if (error) this.stop(error);
      });
    });
  }

  /** Takes the state, then lets it travel beside its message. */
  private sendSnapshot(to: NodeId): void {
    this.after(this.node.behaviour.snapshotDelay, () => {
      const { raft } = this;
      if (raft === undefined) return;
      this.effect();
      const image = this.node.keySpace.image();
      const message = raft.snapshotStarted(to, image.index);
      this.scheduleTurn();
      if (message === undefined) return;
      const { observer, events, network, trace } = this.around;
      trace.message(MessageEvent.Sent, message);
      observer.sent(this.node, message);
      const sender = new SnapshotSender(events, network, message, image, this.node.incarnation, (isDelivered) =>
        this.input(() => {
          this.sending.delete(to);
          this.raft!.snapshotEnded(to, isDelivered);
          this.scheduleTurn();
        }),
      );
      this.sending.set(to, sender);
      sender.start();
    });
  }

  private after(delay: number, act: () => void): void {
    if (delay === 0) return act();
    this.around.events.schedule(this.around.events.now + delay, new DelayedInput(this, act));
  }

  private stage(snapshot: SnapshotMetadata, image: StateImage): void {
    this.staged.set(nameOf(snapshot), image);
    if (this.staged.size <= STAGED_SNAPSHOTS_MAX) return;
    for (const name of this.staged.keys()) {
      this.staged.delete(name);
      break;
    }
  }
}

function waitingFor(group: readonly WaitingWrite[]): WaitingForEntry {
  return {
    applied: (answers) => group.forEach((write, i) => write.answered(answers[i]!)),
    rejected: (reason) => group.forEach((write) => write.rejected(reason, undefined)),
    unknown: (reason) => group.forEach((write) => write.unknown(reason)),
  };
}

const nameOf = ({ index, term }: SnapshotMetadata): string => `${index}/${term}`;
