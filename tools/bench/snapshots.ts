/**
 * How long a node's event loop is held while its state goes to another: `npm run bench:snapshots`. Fills a state, sends it over gRPC to
 * a second process while entries are applied, and prints the longest pause on both sides, with the same time without a transfer to compare.
 * Then once more with the transfer broken off in the middle and taken up again.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { MemoryKeySpace, RESTORE_RANGES, StateMachine, type RowChange } from '@app/kv';
import { Channels } from '@app/rpc';
import { StateStore, type StateSnapshot } from '@app/storage';
import { DEFAULT_SNAPSHOT_LIMITS } from '../../apps/raft-node/src/snapshots/snapshot-limits.js';
import { SnapshotSenders } from '../../apps/raft-node/src/snapshots/snapshot-senders.js';
import { benchConfiguration, benchNode, describedAt, measurePauses, openState, type Pauses } from './snapshot-node.js';
import type { ReceiverReport } from './snapshot-receiver-process.js';

const MIB = 1024 * 1024;
const FILL_ROWS = 1_000;
const FILL_PENDING_BYTES_MAX = 32 * MIB;
/** Entries that are applied meanwhile: so many in each step, a step every few milliseconds. */
const APPLIED_ROWS = 10;
const APPLY_EVERY_MS = 4;

interface Options {
  readonly mib: number;
  readonly valueBytes: number;
  readonly mibPerSecond: number;
  readonly baselineSeconds: number;
  readonly directory: string;
}

const command = new Command('bench:snapshots')
  .option('--mib <n>', 'size of the state', Number, 1024)
  .option('--value-bytes <n>', 'size of a value', Number, 1024)
  .option('--mib-per-second <n>', 'snapshotBytesPerSecond of the sender', Number, 64)
  .option('--baseline-seconds <n>', 'how long to measure without a transfer', Number, 10)
  .option('--directory <path>', 'where the data goes (a directory in it, removed afterwards)', tmpdir())
  .parse();
const options = command.opts<Options>();

/** The sender's state, and the entries that come in meanwhile. */
class Applier {
  private index = 0;
  private timer: NodeJS.Timeout | undefined;
  private readonly noise = randomFillSync(Buffer.alloc(MIB));
  private rowCount = 0;
  /** What a state says of itself: a receiver compares it with the records of clients, and the rows here are none. */
  private readonly selfRows = new MemoryKeySpace();
  private readonly self = new StateMachine(this.selfRows);

  constructor(private readonly store: StateStore) {}

  get lastIndex(): number {
    return this.index;
  }

  async fill(bytes: number): Promise<void> {
    this.rowCount = Math.max(1, Math.ceil(bytes / (options.valueBytes + 16)));
    for (let from = 0; from < this.rowCount; from += FILL_ROWS) {
      const count = Math.min(FILL_ROWS, this.rowCount - from);
      this.apply(Array.from({ length: count }, (_, i) => from + i));
      while (this.store.pendingBytes > FILL_PENDING_BYTES_MAX) await sleep(5);
    }
    await this.store.flush();
  }

  start(): void {
    this.timer = setInterval(
      () => this.apply(Array.from({ length: APPLIED_ROWS }, () => Math.floor(Math.random() * this.rowCount))),
      APPLY_EVERY_MS,
    );
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** Overwrites these rows. */
  private apply(rows: number[]): void {
    this.index += 1;
    const changes: RowChange[] = rows.map((row) => ({
      key: Buffer.from(`key-${String(row).padStart(10, '0')}`),
      value: this.value(),
    }));
    this.self.apply([{ index: this.index, data: new Uint8Array(0) }]);
    for (const { from, to } of RESTORE_RANGES) this.selfRows.scan(from, to, 2, (_, found) => changes.push(...found));
    this.store.write(changes, this.index);
    this.store.describe(describedAt(this.index));
  }

  private value(): Uint8Array {
    const at = Math.floor(Math.random() * Math.max(1, this.noise.length - options.valueBytes));
    return Uint8Array.prototype.slice.call(this.noise, at, at + options.valueBytes);
  }
}

/** The other process, and what it reports. */
class Receiver {
  private constructor(private readonly child: ChildProcess) {}

  static start(directory: string): Receiver {
    const script = fileURLToPath(new URL('./snapshot-receiver-process.js', import.meta.url));
    return new Receiver(fork(script, [directory], { serialization: 'advanced' }));
  }

  next<K extends keyof ReceiverReport>(kind: K): Promise<ReceiverReport[K]> {
    return new Promise((resolve, reject) => {
      const take = (report: Partial<ReceiverReport>) => {
        const reported = report[kind];
        if (reported === undefined) return;
        this.child.off('message', take).off('exit', fail);
        resolve(reported);
      };
      const fail = () => reject(new Error('the receiving process has ended'));
      this.child.on('message', take).on('exit', fail);
    });
  }

  measure(): void {
    this.child.send('measure');
  }

  pauses(): Promise<Pauses> {
    const reported = this.next('pauses');
    this.child.send('report');
    return reported;
  }

  stop(): void {
    this.child.disconnect();
  }
}

async function send(senders: SnapshotSenders, snapshot: StateSnapshot, breakAfterMs?: number): Promise<boolean> {
  const { index, term } = snapshot.description;
  const message = {
    type: 'InstallSnapshot',
    from: 'sender',
    to: 'receiver',
    term: 1,
    snapshot: { index, term, configuration: benchConfiguration },
  } as const;
  const sent = new Promise<boolean>((resolve) => senders.send(message, snapshot, resolve));
  if (breakAfterMs !== undefined) setTimeout(() => senders.cancelAll(), breakAfterMs);
  return sent;
}

function show(what: string, sender: Pauses, receiver: Pauses, bytes = 0): void {
  const side = ({ longestMs, busiestMs, p999BusyMs, cpuSeconds, seconds }: Pauses) =>
    [longestMs, busiestMs, p999BusyMs].map((ms) => ms.toFixed(1).padStart(8)).join('') +
    `${((100 * cpuSeconds) / seconds).toFixed(0).padStart(6)}%`;
  const rate = bytes > 0 ? (bytes / MIB / sender.seconds).toFixed(1) : '';
  const time = `${sender.seconds.toFixed(1).padStart(7)}${rate.padStart(8)}`;
  console.log(`${what.padEnd(22)}${time}  ${side(sender)}  ${side(receiver)}`);
}

const directory = await mkdtemp(join(options.directory, 'ringraft-bench-'));
const receiver = Receiver.start(join(directory, 'receiver'));
try {
  const port = await receiver.next('port');
  const store = await openState(join(directory, 'sender'));
  const {
    config,
    directory: peers,
    metrics,
    log,
  } = benchNode('sender', `127.0.0.1:${port}`, options.mibPerSecond * MIB);
  const senders = new SnapshotSenders(config, peers, new Channels(), metrics, DEFAULT_SNAPSHOT_LIMITS, log);
  const applier = new Applier(store);
  const bytes = options.mib * MIB;
  await applier.fill(bytes);
  console.log(
    `a state of ${options.mib} MiB, ${options.valueBytes} bytes a value, at most ${options.mibPerSecond} MiB/s`,
  );
  console.log(
    'Between two turns of the event loop, in ms: the longest time; what the thread computed, at most and in 99.9%; CPU.',
  );
  console.log('                                                   sender                          receiver');
  console.log(
    '                      seconds   MiB/s   longest    busy   p99.9    CPU   longest    busy   p99.9    CPU',
  );
  applier.start();

  const phase = async (what: string, run: () => Promise<number>) => {
    receiver.measure();
    const pauses = measurePauses();
    const transferred = await run();
    show(what, pauses(), await receiver.pauses(), transferred);
  };
  await phase('no transfer', async () => {
    await sleep(options.baselineSeconds * 1000);
    return 0;
  });
  const transfer = async () => {
    const installed = receiver.next('installed');
    if (!(await send(senders, await store.snapshot()))) throw new Error('the state was not delivered');
    await installed;
    return bytes;
  };
  await phase('transfer, installed', transfer);
  await phase('half of it, broken off', async () => {
    const halfMs = (1000 * options.mib) / options.mibPerSecond / 2;
    await send(senders, await store.snapshot(), halfMs);
    return 0;
  });
  await phase('taken up, installed', transfer);

  applier.stop();
  await senders.beforeApplicationShutdown();
  await store.close();
} finally {
  receiver.stop();
  await rm(directory, { recursive: true, force: true });
}
