/**
 * `npm run test:faults`: a real system under real faults. `--help` lists what it does.
 *
 * Exit code 0 when nothing was violated, 1 when something was, 2 for bad arguments, 130 after Ctrl-C.
 */
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { CommanderError } from 'commander';
import { type CellOptions, type CellReport, runCell } from './faults/cell.js';
import { type FaultsCommand, parseCommandLine } from './faults/command-line.js';
import { FaultSystem } from './faults/fault-system.js';
import { HttpCaller } from './faults/http-caller.js';
import { NEMESES, type NemesisName, crashCycles } from './faults/nemeses/nemesis-catalogue.js';
import { describeInjected, summaryLines, summaryTable, verdictOf } from './faults/summary.js';
import { WORKLOADS, type WorkloadName, exactlyOnce } from './faults/workloads/workload-catalogue.js';
import { colorsFor } from './local-cluster/colors.js';

/** This file runs as `dist/tools/faults.js`. */
const DIST_DIR = join(import.meta.dirname, '..');

const DAY_S = 24 * 60 * 60;
const PROGRESS_INTERVAL_MS = 30_000;

const colors = colorsFor(process.stdout);
let system: FaultSystem | undefined;
let isInterrupted = false;

const command = parsedOrExit();
say(`seed ${command.seed}`);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void interrupt());
// However this process ends: a paused process would not notice.
process.on('exit', () => system?.killNow());
const reports = command.crashCycles === undefined ? await runTable(command) : [await runCrashCycles(command)];
say(summaryTable(reports));
for (const line of summaryLines(reports)) say(line);
// Not by itself: Node.js has been seen to wait at its end for ever, and busily, for connections that were cut.
process.exit(reports.every(({ faults }) => faults.length === 0) ? 0 : 1);

function parsedOrExit(): FaultsCommand {
  const choices = { workloads: Object.keys(WORKLOADS), nemeses: Object.keys(NEMESES), seed: randomInt(2 ** 31 - 1) };
  try {
    return parseCommandLine(process.argv.slice(2), choices);
  } catch (error) {
    if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : 2);
    throw error;
  }
}

async function runTable({ workload, nemesis, ...options }: FaultsCommand): Promise<CellReport[]> {
  const reports: CellReport[] = [];
  for (const name of nemesis as readonly NemesisName[]) {
    const cells = (workload as readonly WorkloadName[]).map((workloadName) => ({
      ...options,
      workload: { name: workloadName, create: WORKLOADS[workloadName] },
      nemesis: { name, ...NEMESES[name] },
    }));
    reports.push(...(await runCells(cells, options)));
  }
  return reports;
}

async function runCrashCycles({ crashCycles: count = 0, powerLoss, ...options }: FaultsCommand): Promise<CellReport> {
  const cell = {
    ...options,
    workload: { name: 'exactly-once', create: exactlyOnce },
    nemesis: { name: powerLoss ? 'power-loss-cycles' : 'crash-cycles', ...crashCycles(count, powerLoss) },
    seconds: DAY_S,
  };
  const startedAtMs = performance.now();
  const progress = setInterval(() => {
    const pastS = Math.round((performance.now() - startedAtMs) / 1000);
    say(`  ${pastS} s: ${system?.kills ?? 0} kills`);
  }, PROGRESS_INTERVAL_MS);
  const [report] = await runCells([cell], options);
  clearInterval(progress);
  return report!;
}

/** One after the other, on one system of their own. */
async function runCells(
  cells: readonly Omit<CellOptions, 'historyPath'>[],
  { seed, out, keep }: Pick<FaultsCommand, 'seed' | 'out' | 'keep'>,
): Promise<CellReport[]> {
  const reports: CellReport[] = [];
  const { env, needsFaultyDisks } = cells[0]!.nemesis;
  system = await FaultSystem.start({ distDir: DIST_DIR, seed, env, hasFaultyDisks: needsFaultyDisks });
  const gateways = system.cluster.gateways.map(({ url }) => new HttpCaller(url));
  for (const cell of cells) {
    const historyPath = join(out, `${cell.workload.name}-${cell.nemesis.name}.jsonl`);
    const report = await runCell(system, gateways, { ...cell, historyPath });
    reports.push(report);
    printCell(report);
  }
  for (const gateway of gateways) gateway.close();
  const shouldKeep = keep || reports.some(({ faults }) => faults.length > 0);
  await system.dispose(shouldKeep);
  if (shouldKeep) say(`  kept: ${system.dataDir}`);
  system = undefined;
  return reports;
}

function printCell(report: CellReport): void {
  const { workload, nemesis, counts, injected, faults, longestGapMs, recoveryMs, checkMs } = report;
  const verdict = verdictOf(report);
  say(
    `${nemesis} x ${workload}: ${counts.ok} ok, ${counts.unknown} unknown, ${counts.failed} failed ` +
      `(${Math.round(report.operationsPerSecond)}/s); ${describeInjected(injected)}; longest gap ${Math.round(longestGapMs)} ms, ` +
      `recovery ${Math.round(recoveryMs)} ms, check ${Math.round(checkMs)} ms: ` +
      (faults.length === 0 ? colors.green(verdict) : colors.red(verdict)),
  );
  for (const fault of faults.slice(0, 5)) say(colors.red(fault));
}

async function interrupt(): Promise<void> {
  if (isInterrupted) process.exit(130);
  isInterrupted = true;
  say('stopping all processes, once more kills them ...');
  await system?.dispose();
  process.exit(130);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
