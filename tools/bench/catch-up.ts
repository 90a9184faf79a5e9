/**
 * How a node that was away for very many entries catches up, and that the log does not grow without bound meanwhile: `npm run
 * bench:catch-up`. Kills one follower of a real cluster of three, writes small entries, starts it again under a paced load, and prints
 * what the log took, how long the way back was, what clients saw of it, and whether all three have the same state in the end.
 *
 * Exit code 0 when all of that is as promised, 1 when something is not.
 */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { RecordableHistogram } from 'node:perf_hooks';
import { Command } from 'commander';
import type { LocalNode } from '../local-cluster/local-cluster.js';
import { CatchUpCluster, metricsOf, sumOf } from './catch-up-cluster.js';
import { Failures, Flood, PacedClients } from './catch-up-clients.js';

const MIB = 1024 * 1024;
const SAMPLE_INTERVAL_MS = 250;
const CATCH_UP_INTERVAL_MS = 20;
const CATCH_UP_TIMEOUT_MS = 600_000;
const PACED_CLIENTS = 16;
/** So few entries behind, a node is as good as there. */
const NEARLY_THERE_ENTRIES = 1_000;
/** A segment goes as a whole, the newest is made ahead of its records, and the state database follows within a moment. */
const SEGMENTS_IN_EXCESS = 3;

interface Options {
  readonly entries: number;
  readonly valueBytes: number;
  readonly keys: number;
  readonly retainedEntries?: number;
  readonly logMib: number;
  readonly segmentMib: number;
  readonly connections: number;
  readonly depth: number;
  readonly pacedPerSecond: number;
  readonly baselineSeconds: number;
  readonly batched: boolean;
  readonly directory?: string;
}

const DEFAULT_RETAINED_ENTRIES = 100_000;

const options = new Command('bench:catch-up')
  .option('--entries <n>', 'entries that the node is away for', Number, 1_000_000)
  .option('--value-bytes <n>', 'size of a value', Number, 100)
  .option('--keys <n>', 'different keys that are written', Number, 100_000)
  .option('--retained-entries <n>', 'retainedEntries of the nodes; above --entries the log is replayed', Number)
  .option('--log-mib <n>', 'logBytesMax of the nodes', Number, 512)
  .option('--segment-mib <n>', 'segmentBytesMax of the nodes: small, so that growth shows', Number, 4)
  .option('--connections <n>', 'of the clients that write without end', Number, 2)
  .option('--depth <n>', 'writes that each of these has under way', Number, 500)
  .option('--paced-per-second <n>', 'operations of the clients whose latency is measured', Number, 400)
  .option('--baseline-seconds <n>', 'how long their latency is measured before the node comes back', Number, 10)
  .option('--batched', 'all commands of a turn share an entry, as in a real node; else each has its own', false)
  .option('--directory <path>', 'where the data goes (a directory in it, removed afterwards)')
  .parse()
  .opts<Options>();
const retainedEntries = options.retainedEntries ?? DEFAULT_RETAINED_ENTRIES;

const faults: string[] = [];
const failures = new Failures();

function say(text: string): void {
  console.log(text);
}

function expect(isTrue: boolean, fault: string): void {
  if (!isTrue) faults.push(fault);
}

/** On standard error, one line that changes, or a line now and then. */
class Progress {
  private lastMs = 0;

  show(text: string): void {
    const isTerminal = process.stderr.isTTY;
    if (!isTerminal && performance.now() - this.lastMs < 10_000) return;
    this.lastMs = performance.now();
    process.stderr.write(isTerminal ? `\r\u001b[K${text}` : `${text}\n`);
  }

  end(): void {
    if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
    this.lastMs = 0;
  }
}

const progress = new Progress();
const count = (n: number) => Math.round(n).toLocaleString('en');
const mib = (bytes: number) => `${(bytes / MIB).toFixed(1)} MiB`;
const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;

/** The log of whoever leads, and all processes, looked at until it is told to stop. */
class LogWatch {
  largestBytes = 0;
  /** Of any process. */
  largestResidentBytes = 0;
  /** Of each, by name. On a busy machine most of it is waiting for a processor. */
  readonly longestLagMs = new Map<string, number>();
  private ended: Promise<void> = Promise.resolve();
  private isStopping = false;

  constructor(private readonly cluster: CatchUpCluster) {
    this.ended = this.run();
  }

  async stop(): Promise<void> {
    this.isStopping = true;
    await this.ended;
  }

  private async run(): Promise<void> {
    while (!this.isStopping) {
      const { status } = await this.cluster.leader();
      this.largestBytes = Math.max(this.largestBytes, status.logBytes);
      for (const node of this.cluster.nodes.filter(({ isRunning }) => isRunning)) await this.look(node);
      await delay(SAMPLE_INTERVAL_MS);
    }
  }

  private async look(node: LocalNode): Promise<void> {
    const metrics = await metricsOf(node);
    const resident = sumOf(metrics, 'ringraft_process_resident_memory_bytes');
    this.largestResidentBytes = Math.max(this.largestResidentBytes, resident);
    // Since the last look.
    const lagMs = 1000 * sumOf(metrics, 'ringraft_nodejs_eventloop_lag_max_seconds');
    this.longestLagMs.set(node.name, Math.max(lagMs, this.longestLagMs.get(node.name) ?? 0));
  }
}

/** Writes until the log has grown by so many entries. Returns what the log may take at most. */
async function writeEntries(cluster: CatchUpCluster, watch: LogWatch): Promise<number> {
  const { node, status } = await cluster.leader();
  const flood = new Flood(node.address, options, failures);
  const startedAt = performance.now();
  flood.start();
  let written = 0;
  while (written < options.entries) {
    await delay(SAMPLE_INTERVAL_MS);
    const now = (await cluster.leader()).status;
    written = now.lastIndex - status.lastIndex;
    const rate = count((1000 * written) / (performance.now() - startedAt));
    progress.show(
      `${count(written)} of ${count(options.entries)} entries, ${rate}/s, the log takes ${mib(now.logBytes)}, ` +
        `${failures.count} operations have failed`,
    );
  }
  await flood.stop();
  const tookMs = performance.now() - startedAt;
  progress.end();
  const after = (await cluster.leader()).status;
  written = after.lastIndex - status.lastIndex;
  say(
    `written: ${count(written)} entries with ${count(flood.commands)} commands in ${seconds(tookMs)} ` +
      `(${count((1000 * written) / tookMs)} entries/s, ${count((1000 * flood.commands) / tookMs)} commands/s)`,
  );

  const held = after.lastIndex - after.firstIndex + 1;
  const entryBytes = after.logBytes / held;
  const retainedBytes = Math.min(retainedEntries * entryBytes, options.logMib * MIB);
  const boundBytes = retainedBytes + SEGMENTS_IN_EXCESS * options.segmentMib * MIB;
  say(
    `log of the leader: ${mib(watch.largestBytes)} at most, ${mib(after.logBytes)} now, ${count(held)} entries of ${count(entryBytes)} bytes; ` +
      `without compaction ${mib(written * entryBytes)}; bound ${mib(boundBytes)} ` +
      `(${count(retainedEntries)} entries are retained, ${options.logMib} MiB at most, and ${SEGMENTS_IN_EXCESS} segments)`,
  );
  say(`state of the leader: ${mib(after.stateBytes)}`);
  return boundBytes;
}

/** Starts the node, and waits until it has applied all that is committed. */
async function bringBack(cluster: CatchUpCluster, away: LocalNode, awayIndex: number): Promise<void> {
  const startedAt = performance.now();
  const { firstIndex, lastIndex } = (await cluster.leader()).status;
  away.start();
  let answeredMs: number | undefined;
  let nearlyMs: number | undefined;
  for (;;) {
    const { commitIndex } = (await cluster.leader()).status;
    const appliedIndex = (await cluster.statusOf(away))?.appliedIndex;
    const pastMs = performance.now() - startedAt;
    if (appliedIndex !== undefined) {
      answeredMs ??= pastMs;
      const lag = commitIndex - appliedIndex;
      if (lag <= NEARLY_THERE_ENTRIES) nearlyMs ??= pastMs;
      if (nearlyMs !== undefined && lag <= 0) {
        progress.end();
        const missed = lastIndex - awayIndex;
        say(
          `${away.name} was ${count(missed)} entries behind: answered after ${seconds(answeredMs)}, within ` +
            `${count(NEARLY_THERE_ENTRIES)} entries after ${seconds(nearlyMs)}, level after ${seconds(pastMs)} ` +
            `(${count((1000 * missed) / pastMs)} entries/s)`,
        );
        await showWay(away, firstIndex > awayIndex + 1);
        return;
      }
      progress.show(`${away.name} has applied ${count(appliedIndex)}, ${count(lag)} to go`);
    }
    if (pastMs > CATCH_UP_TIMEOUT_MS) throw new Error(`${away.name} has not caught up after ${seconds(pastMs)}`);
    await delay(CATCH_UP_INTERVAL_MS);
  }
}

/** `isStateNeeded`: the log of the leader began behind what the node had. */
async function showWay(away: LocalNode, isStateNeeded: boolean): Promise<void> {
  const metrics = await metricsOf(away);
  const ended = (label?: string) => sumOf(metrics, 'ringraft_snapshot_receive_total', label);
  const installed = ended('result="complete"');
  const broken = ended() - installed;
  const bytes = sumOf(metrics, 'ringraft_snapshot_receive_bytes_total');
  say(
    installed > 0
      ? `it took the state: ${installed} of ${mib(bytes)} in all, ${broken} streams broken off; then the rest of the log`
      : 'it replayed the log: no state was sent',
  );
  expect(installed > 0 === isStateNeeded, `it was to come back by ${isStateNeeded ? 'the state' : 'the log'}`);
}

function showLatencies(what: string, latencies: RecordableHistogram): void {
  const ms = (us: number) => (us / 1000).toFixed(1).padStart(8);
  const [p50, p99] = [latencies.percentile(50), latencies.percentile(99)];
  say(`${what.padEnd(22)}${count(latencies.count).padStart(10)}${ms(p50)}${ms(p99)}${ms(latencies.max)}`);
}

async function compareStates(cluster: CatchUpCluster): Promise<void> {
  const views = await cluster.settled();
  for (const { node, status } of views) {
    say(
      `${node.name}: applied ${count(status.appliedIndex)}, content ${status.contentHash}, history ${status.historyHash}, ` +
        `log ${mib(status.logBytes)}, state ${mib(status.stateBytes)}`,
    );
  }
  const hashes = new Set(views.map(({ status }) => `${status.contentHash} ${status.historyHash}`));
  expect(hashes.size === 1 && !hashes.has(' '), 'the states differ');
  expect(!views.some(({ status }) => status.isQuarantined), 'a node is in quarantine');
}

async function run(cluster: CatchUpCluster): Promise<void> {
  const leader = await cluster.leader();
  const away = cluster.nodes.find(({ name }) => name !== leader.node.name)!;
  const awayIndex = (await cluster.statusOf(away))?.appliedIndex ?? 0;
  await away.kill();
  say(`${away.name} was killed at entry ${count(awayIndex)}; ${leader.node.name} leads`);

  const watch = new LogWatch(cluster);
  const logBoundBytes = await writeEntries(cluster, watch);

  const { node } = await cluster.leader();
  const paced = new PacedClients(node.address, PACED_CLIENTS, options.pacedPerSecond, failures);
  await delay(1_000);
  paced.takeLatencies();
  await delay(1_000 * options.baselineSeconds);
  const before = paced.takeLatencies();
  await bringBack(cluster, away, awayIndex);
  const during = paced.takeLatencies();
  await delay(1_000 * options.baselineSeconds);
  const after = paced.takeLatencies();
  await paced.stop();
  await watch.stop();

  say(`clients, ${options.pacedPerSecond} operations/s, half of them writes; latency in ms`);
  say('                             count     p50     p99     max');
  showLatencies('before', before);
  showLatencies('while it came back', during);
  showLatencies('afterwards', after);
  say(`log of the leader: ${mib(watch.largestBytes)} at most over all of it`);
  expect(watch.largestBytes <= logBoundBytes, `the log took ${mib(watch.largestBytes)}, above ${mib(logBoundBytes)}`);
  say(
    `failed operations: ${failures.count}${failures.count > 0 ? ` (${failures.describe()})` : ''}; ` +
      `sent again because nobody led: ${failures.repeats}; terms: ${(await cluster.leader()).status.term - leader.status.term + 1}`,
  );
  const lags = [...watch.longestLagMs].map(([name, ms]) => `${name} ${ms.toFixed(0)} ms`);
  say(`event loops were held, at most: ${lags.join(', ')}; processes took ${mib(watch.largestResidentBytes)} at most`);
  expect(failures.count === 0, `${failures.count} operations have failed`);
  expect(during.count > 0, 'no client worked while the node came back');
  await compareStates(cluster);
  for (const exit of cluster.unexpectedExits) faults.push(exit);
}

const env = {
  RINGRAFT_LOG_LEVEL: 'info',
  RINGRAFT_RETAINED_ENTRIES: String(retainedEntries),
  RINGRAFT_LOG_BYTES_MAX: String(options.logMib * MIB),
  RINGRAFT_SEGMENT_BYTES_MAX: String(options.segmentMib * MIB),
};
/** A real node under load makes few large entries of many commands. */
const nodeScript = options.batched ? undefined : join(import.meta.dirname, 'catch-up-node.js');
const cluster = await CatchUpCluster.start(env, nodeScript, options.directory);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void cluster.dispose().finally(() => process.exit(130)));
}
try {
  await run(cluster);
} catch (error) {
  faults.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
} finally {
  await cluster.dispose();
}
for (const fault of faults) say(`NOT AS PROMISED: ${fault}`);
if (faults.length === 0) say('all as promised');
process.exitCode = faults.length === 0 ? 0 : 1;
