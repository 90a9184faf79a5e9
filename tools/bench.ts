/**
 * `npm run bench`: Ringraft next to etcd, Redis and a bare HTTP server, on this machine, with the same requests. Prints tables and
 * writes JSON. Figures only, nothing is promised: the exit code is 1 when something could not be measured.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CommanderError } from 'commander';
import { type BenchCommand, parseCommandLine } from './bench/compare/command-line.js';
import { EchoSystem } from './bench/compare/echo-system.js';
import { EtcdSystem } from './bench/compare/etcd-system.js';
import { measureFailover } from './bench/compare/failover.js';
import type { Load } from './bench/compare/load.js';
import { describeMachine } from './bench/compare/machine.js';
import { measureManyKeys } from './bench/compare/many-keys.js';
import { type Measurements, noMeasurements } from './bench/compare/measurements.js';
import { costOf } from './bench/compare/process-cost.js';
import { isInstalled, versionOf } from './bench/compare/program.js';
import { RedisSystem } from './bench/compare/redis-system.js';
import { describeMeasurements } from './bench/compare/report.js';
import { RingraftSystem } from './bench/compare/ringraft-system.js';
import { measureSlowRequests } from './bench/compare/slow-requests.js';
import { Stage } from './bench/compare/stage.js';
import { measureStartUp } from './bench/compare/start-up.js';
import { type Part, partsOf } from './bench/compare/suites.js';
import type { System } from './bench/compare/system.js';
import { TARGET_LOADS, judge } from './bench/compare/targets.js';
import { type LoadReport, TurnTaker } from './bench/compare/turns.js';

/** This file runs as `dist/tools/bench.js`. */
const DIST = join(import.meta.dirname, '..');
const IDLE_SECONDS = 5;
const VALUE_BYTES = 128;

const options = parsedOrExit();
const abort = new AbortController();
const { signal } = abort;
mkdirSync(options.dataDir, { recursive: true });
const directory = mkdtempSync(join(resolve(options.dataDir), 'bench-'));
const running: System[] = [];
let directories = 0;

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

/** Undefined when it is not installed. Each has a directory of its own. */
function build(name: string): System | undefined {
  const dataDir = join(directory, String(directories++));
  mkdirSync(dataDir);
  switch (name) {
    case 'echo':
      return new EchoSystem(dataDir);
    case 'etcd':
      return hasEtcd() ? new EtcdSystem(dataDir) : undefined;
    case 'redis':
      if (isInstalled('redis-server') && isInstalled('redis-benchmark')) return new RedisSystem(dataDir);
      say('Redis is not installed and is left out: apt-get install redis-server');
      return undefined;
    default: {
      const [, clusters, nodes] = /^ringraft-(\d)x(\d)$/.exec(name)!;
      return ringraft(Number(clusters), Number(nodes), dataDir);
    }
  }
}

function hasEtcd(): boolean {
  const isThere = isInstalled('etcd');
  if (!isThere) say('etcd is not installed and is left out: apt-get install etcd-server');
  return isThere;
}

function ringraft(clusters: number, nodes: number, dataDir = join(directory, String(directories++))): RingraftSystem {
  return new RingraftSystem(clusters, nodes, DIST, dataDir);
}

function etcd(): EtcdSystem[] {
  if (!hasEtcd()) return [];
  const dataDir = join(directory, String(directories++));
  mkdirSync(dataDir);
  return [new EtcdSystem(dataDir)];
}

/** Runs what is to be measured while these run, and nothing else of ours. */
async function during<S extends System, T>(systems: readonly S[], measure: (systems: readonly S[]) => Promise<T>) {
  try {
    for (const system of systems) {
      signal.throwIfAborted();
      say(`starting ${system.name}: ${system.description}`);
      running.push(system);
      await system.start();
    }
    return await measure(systems);
  } finally {
    await stopAll();
  }
}

async function stopAll(): Promise<void> {
  await Promise.all(running.splice(0).map((system) => system.stop()));
}

/** What each costs while nobody asks it anything. */
async function sayIdleCost(systems: readonly System[]): Promise<void> {
  const cpuOf = async (system: System) =>
    (await system.processes()).reduce((seconds, { pid }) => seconds + costOf(pid).cpuSeconds, 0);
  const before = await Promise.all(systems.map(cpuOf));
  await delay(IDLE_SECONDS * 1000, undefined, { signal });
  const after = await Promise.all(systems.map(cpuOf));
  const shares = systems.map(
    ({ name }, i) => `${name} ${((100 * (after[i]! - before[i]!)) / IDLE_SECONDS).toFixed(1)}%`,
  );
  say(`idle, of one CPU: ${shares.join(', ')}`);
}

/** Each row is kept as soon as it is there, whatever becomes of those that follow. */
function runLoads(
  names: readonly string[],
  loads: readonly { load: Load; systems?: readonly string[] }[],
  into: LoadReport[],
): Promise<void> {
  const systems = names.map(build).filter((system) => system !== undefined);
  return during(systems, async () => {
    await sayIdleCost(systems);
    const stage = await Stage.open(systems, signal);
    const taker = turnTaker(options.turns, options.seconds, stage);
    try {
      for (const { load, systems: wanted = names } of loads) {
        const chosen = systems.filter(({ name }) => wanted.includes(name));
        into.push(await taker.run(load, chosen));
      }
    } finally {
      stage.close();
    }
  });
}

function turnTaker(turns: number, seconds: number, stage?: Stage): TurnTaker {
  const { warmUp: warmUpSeconds } = options;
  return new TurnTaker({ turns, seconds, warmUpSeconds, directory, ...(stage && { stage }), signal, say });
}

function chosenLoads(): { load: Load }[] {
  return options.valueBytes.flatMap((valueBytes) =>
    options.keys.flatMap((keys) =>
      options.work.flatMap((work) =>
        options.connections.map((connections) => ({ load: { work, connections, valueBytes, keys } })),
      ),
    ),
  );
}

function loadsOf(works: readonly Load['work'][], connections: readonly number[]): { load: Load }[] {
  return works.flatMap((work) =>
    connections.map((count) => ({
      load: { work, connections: count, valueBytes: VALUE_BYTES, keys: 'uniform' as const },
    })),
  );
}

async function run(part: Part, into: Measurements): Promise<void> {
  switch (part) {
    case 'load':
      return runLoads(options.targets, chosenLoads(), into.loads);
    case 'quick-load':
      return runLoads(['ringraft-1x3', 'ringraft-3x3', 'etcd'], loadsOf(['put', 'get'], [64, 256]), into.loads);
    case 'target-loads':
      return runLoads(['ringraft-1x3', 'ringraft-3x3', 'etcd', 'echo'], TARGET_LOADS, into.loads);
    case 'growth':
      return runLoads(['ringraft-1x3', 'ringraft-2x3', 'ringraft-3x3'], loadsOf(['put', 'get'], [64]), into.growth);
    case 'failover':
      into.failover.push(
        ...(await during([ringraft(1, 3), ...etcd()], (systems) =>
          measureFailover(systems, options.kills, signal, say),
        )),
      );
      return;
    case 'start-up': {
      const builds = [() => ringraft(1, 3), () => ringraft(3, 3), ...(hasEtcd() ? [() => etcd()[0]!] : [])];
      into.startUp.push(...(await measureStartUp(builds, options.turns, signal, say)));
      return;
    }
    case 'many-keys':
      for (const system of [ringraft(1, 3), ...etcd()]) {
        into.manyKeys.push(await during([system], () => measureManyKeys(system, options.count, VALUE_BYTES, signal)));
      }
      return;
    case 'slow-requests': {
      const system = ringraft(3, 3);
      into.slowRequests = await during([system], () =>
        measureSlowRequests(system, turnTaker(1, 60 * options.minutes), signal),
      );
      return;
    }
  }
}

for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => abort.abort(new Error(`stopped by ${name}`)));
}

const measurements = noMeasurements();
const machine = describeMachine();
try {
  if (!isInstalled('wrk')) throw new Error('wrk is not installed: apt-get install wrk');
  say(`${machine}; ${versionOf('wrk', '-v')}`);
  for (const part of partsOf(options.suite)) {
    // What one part cannot measure does not take the others' figures away.
    try {
      await run(part, measurements);
    } catch (error) {
      signal.throwIfAborted();
      process.exitCode = 1;
      say(`${part} FAILED: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
} catch (error) {
  // What was running then fails in its own words.
  const reason: unknown = signal.aborted ? signal.reason : error;
  process.stderr.write(`${reason instanceof Error ? reason.message : String(reason)}\n`);
  process.exitCode = 1;
} finally {
  await stopAll();
  rmSync(directory, { recursive: true, force: true });
}
const withTargets = options.suite.some((suite) => suite === 'targets' || suite === 'full');
say(`\n${describeMeasurements(measurements, withTargets)}`);
mkdirSync(dirname(resolve(options.out)), { recursive: true });
const results = { date: new Date().toISOString(), machine, options, targets: judge(measurements), ...measurements };
writeFileSync(options.out, `${JSON.stringify(results, null, 1)}\n`);
say(`\nAs JSON: ${options.out}`);
