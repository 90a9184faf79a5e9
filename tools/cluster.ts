/**
 * `npm start`: a whole system on this machine, until Ctrl-C.
 *
 * Nothing is started again by itself: a process that ends unexpectedly is named, and the rest goes on. Ctrl-C stops
 * everything gracefully (exit code 0, or 1 when a process would not stop); a second one kills what is left (exit code
 * 130).
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { CommanderError } from 'commander';
import { colorsFor } from './local-cluster/colors.js';
import { type ClusterCommand, parseCommandLine } from './local-cluster/command-line.js';
import { claimDataDirectory, DataDirectoryError } from './local-cluster/data-directory.js';
import { consecutivePorts } from './local-cluster/layout.js';
import { LocalCluster, NotBuiltError, PortsTakenError } from './local-cluster/local-cluster.js';
import { ElectionProgress } from './local-cluster/progress.js';
import { curlExamples, processTable } from './local-cluster/report.js';
import { describeExit, type Exit, type ServerProcess, ServerProcessError } from './local-cluster/server-process.js';

/** This file runs as `dist/tools/cluster.js`. */
const ROOT = join(import.meta.dirname, '../..');

const START_TIMEOUT_MS = 60_000;
/** More than the processes give themselves, so that they end by themselves if they can. */
const STOP_TIMEOUT_MS = 15_000;
/** The terminal signals the whole process group, and npm passes the signal on: both are one Ctrl-C. */
const SAME_SIGNAL_WITHIN_MS = 500;

const PORT_FLAGS = { gateway: '--port', grpc: '--grpc-port', ops: '--ops-port' };

const options = parsedOrExit();
const dataDir = resolve(options.dataDir);
const cluster = new LocalCluster({
  ...options,
  dataDir,
  distDir: join(ROOT, 'dist'),
  ports: consecutivePorts({ gateway: options.port, grpc: options.grpcPort, ops: options.opsPort }, options),
  env: { RINGRAFT_LOG_LEVEL: options.logLevel },
  onUnexpectedExit: (server, exit) => reportExit(server, exit),
});

const progress = new ElectionProgress(cluster, process.stdout);
const startedAt = performance.now();
let isStarting = true;
let stoppingSince: number | undefined;
let isKilling = false;
let release: (() => void) | undefined;

/** Commander has printed the help, or what is wrong, before it gives up. */
function parsedOrExit(): ClusterCommand {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  try {
    return parseCommandLine(process.argv.slice(2), version);
  } catch (error) {
    if (error instanceof CommanderError) process.exit(error.exitCode);
    throw error;
  }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function complain(text: string): void {
  process.stderr.write(`${colorsFor(process.stderr).red(text)}\n`);
}

function reportExit(server: ServerProcess, exit: Exit): void {
  if (stoppingSince !== undefined || isStarting) return;
  complain(`${server.name} ${describeExit(exit)}; it is not started again. Its log: ${server.logPath}`);
  for (const line of server.lastLogLines(3)) complain(`  ${line}`);
  if (![...cluster.nodes, ...cluster.gateways].some(({ isRunning }) => isRunning)) {
    complain('no process is left');
    end(1);
  }
}

function end(code: number): never {
  release?.();
  process.exit(code);
}

async function stop(signal: NodeJS.Signals): Promise<void> {
  const now = performance.now();
  if (stoppingSince !== undefined) {
    if (now - stoppingSince < SAME_SIGNAL_WITHIN_MS) return;
    isKilling = true;
    complain('killing what is left');
    await cluster.killAll();
    end(signal === 'SIGINT' ? 130 : 143);
  }
  stoppingSince = now;
  progress.stop();
  say('\nstopping all processes, once more kills them ...');
  const failures = await cluster.stop(STOP_TIMEOUT_MS);
  if (isKilling) return;
  for (const { server, exit } of failures) {
    complain(`${server.name} did not stop gracefully: it ${describeExit(exit)}. Its log: ${server.logPath}`);
  }
  say('stopped');
  end(failures.length === 0 ? 0 : 1);
}

/** What went wrong, and what to do about it. */
function explain(error: unknown): string {
  if (error instanceof PortsTakenError) {
    return error.taken
      .map(({ port, purpose, name }) => `port ${port} of ${name} is taken: choose another with ${PORT_FLAGS[purpose]}`)
      .join('\n');
  }
  const isExpected =
    error instanceof DataDirectoryError || error instanceof NotBuiltError || error instanceof ServerProcessError;
  return isExpected ? error.message : String(error instanceof Error ? error.stack : error);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop(signal));
// The terminal may be gone while the processes still stop.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

try {
  await cluster.check();
  release = claimDataDirectory(dataDir, options, options.fresh);
  say(`starting ${options.clusters} clusters of ${options.nodes} nodes, data in ${dataDir}`);
  progress.start();
  await cluster.start(START_TIMEOUT_MS);
  isStarting = false;
  progress.stop();
  say(`ready after ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
  say(await processTable(cluster));
  say('');
  say(curlExamples(cluster.gateways[0]!.url));
  say('');
  say(`Logs: ${join(dataDir, 'logs')}. Ctrl-C stops everything.`);
} catch (error) {
  if (stoppingSince === undefined) {
    progress.stop();
    complain(explain(error));
    end(1);
  }
}
