import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { MemoryKeySpace, RESTORE_RANGES, StateMachine, type Row, type RowChange } from '@app/kv';
import { encodeConfiguration, simpleConfiguration, type InstallSnapshot } from '@app/raft';
import {
  Channels,
  SnapshotsService,
  type InstallSnapshotRequest,
  type InstallSnapshotResponse,
  type SnapshotRange,
} from '@app/rpc';
import { StateStore, type StagedState, type StateSnapshot } from '@app/storage';
import { logLines } from '../../../../../libs/platform/src/testing/log-lines.js';
import { startLoopbackServer, type LoopbackServer } from '../../../../../libs/rpc/src/testing/loopback-server.js';
import { NodeCondition } from '../../condition/node-condition.js';
import { PeerDirectory } from '../../peers/peer-directory.js';
import { PeerInbox } from '../../peers/peer-inbox.js';
import type { ReceivedSnapshot } from '../../peers/received-snapshot.js';
import { RaftNodeConfig } from '../../raft-node.config.js';
import type { ReceivingCall } from '../receiving-stream.js';
import { DEFAULT_SNAPSHOT_LIMITS, type SnapshotLimits } from '../snapshot-limits.js';
import { SnapshotMetrics } from '../snapshot-metrics.js';
import { SnapshotReceiver } from '../snapshot-receiver.js';
import { SnapshotSenders } from '../snapshot-senders.js';
import { BreakableLink } from './breakable-link.js';

const CONFIGURATION = simpleConfiguration(['a', 'b', 'c']);
/** Of the one row by which a state says what it is. */
const META_PREFIX = 1;
const STORE_OPTIONS = { writeBufferBytes: 4 * 1024 * 1024, batchDelayMs: 1 };

/** Keys and values as text. */
export type Rows = ReadonlyMap<string, string>;

export const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text));

/** What a state of this entry says of itself, if no record is in it. The rows of these tests are none of a client's. */
export function metaRow(index: number): Row {
  const space = new MemoryKeySpace();
  const entries = Array.from({ length: index }, (_, i) => ({ index: i + 1, data: Uint8Array.of() }));
  new StateMachine(space).apply(entries);
  const rows: Row[] = [];
  for (const { from, to } of RESTORE_RANGES) space.scan(from, to, 2, (_, found) => rows.push(...found));
  if (rows.length !== 1) throw new Error(`${rows.length} rows instead of one`);
  return rows[0]!;
}

/** `count` rows of about `valueBytes`, different for each `salt`. */
export function someRows(count: number, valueBytes: number, salt = ''): Map<string, string> {
  return new Map(
    Array.from({ length: count }, (_, i) => [
      `key-${String(i).padStart(6, '0')}`,
      `${salt}${i}-`.padEnd(valueBytes, 'x'),
    ]),
  );
}

/** What passes between a sender and a receiver. Either may do something about it. */
export interface Tap {
  /** A message of the sender has arrived; false: the receiver never sees it. */
  arrived?(request: InstallSnapshotRequest): boolean | void;
  /** The receiver answers; false: the answer is lost. */
  answering?(response: InstallSnapshotResponse): boolean | void;
}

/** Two nodes: `a` sends its state to `b` over gRPC, through a link that can break. */
export class TransferBed {
  readonly requests: InstallSnapshotRequest[] = [];
  readonly answers: InstallSnapshotResponse[] = [];
  readonly received: ReceivedSnapshot[] = [];
  readonly snapshotsClosed: number[] = [];
  readonly sent = logLines();
  readonly got = logLines();
  readonly registry = new Registry();
  readonly inbox = new PeerInbox();
  readonly condition = new NodeCondition();
  tap: Tap = {};
  /** Stands between the receiver and its staged state. */
  wrapStaged: (staged: StagedState) => StagedState = (staged) => staged;
  target!: StateStore;
  receiver!: SnapshotReceiver;
  senders!: SnapshotSenders;
  link!: BreakableLink;
  private source!: StateStore;
  private server!: LoopbackServer;
  private index = 0;
  private written: Rows = new Map();

  private constructor(private readonly directory: string) {}

  static async open(limits: Partial<SnapshotLimits> = {}, bytesPerSecond = 1e9): Promise<TransferBed> {
    const bed = new TransferBed(await mkdtemp(join(tmpdir(), 'ringraft-snapshots-')));
    bed.source = await StateStore.open(join(bed.directory, 'source'), STORE_OPTIONS);
    await bed.openTarget();
    bed.server = await startLoopbackServer((server) => {
      server.addService(SnapshotsService, {
        installSnapshot: (call: ReceivingCall) => void bed.receiver.serve(bed.tapped(call)),
      });
    });
    bed.link = await BreakableLink.to(bed.server.port);
    bed.openSender(limits, bytesPerSecond);
    bed.readInbox();
    return bed;
  }

  /** As after a restart of the sending process. */
  openSender(limits: Partial<SnapshotLimits> = {}, bytesPerSecond = 1e9): void {
    const config = Object.assign(new RaftNodeConfig(), { snapshotBytesPerSecond: bytesPerSecond });
    const metrics = new SnapshotMetrics(new Registry());
    const all = { ...DEFAULT_SNAPSHOT_LIMITS, ...limits };
    this.senders = new SnapshotSenders(config, this.directoryOf('a'), new Channels(), metrics, all, this.sent.log);
  }

  /** What `b` is handed over it keeps, until a test does something about it. */
  readInbox(): void {
    const ignored = () => undefined;
    this.inbox.readBy({
      received: ignored,
      unreachable: ignored,
      disconnected: ignored,
      snapshotReceived: (snapshot) => this.received.push(snapshot),
    });
  }

  /** As after a restart of the receiving process: what is in memory is gone. */
  async restartReceiver(): Promise<void> {
    this.link.cut();
    await this.receiver.beforeApplicationShutdown();
    await this.target.close();
    await this.openTarget();
  }

  /** Makes the source's rows these, and takes a snapshot. */
  async snapshotOf(rows: Rows): Promise<StateSnapshot> {
    const changes: RowChange[] = [...rows]
      .filter(([key, value]) => this.written.get(key) !== value)
      .map(([key, value]) => ({ key: bytes(key), value: bytes(value) }));
    for (const key of this.written.keys()) {
      if (!rows.has(key)) changes.push({ key: bytes(key), value: undefined });
    }
    this.written = new Map(rows);
    this.index += 10;
    changes.push(metaRow(this.index));
    this.source.write(changes, this.index);
    this.source.describe({
      index: this.index,
      term: 2,
      configurationIndex: 1,
      configuration: encodeConfiguration(CONFIGURATION),
    });
    await this.source.flush();
    const snapshot = await this.source.snapshot();
    const close = snapshot.close.bind(snapshot);
    snapshot.close = () => {
      this.snapshotsClosed.push(snapshot.description.index);
      return close();
    };
    return snapshot;
  }

  messageOf({ description }: StateSnapshot, term = 3): InstallSnapshot {
    return {
      type: 'InstallSnapshot',
      from: 'a',
      to: 'b',
      term,
      snapshot: {
        index: description.index,
        term: description.term,
        configuration: { index: description.configurationIndex, configuration: CONFIGURATION },
      },
    };
  }

  /** Resolves to what the driver of `a` is told. */
  send(snapshot: StateSnapshot, term = 3): Promise<boolean> {
    return new Promise((resolve) => this.senders.send(this.messageOf(snapshot, term), snapshot, resolve));
  }

  /** Puts the state that came last into use at `b`, as its driver does. */
  async install(): Promise<void> {
    const { staged, message, release } = this.received.at(-1)!;
    const { index, term, configuration } = message.snapshot;
    await this.target.install(staged, {
      index,
      term,
      configurationIndex: configuration.index,
      configuration: encodeConfiguration(configuration.configuration),
    });
    release();
  }

  /** What `b` has in use. */
  targetRows(): Promise<Rows> {
    return new Promise((resolve, reject) => {
      const [from, to] = [Uint8Array.of(META_PREFIX + 1), Uint8Array.of(255)];
      this.target.scan(from, to, 1_000_000, (error, rows) => {
        if (error) reject(error);
        else
          resolve(new Map(rows.map(({ key, value }) => [Buffer.from(key).toString(), Buffer.from(value).toString()])));
      });
    });
  }

  /** Of all streams so far. */
  get rowsSent(): number {
    const counted = (range: SnapshotRange) => range.rows.filter(({ key }) => key[0] !== META_PREFIX).length;
    return this.requests.reduce((sum, { range }) => sum + (range ? counted(range) : 0), 0);
  }

  /** A metric of the receiver. */
  async metric(name: string, labels: Record<string, string> = {}): Promise<number> {
    const { values } = await this.registry.getSingleMetric(name)!.get();
    const wanted = JSON.stringify(labels);
    return values.find((value) => JSON.stringify(value.labels) === wanted)?.value ?? 0;
  }

  async close(): Promise<void> {
    this.link.thaw();
    await this.senders.beforeApplicationShutdown();
    await this.receiver.beforeApplicationShutdown();
    this.link.close();
    this.server.kill();
    await this.source.close();
    await this.target.close();
    await rm(this.directory, { recursive: true, force: true });
  }

  private async openTarget(): Promise<void> {
    this.target = await StateStore.open(join(this.directory, 'target'), STORE_OPTIONS);
    const { target } = this;
    const store = {
      get appliedIndex() {
        return target.appliedIndex;
      },
      get hasStaged() {
        return target.hasStaged;
      },
      discardStaged: () => target.discardStaged(),
      stage: async () => this.wrapStaged(await target.stage()),
    } as StateStore;
    this.registry.clear();
    const metrics = new SnapshotMetrics(this.registry);
    this.receiver = new SnapshotReceiver(
      store,
      this.directoryOf('b'),
      this.inbox,
      metrics,
      this.condition,
      this.got.log,
    );
    this.receiver.onApplicationBootstrap();
  }

  private directoryOf(nodeId: string): PeerDirectory {
    const peers = ['a', 'b', 'c'].map((id) => ({ nodeId: id, address: this.link?.address ?? 'unused:1' }));
    return new PeerDirectory(
      Object.assign(new RaftNodeConfig(), { clusterId: 'c1', nodeId, peers }),
      `data-of-${nodeId}`,
    );
  }

  private tapped(call: ReceivingCall): ReceivingCall {
    const push = call.push.bind(call);
    call.push = (request: InstallSnapshotRequest | null) => {
      if (request === null) return push(null);
      this.requests.push(request);
      return this.tap.arrived?.(request) === false ? true : push(request);
    };
    const write = call.write.bind(call) as (response: InstallSnapshotResponse) => boolean;
    call.write = ((response: InstallSnapshotResponse) => {
      if (this.tap.answering?.(response) === false) return true;
      this.answers.push(response);
      return write(response);
    }) as ReceivingCall['write'];
    return call;
  }
}
