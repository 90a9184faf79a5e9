/**
 * `npm run test:faults`: a real system under real faults. `--help` lists what it does.
 *
 * Exit code 0 when nothing was violated, 1 when something was, 2 for bad arguments, 130 after Ctrl-C.
 */
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { CommanderError } from 'commander';
import { type CellReport, runCell } from './faults/cell.js';
import { type FaultsCommand, parseCommandLine } from './faults/command-line.js';
import { FaultSystem } from './faults/fault-system.js';
import { HttpCaller } from './faults/http-caller.js';
import { NEMESES, type NemesisName } from './faults/nemeses/nemesis-catalogue.js';
import { describeInjected, summaryLines, summaryTable, verdictOf } from './faults/summary.js';
import { WORKLOADS, type WorkloadName } from './faults/workloads/workload-catalogue.js';
import { colorsFor } from './local-cluster/colors.js';

/** This file runs as `dist/tools/faults.js`. */
const DIST_DIR = join(import.meta.dirname, '..');

const colors = colorsFor(process.stdout);
let system: FaultSystem | undefined;
let isInterrupted = false;

const command = parsedOrExit();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void interrupt());
// However this process ends: a paused process would not notice.
process.on('exit', () => system?.killNow());
process.exitCode = (await runTable(command)) ? 0 : 1;

function parsedOrExit(): FaultsCommand {
  const choices = { workloads: Object.keys(WORKLOADS), nemeses: Object.keys(NEMESES), seed: randomInt(2 ** 31 - 1) };
  try {
    return parseCommandLine(process.argv.slice(2), choices);
  } catch (error) {
    if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : 2);
    throw error;
  }
}

/** False when something was violated. */
async function runTable({ seed, seconds, clients, out, keep, ...chosen }: FaultsCommand): Promise<boolean> {
  say(`seed ${seed}`);
  const reports: CellReport[] = [];
  for (const nemesis of chosen.nemesis as readonly NemesisName[]) {
    const { env } = NEMESES[nemesis];
    system = await FaultSystem.start({ distDir: DIST_DIR, seed, ...(env && { env }) });
    const gateways = system.cluster.gateways.map(({ url }) => new HttpCaller(url));
    const before = reports.length;
    for (const workload of chosen.workload as readonly WorkloadName[]) {
      const historyPath = join(out, `${workload}-${nemesis}.jsonl`);
      const report = await runCell(system, gateways, { workload, nemesis, clients, seconds, seed, historyPath });
      reports.push(report);
      printCell(report);
    }
    for (const gateway of gateways) gateway.close();
    const shouldKeep = keep || reports.slice(before).some(({ faults }) => faults.length > 0);
    await system.dispose(shouldKeep);
    if (shouldKeep) say(`  kept: ${system.dataDir}`);
    system = undefined;
  }
  say(summaryTable(reports));
  for (const line of summaryLines(reports)) say(line);
  return reports.every(({ faults }) => faults.length === 0);
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
