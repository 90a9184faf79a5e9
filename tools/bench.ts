/**
 * `npm run bench`: Ringraft next to etcd, Redis and a bare HTTP server, on this machine, with the same requests. Prints tables and
 * writes JSON. Figures only, nothing is promised: the exit code is 1 when something could not be measured.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { CommanderError } from 'commander';
import { type BenchCommand, parseCommandLine } from './bench/compare/command-line.js';
import { EchoSystem } from './bench/compare/echo-system.js';
import { EtcdSystem } from './bench/compare/etcd-system.js';
import { loadTable, memoryTable } from './bench/compare/load-table.js';
import type { Load } from './bench/compare/load.js';
import { describeMachine } from './bench/compare/machine.js';
import { isInstalled, versionOf } from './bench/compare/program.js';
import { RedisSystem } from './bench/compare/redis-system.js';
import { RingraftSystem } from './bench/compare/ringraft-system.js';
import type { System } from './bench/compare/system.js';
import { type LoadReport, TurnTaker } from './bench/compare/turns.js';

/** This file runs as `dist/tools/bench.js`. */
const DIST = join(import.meta.dirname, '..');

const options = parsedOrExit();
const abort = new AbortController();
mkdirSync(options.dataDir, { recursive: true });
const directory = mkdtempSync(join(resolve(options.dataDir), 'bench-'));
const running: System[] = [];

function parsedOrExit(): BenchCommand {
  try {
    return parseCommandLine(process.argv.slice(2));
  } catch (error) {
    if (error instanceof CommanderError) process.exit(error.exitCode);
    throw error;
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function build(name: string): System | undefined {
  switch (name) {
    case 'echo':
      return new EchoSystem(directory);
    case 'etcd':
      if (isInstalled('etcd')) return new EtcdSystem(directory);
      say('etcd is not installed and is left out: apt-get install etcd-server');
      return undefined;
    case 'redis':
      if (isInstalled('redis-server') && isInstalled('redis-benchmark')) return new RedisSystem(directory);
      say('Redis is not installed and is left out: apt-get install redis-server');
      return undefined;
    default: {
      const [, clusters, nodes] = /^ringraft-(\d)x(\d)$/.exec(name)!;
      return new RingraftSystem(Number(clusters), Number(nodes), DIST, directory);
    }
  }
}

async function startAll(names: readonly string[]): Promise<System[]> {
  const systems = names.map(build).filter((system) => system !== undefined);
  for (const system of systems) {
    abort.signal.throwIfAborted();
    say(`starting ${system.name}: ${system.description}`);
    running.push(system);
    await system.start();
  }
  return systems;
}

async function stopAll(): Promise<void> {
  await Promise.all(running.splice(0).map((system) => system.stop()));
}

async function runLoads(): Promise<LoadReport[]> {
  const systems = await startAll(options.targets);
  const { turns, seconds } = options;
  const taker = new TurnTaker({ turns, seconds, directory, signal: abort.signal, say });
  const reports: LoadReport[] = [];
  for (const load of loads()) reports.push(await taker.run(load, systems));
  await stopAll();
  return reports;
}

function loads(): Load[] {
  return options.valueBytes.flatMap((valueBytes) =>
    options.keys.flatMap((keys) =>
      options.work.flatMap((work) =>
        options.connections.map((connections) => ({ work, connections, valueBytes, keys })),
      ),
    ),
  );
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => abort.abort(new Error(`stopped by ${signal}`)));
}

try {
  if (!isInstalled('wrk')) throw new Error('wrk is not installed: apt-get install wrk');
  const machine = describeMachine();
  say(`${machine}; ${versionOf('wrk', '-v')}`);
  const reports = await runLoads();
  say(`\n${loadTable(reports)}\n\n${memoryTable(reports)}`);
  mkdirSync(dirname(resolve(options.out)), { recursive: true });
  writeFileSync(
    options.out,
    `${JSON.stringify({ date: new Date().toISOString(), machine, options, reports }, null, 1)}\n`,
  );
} catch (error) {
  // What was running then fails in its own words.
  const reason: unknown = abort.signal.aborted ? abort.signal.reason : error;
  process.stderr.write(`${reason instanceof Error ? reason.message : String(reason)}\n`);
  process.exitCode = 1;
} finally {
  await stopAll();
  rmSync(directory, { recursive: true, force: true });
}
