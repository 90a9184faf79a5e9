import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { encodeBatch, StateMachine } from '@app/kv';
import { LOG, type Log } from '@app/platform';
import {
  EntryType,
  Raft,
  type ChangeRejection,
  type Configuration,
  type Entry,
  type EntryFetch,
  type ExpulsionReason,
  type LogIndex,
  type MembershipChange,
  type Message,
  type NodeId,
  type PersistBatch,
  type ProposalRejection,
  type TransferRejection,
} from '@app/raft';
import { IndexCompactedError, StateStore, WriteAheadLog } from '@app/storage';
import { NodeCondition } from '../condition/node-condition.js';
import { FATAL, type FatalHandler } from '../fatal.js';
import { OperationDesk, type ReadReply, type Refusal, type WriteReply } from '../fsm/operation-desk.js';
import { PeerDirectory } from '../peers/peer-directory.js';
import { PeerInbox } from '../peers/peer-inbox.js';
import { RaftNodeConfig } from '../raft-node.config.js';
import { SnapshotSenders } from '../snapshots/snapshot-senders.js';
import { StateEvents } from '../storage/state-events.js';
import { ConsensusMetrics } from './consensus-metrics.js';
import { expulsionAdvice } from './expulsion.js';
import { Handover } from './handover.js';
import { LogClock } from './log-clock.js';
import { PeerTransport } from './peer-transport.js';
import { PendingProposals, type WaitingWrite } from './pending-proposals.js';
import { PendingReads, type WaitingRead } from './pending-reads.js';
import { PendingTransfers, type TransferReply } from './pending-transfers.js';
import { Persistence } from './persistence.js';
import { SlowEntries } from './slow-entries.js';
import { SnapshotExchange } from './snapshot-exchange.js';

/** Commands and bytes that one log entry takes at most; more of one turn go into further entries. */
const ENTRY_COMMANDS_MAX = 1024;
const ENTRY_BYTES_MAX = 1024 * 1024;

/** How much the state database may lag behind before committed entries wait in the log. */
const STATE_PENDING_BYTES_MAX = 64 * 1024 * 1024;

/** In election timeouts: most entries that were on their way when the leadership was lost are committed or replaced by then. */
const OUTCOME_TIMEOUTS = 1;

/** In election timeouts: how long a graceful stop looks for somebody who takes the leadership, and then for who has it. */
const HANDOVER_TIMEOUTS = 4;
const SUCCESSOR_TIMEOUTS = 2;

const LINGER_MS = 50;

const NO_COMMANDS = new Uint8Array(0);

/** How a change of the membership ended. */
export type ChangeOutcome =
  /** It is committed, set by the entry of this index. */
  | { readonly kind: 'applied'; readonly index: LogIndex }
  /** It was not appended, and has no effect. */
  | { readonly kind: 'rejected'; readonly reason: ChangeRejection; readonly detail: string }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/**
 * The only loop of the node, and the only caller of the core. Whatever happens within one turn of the event loop
 * (messages, proposals, reads, completions of the disk) reaches the core first; then one `turn` carries out what it asks for:
 *
 * 1. messages that promise nothing leave;
 * 2. entries and hard state go to the log, with one sync for all that has queued up; a snapshot goes to the state database in between;
 * 3. votes and acknowledgements leave when that is durable, not before;
 * 4. committed entries are applied, and described;
 * 5. clients are answered.
 */
@Injectable()
export class RaftDriver implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly proposals: PendingProposals;
  private readonly reads: PendingReads;
  private readonly transfers = new PendingTransfers();
  private readonly handover: Handover;
  private readonly snapshots: SnapshotExchange;
  private queuedWrites: WaitingWrite[] = [];
  private queuedReads: WaitingRead[] = [];
  private timer: NodeJS.Timeout | undefined;
  private isTurnScheduled = false;
  private state: 'idle' | 'running' | 'draining' | 'stopped' = 'idle';
  private wasLeader = false;
  /** While this node does not lead: when those whose entries may or may not be committed are told that this is not known. */
  private outcomeDeadlineMs = Infinity;
  private lastLeaderId: NodeId | undefined;
  /** The configuration that the directory follows, and the one whose addresses this node has completed as a leader. */
  private followed: Configuration | undefined;
  private completed: Configuration | undefined;
  private lastExpulsion: ExpulsionReason | undefined;
  /** How often this node has seen the leader change. */
  leaderChanges = 0;
  /** Proposals that were refused before they had an entry. */
  private refusedProposals = 0;
  /** Messages of peers that no correct node sends to this one. */
  refusedMessages = 0;

  constructor(
    private readonly config: RaftNodeConfig,
    private readonly raft: Raft,
    private readonly wal: WriteAheadLog,
    private readonly stateMachine: StateMachine,
    private readonly store: StateStore,
    private readonly persistence: Persistence,
    private readonly transport: PeerTransport,
    private readonly senders: SnapshotSenders,
    private readonly directory: PeerDirectory,
    private readonly inbox: PeerInbox,
    private readonly desk: OperationDesk,
    private readonly clock: LogClock,
    private readonly condition: NodeCondition,
    private readonly stateEvents: StateEvents,
    private readonly metrics: ConsensusMetrics,
    @Inject(FATAL) private readonly fatal: FatalHandler,
    @Inject(LOG) private readonly log: Log,
  ) {
    const slowEntries = new SlowEntries(log);
    this.proposals = new PendingProposals((entry) => slowEntries.tell(entry));
    this.reads = new PendingReads((durationMs) => metrics.readsConfirmed(durationMs));
    this.handover = new Handover(raft, config.toRaftConfig().electionTimeoutTicks);
    this.snapshots = new SnapshotExchange(raft, store, persistence, senders, condition, this, log);
  }

  onApplicationBootstrap(): void {
    this.state = 'running';
    this.followConfiguration();
    this.inbox.readBy({
      received: (message, incarnation) => this.input(() => this.step(message, incarnation)),
      unreachable: (id) => this.input(() => this.raft.reportUnreachable(id)),
      disconnected: (id) => this.input(() => this.raft.reportDisconnected(id)),
      snapshotReceived: (received) => this.snapshots.receive(received),
    });
    this.stateEvents.onSynced(() => this.input(() => this.snapshots.checkpoint()));
    const conditionChanged = () =>
      this.input(() => {
        this.raft.setCandidacy(this.condition.candidacy);
        this.snapshots.conditionChanged();
      });
    this.condition.onChange(conditionChanged);
    conditionChanged();
    this.desk.readBy(this);
    this.timer = setInterval(() => this.tick(), this.config.tickMs);
  }

  /**
   * Sees to it that another member leads, serving meanwhile; then refuses new operations, gives those under way a bounded time to
   * finish, and falls silent.
   */
  async beforeApplicationShutdown(): Promise<void> {
    this.condition.raise('stopping', 'the process was asked to end');
    if (this.state === 'running') await this.leaveLeadership();
    if (this.state === 'running') this.state = 'draining';
    const isAwaited = () => this.state === 'draining' && this.pendingOperations + this.desk.passedOn > 0;
    await this.waitWhile(isAwaited, this.config.drainTimeoutMs);
    this.stop();
    // Next the servers cut their connections; what was answered just now has to be out by then.
    await delay(LINGER_MS);
  }

  get isLeader(): boolean {
    return this.raft.isLeader;
  }

  get leaderId(): NodeId | undefined {
    return this.raft.leaderId;
  }

  get staleReadRefusal(): Refusal | undefined {
    return this.condition.readRefusal() ?? (this.persistence.isInstalling ? STATE_IS_REPLACED : undefined);
  }

  get pendingOperations(): number {
    return (
      this.proposals.count +
      this.reads.count +
      this.transfers.count +
      this.queuedWrites.length +
      this.queuedReads.length
    );
  }

  get pendingProposals(): number {
    return this.proposals.count + this.queuedWrites.length;
  }

  /** Proposals that were refused, or whose outcome is unknown. */
  get failedProposals(): number {
    return this.refusedProposals + this.proposals.failed;
  }

  /** Linearizable reads that no quorum has confirmed. */
  get failedReads(): number {
    return this.reads.failed;
  }

  write(command: Uint8Array, deadlineMs: number, reply: WriteReply): void {
    const refusal = this.refusal() ?? this.troubleWith(command);
    if (refusal !== undefined) {
      this.refusedProposals += 1;
      reply(undefined, refusal);
      return;
    }
    this.queuedWrites.push({ command, deadlineMs, reply });
    this.scheduleTurn();
  }

  read(deadlineMs: number, reply: ReadReply): void {
    const refusal = this.refusal() ?? this.condition.readRefusal();
    if (refusal !== undefined) {
      reply(refusal);
      return;
    }
    this.queuedReads.push({ deadlineMs, reply });
    this.scheduleTurn();
  }

  /** Asks for another configuration. `done` is called once; a refusal whose outcome is unknown means that the change may still be committed. */
  changeMembership(change: MembershipChange, deadlineMs: number, done: (outcome: ChangeOutcome) => void): void {
    const refusal = this.refusal();
    if (refusal !== undefined) {
      done({ kind: 'refused', refusal });
      return;
    }
    this.input(() => {
      const result = this.raft.proposeChange(change);
      if (!result.accepted) {
        done({ kind: 'rejected', reason: result.reason, detail: result.detail });
        return;
      }
      const reply: WriteReply = (_, failure) =>
        done(failure === undefined ? { kind: 'applied', index: result.index } : { kind: 'refused', refusal: failure });
      this.proposals.add(result.index, result.term, [{ command: NO_COMMANDS, deadlineMs, reply }]);
    });
  }

  /** Hands the leadership to `to`, or to whoever is most up to date. What it returns says why that was not begun; `reply` is called once it has been. */
  transferLeadership(
    to: NodeId | undefined,
    deadlineMs: number,
    reply: TransferReply,
  ): Refusal | TransferRejection | undefined {
    const refusal = this.refusal();
    if (refusal !== undefined) return refusal;
    let rejection: TransferRejection | undefined;
    this.input(() => {
      const successor = to ?? this.raft.successor();
      rejection = successor === undefined ? 'unreachable' : this.raft.transferLeadership(successor);
      if (rejection === undefined) this.transfers.add({ term: this.raft.status().term, deadlineMs, reply });
    });
    return rejection;
  }

  private refusal(): Refusal | undefined {
    if (this.state !== 'running') return SHUTTING_DOWN;
    if (!this.raft.isLeader) return notLeader(this.raft.leaderId);
    if (this.pendingOperations >= this.config.pendingOperationsMax) {
      return { code: 'OVERLOADED', detail: `${this.config.pendingOperationsMax} operations are already waiting` };
    }
    return undefined;
  }

  /** A full disk is no reason to give up yet while a member may take over that has room. */
  private troubleWith(command: Uint8Array): Refusal | undefined {
    const trouble = this.condition.writeRefusal(command);
    if (trouble?.code !== 'STORAGE_FULL' || this.handover.hasFailed) return trouble;
    return { code: 'NO_LEADER', detail: `the leadership is being handed over: ${trouble.detail}` };
  }

  /**
   * An interval that comes late is one tick all the same. What this process did not hear while it was not running says nothing about the
   * others: with all the ticks that it missed it would suspect a leader whose heartbeats wait in its sockets. That this makes its timeouts
   * longer harms nobody: nothing is read on the strength of a clock, for `leaseTicks` is 0.
   */
  private tick(): void {
    this.feed(() => {
      this.raft.tick();
      this.completeAddresses();
      this.handover.tick(this.condition.candidacy !== 'ready');
      // What held the log back may have gone: a member has taken in its state, or has fallen silent.
      if (this.condition.has('storage_full')) this.snapshots.checkpoint();
    });
    // Most ticks of a node without clients change nothing.
    if (!this.raft.isAtRest || this.hasNewLeader || this.transfers.count > 0) this.scheduleTurn();
    const now = performance.now();
    this.proposals.expire(now);
    this.reads.expire(now);
    if (now >= this.outcomeDeadlineMs) this.loseProposals();
    this.noticeExpulsion();
    this.persistence.sealWhenIdle((error) => this.fail(error));
  }

  get isStopped(): boolean {
    return this.state === 'stopped';
  }

  /** Every input goes through here, but for ticks. */
  input(input: () => void): void {
    this.feed(input);
    this.scheduleTurn();
  }

  /** An error in the core stops the node, whoever fed it. */
  private feed(input: () => void): void {
    if (this.state === 'stopped') return;
    try {
      input();
    } catch (error) {
      this.fail(error);
    }
  }

  private scheduleTurn(): void {
    if (this.isTurnScheduled || this.state === 'stopped') return;
    this.isTurnScheduled = true;
    setImmediate(() => {
      this.isTurnScheduled = false;
      if (this.state === 'stopped') return;
      try {
        this.turn();
      } catch (error) {
        this.fail(error);
      }
    });
  }

  step(message: Message, incarnation: string | undefined): void {
    if (!this.raft.step(message, incarnation)) this.refusedMessages += 1;
  }

  private turn(): void {
    this.followConfiguration();
    this.propose();
    this.requestReads();
    const ready = this.raft.takeReady(this.store.pendingBytes < STATE_PENDING_BYTES_MAX);
    this.transport.send(ready.messages);
    if (ready.persist !== undefined) this.persist(ready.persist);
    for (const fetch of ready.fetches) this.fetch(fetch);
    for (const { to } of ready.snapshots) this.snapshots.send(to);
    this.apply(ready.committed);
    for (const { index, contexts } of ready.confirmedReads) this.reads.confirm(contexts, index);
    for (const { reason, contexts } of ready.rejectedReads) {
      const refusal: Refusal =
        reason === 'read_limit'
          ? { code: 'OVERLOADED', detail: 'too many reads are waiting' }
          : notLeader(this.raft.leaderId);
      this.reads.reject(contexts, refusal);
    }
    if (!this.persistence.isInstalling) this.reads.applied(this.stateMachine.appliedIndex);
    if (ready.compactThrough !== undefined) this.compact(ready.compactThrough);
    this.noticeLeader();
  }

  /** One entry, as far as it goes, for all the commands of a turn. */
  private propose(): void {
    const queued = this.queuedWrites;
    if (queued.length === 0) return;
    this.queuedWrites = [];
    const groups = groupForEntries(queued);
    const logTimeMs = this.clock.nowMs();
    const result = this.raft.propose(
      groups.map((group) =>
        encodeBatch(
          logTimeMs,
          group.map((write) => write.command),
        ),
      ),
    );
    if (result.accepted) {
      groups.forEach((group, i) => this.proposals.add(result.index + i, result.term, group));
      return;
    }
    this.refusedProposals += queued.length;
    const refusal = this.refusalOf(result.reason);
    for (const write of queued) write.reply(undefined, refusal);
  }

  private refusalOf(reason: ProposalRejection): Refusal {
    switch (reason) {
      case 'not_leader':
        return notLeader(this.raft.leaderId);
      case 'leadership_transfer':
        return { code: 'NO_LEADER', detail: 'the leadership is being handed over' };
      case 'uncommitted_limit':
        return { code: 'OVERLOADED', detail: 'too many bytes are waiting to be committed' };
    }
  }

  /** One ReadIndex request for all the reads of a turn. */
  private requestReads(): void {
    if (this.queuedReads.length === 0) return;
    const context = this.reads.add(this.queuedReads);
    this.queuedReads = [];
    this.raft.requestRead(context);
  }

  private persist(batch: PersistBatch): void {
    this.persistence.persist(batch, (error) => {
      if (error) {
        this.fail(error);
        return;
      }
      if (this.state === 'stopped') return;
      this.transport.send(batch.messages);
      this.input(() => {
        this.raft.persisted();
        if (batch.snapshot !== undefined) this.stateReplaced(batch.snapshot.index);
      });
    });
  }

  private stateReplaced(index: LogIndex): void {
    this.log.info({ index }, 'the state of another member is in use');
    // The entries of those who wait here are somewhere in it, or were replaced.
    this.loseProposals();
    this.snapshots.checkpoint();
  }

  private fetch({ to, from, bytesMax }: EntryFetch): void {
    this.wal.read(from, this.wal.lastIndex + 1, bytesMax, (error, entries) => {
      // A leader that cannot read what it has committed would leave this follower behind for ever, and nobody would know.
      if (error && !(error instanceof IndexCompactedError)) this.fail(error);
      else this.input(() => this.raft.entriesFetched(to, error ? [] : entries));
    });
  }

  private apply(entries: readonly Entry[]): void {
    const last = entries.at(-1);
    if (last === undefined) return;
    const startedMs = performance.now();
    const answers = this.stateMachine.apply(
      entries.map(({ index, type, data }) => ({ index, data: type === EntryType.Normal ? data : NO_COMMANDS })),
    );
    this.metrics.applied(
      performance.now() - startedMs,
      answers.reduce((sum, { length }) => sum + length, 0),
    );
    this.raft.applied(last.index);
    const described = this.raft.describeSnapshot(last.index);
    if (described !== undefined) this.persistence.describe(described);
    entries.forEach((entry, i) => this.proposals.applied(entry.index, entry.term, answers[i] ?? []));
    // There may be more than one Ready hands out.
    this.scheduleTurn();
  }

  private compact(index: LogIndex): void {
    this.wal.removePrefix(index, (error) => {
      if (error && this.state !== 'stopped') this.fail(error);
    });
  }

  private get hasNewLeader(): boolean {
    return this.wasLeader !== this.raft.isLeader || this.lastLeaderId !== this.raft.leaderId;
  }

  private noticeLeader(): void {
    if (this.wasLeader !== this.raft.isLeader) {
      // An entry of the former leader may still be committed by the next one, most often at once. Here it will be applied, or replaced.
      const graceMs = OUTCOME_TIMEOUTS * this.config.electionTimeoutMs;
      this.outcomeDeadlineMs = this.wasLeader ? performance.now() + graceMs : Infinity;
      if (this.wasLeader) this.senders.cancelAll();
    }
    this.wasLeader = this.raft.isLeader;
    if (this.transfers.count > 0) this.transfers.settle(this.raft.status(), performance.now());
    if (this.raft.leaderId === this.lastLeaderId) return;
    this.lastLeaderId = this.raft.leaderId;
    if (this.lastLeaderId === undefined) {
      this.log.warn('no leader');
    } else {
      this.leaderChanges += 1;
      const { term, lastIndex, commitIndex } = this.raft.status();
      this.log.info({ leader: this.lastLeaderId, term, lastIndex, commitIndex }, 'new leader');
    }
  }

  private loseProposals(): void {
    this.outcomeDeadlineMs = Infinity;
    this.proposals.leadershipLost();
  }

  /** Before anything is sent to who has just been added. */
  private followConfiguration(): void {
    const { configuration } = this.raft;
    if (configuration === this.followed) return;
    this.followed = configuration;
    this.directory.follow(configuration);
  }

  /** The members that a cluster was started with, each by its own list, are in the configuration with their addresses soon after. */
  private completeAddresses(): void {
    const { configuration } = this.raft;
    if (!this.raft.isLeader || configuration === this.completed) return;
    const addresses = this.directory.unrecordedIn(configuration);
    // What stands in the way passes.
    if (Object.keys(addresses).length > 0) this.raft.proposeChange({ addresses });
    else this.completed = configuration;
  }

  private noticeExpulsion(): void {
    const { expulsion } = this.raft;
    if (expulsion === this.lastExpulsion) return;
    this.lastExpulsion = expulsion;
    if (expulsion === undefined) this.log.info('a member of the cluster again');
    else this.log.error({ reason: expulsion }, expulsionAdvice(expulsion));
  }

  /** Serves until somebody else leads, or until nobody within reach has taken over. */
  private async leaveLeadership(): Promise<void> {
    if (!this.raft.isLeader) return;
    this.handover.hurry();
    const { electionTimeoutMs, shutdownTimeoutMs, drainTimeoutMs } = this.config;
    // What is left of the time belongs to those who wait, and to the disk.
    const shareMs = Math.max(0, shutdownTimeoutMs - drainTimeoutMs) / 2;
    await this.waitWhile(
      () => this.state === 'running' && this.raft.isLeader && !this.handover.hasFailed,
      Math.min(HANDOVER_TIMEOUTS * electionTimeoutMs, shareMs),
    );
    if (this.raft.isLeader) {
      if (this.raft.status().members.length > 0) this.log.warn('nobody took over the leadership');
      return;
    }
    // Those who ask here are told where to go on.
    const isNobodyKnown = () => this.state === 'running' && this.raft.leaderId === undefined;
    await this.waitWhile(isNobodyKnown, SUCCESSOR_TIMEOUTS * electionTimeoutMs);
  }

  private async waitWhile(condition: () => boolean, timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    for (let leftMs = timeoutMs; condition() && leftMs > 0; leftMs = deadline - performance.now()) {
      await delay(Math.min(leftMs, this.config.tickMs));
    }
  }

  private fail(error: unknown): void {
    if (this.state === 'stopped') return;
    try {
      this.stop();
    } catch (replyError) {
      this.log.error({ err: replyError }, 'a client could not be told that the node stops');
    }
    this.desk.readBy(undefined);
    this.fatal(error);
  }

  /** What was answered with a read may still be read after this. */
  private stop(): void {
    if (this.state === 'stopped') return;
    this.state = 'stopped';
    clearInterval(this.timer);
    this.inbox.readBy(undefined);
    this.stateEvents.onSynced(undefined);
    for (const write of this.queuedWrites) write.reply(undefined, SHUTTING_DOWN);
    for (const read of this.queuedReads) read.reply(SHUTTING_DOWN);
    this.proposals.leadershipLost();
    this.reads.end(SHUTTING_DOWN);
    this.transfers.end(SHUTTING_DOWN);
  }
}

const SHUTTING_DOWN: Refusal = { code: 'SHUTTING_DOWN', detail: 'the node is shutting down' };

const STATE_IS_REPLACED: Refusal = {
  code: 'NO_LEADER',
  detail: 'the node was too far behind, and is taking in the state of the leader',
};

function notLeader(leaderId: NodeId | undefined): Refusal {
  return leaderId === undefined
    ? { code: 'NO_LEADER', detail: 'the cluster has no leader at the moment' }
    : { code: 'NOT_LEADER', detail: `the leader is ${leaderId}` };
}

function groupForEntries(writes: readonly WaitingWrite[]): WaitingWrite[][] {
  const groups: WaitingWrite[][] = [];
  let group: WaitingWrite[] = [];
  let bytes = 0;
  for (const write of writes) {
    const isFull = group.length >= ENTRY_COMMANDS_MAX || bytes + write.command.byteLength > ENTRY_BYTES_MAX;
    if (isFull && group.length > 0) {
      groups.push(group);
      group = [];
      bytes = 0;
    }
    group.push(write);
    bytes += write.command.byteLength;
  }
  groups.push(group);
  return groups;
}
