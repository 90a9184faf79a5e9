import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { encodeBatch, StateMachine, type KeySpace } from '@app/kv';
import { LOG, type Log } from '@app/platform';
import { EntryType, Raft, type Entry, type EntryFetch, type NodeId, type PersistBatch } from '@app/raft';
import { IndexCompactedError, WriteAheadLog } from '@app/storage';
import { OperationDesk, type ReadReply, type Refusal, type WriteReply } from '../fsm/operation-desk.js';
import { PeerInbox } from '../peers/peer-inbox.js';
import { RaftNodeConfig } from '../raft-node.config.js';
import { KEY_SPACE } from '../storage/storage.module.js';
import { LogClock } from './log-clock.js';
import { FATAL, type FatalHandler } from '../fatal.js';
import { PeerTransport } from './peer-transport.js';
import { PendingProposals, type WaitingWrite } from './pending-proposals.js';
import { PendingReads, type WaitingRead } from './pending-reads.js';

/** Commands and bytes that one log entry takes at most; more of one turn go into further entries. */
const ENTRY_COMMANDS_MAX = 1024;
const ENTRY_BYTES_MAX = 1024 * 1024;

/** How much the state database may lag behind before committed entries wait in the log. */
const STATE_PENDING_BYTES_MAX = 64 * 1024 * 1024;

const LINGER_MS = 50;

const NO_COMMANDS = new Uint8Array(0);

/**
 * The only loop of the node, and the only caller of the core. Whatever happens within one turn of the event loop
 * (messages, proposals, reads, completions of the disk) reaches the core first; then one `turn` carries out what it asks for:
 *
 * 1. messages that promise nothing leave;
 * 2. entries and hard state go to the log, with one sync for all that has queued up;
 * 3. votes and acknowledgements leave when that sync is done, not before;
 * 4. committed entries are applied;
 * 5. clients are answered.
 */
@Injectable()
export class RaftDriver implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly proposals = new PendingProposals();
  private readonly reads = new PendingReads();
  private queuedWrites: WaitingWrite[] = [];
  private queuedReads: WaitingRead[] = [];
  private timer: NodeJS.Timeout | undefined;
  private isTurnScheduled = false;
  private state: 'idle' | 'running' | 'draining' | 'stopped' = 'idle';
  private wasLeader = false;
  private lastLeaderId: NodeId | undefined;
  /** How often this node has seen the leader change. */
  leaderChanges = 0;
  /** Proposals that were refused or lost. */
  failedProposals = 0;
  /** Messages of peers that no correct node sends to this one. */
  refusedMessages = 0;

  constructor(
    private readonly config: RaftNodeConfig,
    private readonly raft: Raft,
    private readonly wal: WriteAheadLog,
    private readonly stateMachine: StateMachine,
    @Inject(KEY_SPACE) private readonly keySpace: KeySpace & { readonly pendingBytes: number },
    private readonly transport: PeerTransport,
    private readonly inbox: PeerInbox,
    private readonly desk: OperationDesk,
    private readonly clock: LogClock,
    @Inject(FATAL) private readonly fatal: FatalHandler,
    @Inject(LOG) private readonly log: Log,
  ) {}

  onApplicationBootstrap(): void {
    this.state = 'running';
    this.inbox.readBy({
      received: (message) =>
        this.input(() => {
          if (!this.raft.step(message)) this.refusedMessages += 1;
        }),
      unreachable: (id) => this.input(() => this.raft.reportUnreachable(id)),
      disconnected: (id) => this.input(() => this.raft.reportDisconnected(id)),
    });
    this.desk.readBy(this);
    this.timer = setInterval(() => this.tick(), this.config.tickMs);
  }

  /** Refuses new operations, gives those under way a bounded time to finish, and falls silent. */
  async beforeApplicationShutdown(): Promise<void> {
    if (this.state === 'running') this.state = 'draining';
    const deadline = performance.now() + this.config.drainTimeoutMs;
    while (this.state === 'draining' && this.pendingOperations > 0 && performance.now() < deadline) {
      await delay(this.config.tickMs);
    }
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

  get pendingOperations(): number {
    return this.proposals.count + this.reads.count + this.queuedWrites.length + this.queuedReads.length;
  }

  get pendingProposals(): number {
    return this.proposals.count + this.queuedWrites.length;
  }

  write(command: Uint8Array, deadlineMs: number, reply: WriteReply): void {
    const refusal = this.refusal();
    if (refusal !== undefined) {
      this.failedProposals += 1;
      reply(undefined, refusal);
      return;
    }
    this.queuedWrites.push({ command, deadlineMs, reply });
    this.scheduleTurn();
  }

  read(deadlineMs: number, reply: ReadReply): void {
    const refusal = this.refusal();
    if (refusal !== undefined) {
      reply(refusal);
      return;
    }
    this.queuedReads.push({ deadlineMs, reply });
    this.scheduleTurn();
  }

  private refusal(): Refusal | undefined {
    if (this.state !== 'running') return { code: 'SHUTTING_DOWN', detail: 'the node is shutting down' };
    if (!this.raft.isLeader) return notLeader(this.raft.leaderId);
    if (this.pendingOperations >= this.config.pendingOperationsMax) {
      return { code: 'OVERLOADED', detail: `${this.config.pendingOperationsMax} operations are already waiting` };
    }
    return undefined;
  }

  private tick(): void {
    this.input(() => this.raft.tick());
    const now = performance.now();
    this.proposals.expire(now);
    this.reads.expire(now);
  }

  /** Every input goes through here: an error in the core stops the node, whoever fed it. */
  private input(feed: () => void): void {
    if (this.state === 'stopped') return;
    try {
      feed();
    } catch (error) {
      this.fail(error);
      return;
    }
    this.scheduleTurn();
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

  private turn(): void {
    this.propose();
    this.requestReads();
    const ready = this.raft.takeReady(this.keySpace.pendingBytes < STATE_PENDING_BYTES_MAX);
    this.transport.send(ready.messages);
    if (ready.persist !== undefined) this.persist(ready.persist);
    for (const fetch of ready.fetches) this.fetch(fetch);
    this.apply(ready.committed);
    for (const { index, contexts } of ready.confirmedReads) this.reads.confirm(contexts, index);
    for (const { reason, contexts } of ready.rejectedReads) {
      const refusal: Refusal =
        reason === 'read_limit'
          ? { code: 'OVERLOADED', detail: 'too many reads are waiting' }
          : notLeader(this.raft.leaderId);
      this.reads.reject(contexts, refusal);
    }
    this.reads.applied(this.stateMachine.appliedIndex);
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
    this.failedProposals += queued.length;
    const refusal: Refusal =
      result.reason === 'not_leader'
        ? notLeader(this.raft.leaderId)
        : { code: 'OVERLOADED', detail: 'too many bytes are waiting to be committed' };
    for (const write of queued) write.reply(undefined, refusal);
  }

  /** One ReadIndex request for all the reads of a turn. */
  private requestReads(): void {
    if (this.queuedReads.length === 0) return;
    const context = this.reads.add(this.queuedReads);
    this.queuedReads = [];
    this.raft.requestRead(context);
  }

  private persist(batch: PersistBatch): void {
    this.wal.append({ hardState: batch.hardState, entries: batch.entries }, (error) => {
      if (error) {
        this.fail(error);
        return;
      }
      if (this.state === 'stopped') return;
      this.transport.send(batch.messages);
      this.input(() => this.raft.persisted());
    });
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
    const answers = this.stateMachine.apply(
      entries.map(({ index, type, data }) => ({ index, data: type === EntryType.Normal ? data : NO_COMMANDS })),
    );
    this.raft.applied(last.index);
    entries.forEach((entry, i) => this.proposals.applied(entry.index, entry.term, answers[i] ?? []));
    // There may be more than one Ready hands out.
    this.scheduleTurn();
  }

  private noticeLeader(): void {
    if (this.wasLeader && !this.raft.isLeader) {
      this.failedProposals += this.proposals.count;
      this.proposals.leadershipLost();
    }
    this.wasLeader = this.raft.isLeader;
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

  private fail(error: unknown): void {
    if (this.state === 'stopped') return;
    try {
      this.stop();
    } catch (replyError) {
      this.log.error({ err: replyError }, 'a client could not be told that the node stops');
    }
    this.fatal(error);
  }

  private stop(): void {
    if (this.state === 'stopped') return;
    this.state = 'stopped';
    clearInterval(this.timer);
    this.inbox.readBy(undefined);
    this.desk.readBy(undefined);
    const refusal: Refusal = { code: 'SHUTTING_DOWN', detail: 'the node is shutting down' };
    for (const write of this.queuedWrites) write.reply(undefined, refusal);
    for (const read of this.queuedReads) read.reply(refusal);
    this.proposals.leadershipLost();
    this.reads.expire(Infinity);
  }
}

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
