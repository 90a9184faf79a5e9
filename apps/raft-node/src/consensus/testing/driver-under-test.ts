import { Registry } from 'prom-client';
import { decodeAnswer, encodeCommand, StateMachine, type Answer } from '@app/kv';
import {
  Election,
  Raft,
  ReadIndex,
  Replication,
  type Configuration,
  type InstallSnapshot,
  type Message,
  LeadershipTransfer,
  Membership,
  Snapshots,
} from '@app/raft';
import { MemoryDisk, promised, WriteAheadLog, type StateSnapshot, type StateStore } from '@app/storage';
import { logLines } from '../../../../../libs/platform/src/testing/log-lines.js';
import { NodeCondition } from '../../condition/node-condition.js';
import { OperationDesk } from '../../fsm/operation-desk.js';
import type { PeerDirectory } from '../../peers/peer-directory.js';
import { PeerInbox } from '../../peers/peer-inbox.js';
import { RaftNodeConfig } from '../../raft-node.config.js';
import type { SnapshotSenders } from '../../snapshots/snapshot-senders.js';
import { StateEvents } from '../../storage/state-events.js';
import { ConsensusMetrics } from '../consensus-metrics.js';
import { LogClock } from '../log-clock.js';
import type { PeerTransport } from '../peer-transport.js';
import { Persistence } from '../persistence.js';
import { RaftDriver } from '../raft-driver.js';
import { restoreState } from '../restored-state.js';
import { FakeStateStore } from './fake-state-store.js';

/** An encoded command. */
export const set = (key: string, value: string) =>
  encodeCommand({
    kind: 'set',
    key: new Uint8Array(Buffer.from(key)),
    value: new Uint8Array(Buffer.from(value)),
    contentType: '',
    ttlMs: 0,
  });

export const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

export async function eventually(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('the condition never held');
    await nextTurn();
  }
}

/** A driver on a disk in memory whose operations complete when the test says so, once `isSlow` is set. */
export class DriverUnderTest {
  readonly sent: Message[] = [];
  readonly fatal: unknown[] = [];
  readonly inbox = new PeerInbox();
  readonly desk = new OperationDesk();
  readonly condition = new NodeCondition();
  readonly stateEvents = new StateEvents();
  readonly registry = new Registry();
  readonly store = new FakeStateStore();
  readonly stateMachine = new StateMachine(this.store);
  isDiskSlow = false;
  failure: Error | undefined;
  drainTimeoutMs = 2_000;
  /** Longer where a leader has to stay one while nobody answers it. */
  electionTimeoutMs = 50;
  retainedEntries = 100_000;
  segmentBytesMax = 64 * 1024 * 1024;
  /** What the directory knows and the configuration does not say. */
  knownAddresses: Record<string, string> = {};
  readonly followed: Configuration[] = [];
  /** Whom the addresses are known of. */
  reaches: (id: string) => boolean = () => true;
  snapshotsCancelled = 0;
  readonly logged = logLines();
  readonly snapshotsSent: { message: InstallSnapshot; done: (isDelivered: boolean) => void }[] = [];
  wal!: WriteAheadLog;
  driver!: RaftDriver;
  raft!: Raft;
  private readonly disk = new MemoryDisk({ completions: 'queued', intercept: () => this.failure });
  private readonly stops: (() => void)[] = [];
  private pump: NodeJS.Timeout | undefined;

  async start(peerCount: number): Promise<this> {
    const config = Object.defineProperty(new RaftNodeConfig(), 'drainTimeoutMs', { get: () => this.drainTimeoutMs });
    config.retainedEntries = this.retainedEntries;
    config.clusterId = 'c1';
    config.nodeId = 'n1';
    config.dataDir = 'memory';
    config.peers = Array.from({ length: peerCount }, (_, i) => ({
      nodeId: `n${i + 1}`,
      address: `127.0.0.1:${i + 1}`,
    }));
    config.heartbeatMs = 8;
    config.electionTimeoutMs = this.electionTimeoutMs;
    this.pump = setInterval(() => {
      if (!this.isDiskSlow) this.disk.run();
    }, 1);
    const wal = (this.wal = await promised<WriteAheadLog>((done) =>
      WriteAheadLog.open(
        this.disk,
        { clusterId: 'c1', nodeId: 'n1', incarnation: 'i', segmentBytesMax: this.segmentBytesMax },
        done,
      ),
    ));
    const raftConfig = config.toRaftConfig();
    const replication = new Replication(raftConfig);
    this.raft = new Raft(
      raftConfig,
      await restoreState(config, wal, this.store),
      new Election(raftConfig, { nextInt: (min) => min }),
      replication,
      new ReadIndex(raftConfig, { nextInt: (min) => min }),
      new Membership(raftConfig, replication),
      new Snapshots(raftConfig),
      new LeadershipTransfer(raftConfig),
    );
    const store = this.store as unknown as StateStore;
    const senders = {
      send: (message: InstallSnapshot, snapshot: StateSnapshot, done: (isDelivered: boolean) => void) => {
        this.snapshotsSent.push({ message, done });
        void snapshot.close();
      },
      reaches: (id: string) => this.reaches(id),
      cancelAll: () => (this.snapshotsCancelled += 1),
    };
    const directory = {
      follow: (configuration: Configuration) => this.followed.push(configuration),
      unrecordedIn: ({ addresses }: Configuration) => (addresses === undefined ? this.knownAddresses : {}),
    };
    const transport = { send: (messages: readonly Message[]) => this.sent.push(...messages) };
    this.driver = new RaftDriver(
      config,
      this.raft,
      wal,
      this.stateMachine,
      store,
      new Persistence(config, wal, store, this.stateMachine),
      transport as unknown as PeerTransport,
      senders as unknown as SnapshotSenders,
      directory as unknown as PeerDirectory,
      this.inbox,
      this.desk,
      new LogClock(this.stateMachine),
      this.condition,
      this.stateEvents,
      new ConsensusMetrics(this.registry),
      (error) => this.fatal.push(error),
      this.logged.log,
    );
    this.driver.onApplicationBootstrap();
    return this;
  }

  write(command: Uint8Array, timeoutMs = 60_000): Promise<Answer | string> {
    return new Promise((resolve) =>
      this.desk.write(command, performance.now() + timeoutMs, (answer, refusal) =>
        resolve(answer !== undefined ? decodeAnswer(answer) : refusal!.code),
      ),
    );
  }

  read(): Promise<string> {
    return new Promise((resolve) =>
      this.desk.read(performance.now() + 60_000, (refusal) => resolve(refusal?.code ?? 'read')),
    );
  }

  /** What a voter of a three-node cluster would do: grant every vote, store every entry. */
  playPeers(...peers: string[]): void {
    const seen = new Set<Message>();
    const answer = setInterval(() => {
      for (const message of this.sent) {
        if (seen.has(message) || !peers.includes(message.to)) continue;
        seen.add(message);
        if (message.type === 'RequestVote') {
          const { from: to, to: from, term, preVote } = message;
          this.inbox.received({ type: 'RequestVoteResponse', from, to, term, preVote, voteGranted: true }, undefined);
        } else if (message.type === 'AppendEntries') {
          this.inbox.received(
            {
              type: 'AppendEntriesResponse',
              from: message.to,
              to: message.from,
              term: message.term,
              success: true,
              matchIndex: message.prevLogIndex + message.entries.length,
              rejectedIndex: 0,
              conflictTerm: 0,
              conflictIndex: 0,
              readContext: message.readContext,
            },
            undefined,
          );
        }
      }
    }, 1);
    this.stops.push(() => clearInterval(answer));
  }

  /** From now on nobody answers. */
  stopPeers(): void {
    for (const stop of this.stops.splice(0)) stop();
  }

  async stop(): Promise<void> {
    this.isDiskSlow = false;
    await this.driver.beforeApplicationShutdown();
    clearInterval(this.pump);
    this.stopPeers();
  }
}
