/**
 * `npm run sim`: whole Raft clusters in one process, from a seed. `--help` lists what it does.
 *
 * Exit code 0 when nothing failed, 1 when something did, 2 for bad arguments or a file that cannot be read, 130 after Ctrl-C.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { CommanderError } from 'commander';
import {
  casRegisterModel,
  checkLinearizability,
  counterModel,
  FAULT_KINDS,
  fromJsonLines,
  HistoryError,
  recordModel,
  registerModel,
  replayScenario,
  runSeed,
  shrink,
  toJsonLines,
  type FaultKind,
  type Model,
  type RunOptions as Simulated,
  type RunResult,
} from '@app/simulator';
import { colorsFor } from './local-cluster/colors.js';
import { parseCommandLine, type RunOptions, type SimCommand } from './sim/command-line.js';
import { LastLines } from './sim/last-lines.js';
import { SeedProgress } from './sim/progress.js';
import { describeRun, describeTally, reasonOf } from './sim/report.js';
import { timed } from './sim/run.js';
import { readScenario, ScenarioFileError, writeScenario } from './sim/scenario-file.js';
import { SeedPool } from './sim/seed-pool.js';
import { PROCESS_CHECKS, type SeedReport, type SeedRequest } from './sim/seed-report.js';
import { SeedRunner } from './sim/seed-runner.js';
import { Tally } from './sim/tally.js';

/** This file runs as `dist/tools/sim.js`. */
const ROOT = join(import.meta.dirname, '../..');

const TRACE_LINES_SHOWN = 60;
/** A run that takes longer than this, and 1 ms for each of its ticks, is stuck. */
const STUCK_AFTER_MS = 60_000;

const MODELS: Readonly<Record<string, Model>> = {
  record: recordModel,
  register: registerModel,
  'cas-register': casRegisterModel,
  counter: counterModel,
};

type Command<Mode> = Extract<SimCommand, { readonly mode: Mode }>;
type TraceSink = (line: string) => void;

const colors = colorsFor(process.stdout);

// What was reading may have had enough.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => process.exit(1));

const command = parsedOrExit();
try {
  process.exitCode = (await execute(command)) ? 0 : 1;
} catch (error) {
  const isExpected = error instanceof ScenarioFileError || error instanceof HistoryError || isSystemError(error);
  if (!isExpected) throw error;
  process.stderr.write(`${colorsFor(process.stderr).red(error.message)}\n`);
  process.exitCode = 2;
}

function parsedOrExit(): SimCommand {
  try {
    return parseCommandLine(process.argv.slice(2), {
      out: relative(process.cwd(), join(ROOT, 'test/simulation/corpus')),
      workers: availableParallelism(),
      faultKinds: FAULT_KINDS,
      models: Object.keys(MODELS),
    });
  } catch (error) {
    if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : 2);
    throw error;
  }
}

/** False when something failed. */
function execute(wanted: SimCommand): boolean | Promise<boolean> {
  switch (wanted.mode) {
    case 'seed':
      return runOne(wanted);
    case 'scenario':
      return runScenario(wanted);
    case 'seeds':
      return runMany(wanted);
    case 'check':
      return checkHistory(wanted);
  }
}

function runOne({ seed, out, trace, history, ...options }: Command<'seed'>): boolean {
  const run = (traceSink?: TraceSink): RunResult => runSeed({ seed, ...simulated(options), traceSink });
  const { result, report } = timed(() => run(trace ? say : undefined));
  finish(result, report, history, trace);
  if (result.failure) explain(result, run, trace, out);
  return result.failure === undefined;
}

function runScenario({ scenario: path, trace, history }: Command<'scenario'>): boolean {
  const scenario = readScenario(path);
  const run = (traceSink?: TraceSink): RunResult => replayScenario(scenario, traceSink);
  const { result, report } = timed(() => run(trace ? say : undefined));
  say(`${scenario.name}, which violated ${scenario.check} when it was found`);
  finish(result, report, history, trace);
  if (result.failure) explain(result, run, trace, undefined);
  return result.failure === undefined;
}

async function runMany({ from, seeds, workers, failures, out, ...options }: Command<'seeds'>): Promise<boolean> {
  const startedAt = performance.now();
  const tally = new Tally();
  const progress = new SeedProgress(seeds, process.stderr);
  const processes = Math.min(workers, seeds);
  const stuckAfterMs = STUCK_AFTER_MS + (options.ticks ?? 0);
  const pool = new SeedPool(
    processes,
    () => new SeedRunner(join(import.meta.dirname, 'sim/seed-worker.js'), stuckAfterMs),
  );
  let isInterrupted = false;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (isInterrupted) process.exit(130);
      isInterrupted = true;
      pool.stop();
    });
  }
  await pool.run(requests(from, seeds, options), (report) => {
    tally.add(report);
    progress.advance(tally.failures.length);
    if (tally.failures.length >= failures) pool.stop();
  });
  progress.stop();

  if (tally.seeds < seeds) say(`${isInterrupted ? 'interrupted' : 'stopped'} after ${tally.seeds} of ${seeds} seeds`);
  say(describeTally(tally, performance.now() - startedAt, processes));
  for (const { seed, failure } of tally.failures) {
    say(`${colors.red(failure!.check)} ${firstLine(reasonOf(failure!))}`);
    say(`  npm run sim -- --seed ${seed}${flagsOf(options)}`);
  }
  if (isInterrupted) process.exit(130);
  const first = tally.failures.find(({ failure }) => !Object.values<string>(PROCESS_CHECKS).includes(failure!.check));
  if (first) {
    say('');
    const run = (traceSink?: TraceSink): RunResult => runSeed({ seed: first.seed, ...simulated(options), traceSink });
    explain(run(), run, false, out);
  }
  return tally.failures.length === 0;
}

function checkHistory({ check: path, model }: Command<'check'>): boolean {
  const events = fromJsonLines(readFileSync(path, 'utf8').split('\n'));
  const result = checkLinearizability(events, MODELS[model]!);
  if (result.isLinearizable === true) say(`${events.length} events: ${colors.green('linearizable')}`);
  else if (result.isLinearizable === 'unknown') say(`undecided: ${result.key} took more than ${result.steps} steps`);
  else say(`${colors.red('not linearizable')}\n${result.counterexample.explanation}`);
  return result.isLinearizable === true;
}

function finish(result: RunResult, report: SeedReport, history: string | undefined, isTraced: boolean): void {
  if (history !== undefined) {
    writeFileSync(history, [...toJsonLines(result.history)].map((line) => `${line}\n`).join(''));
  }
  if (isTraced) say('');
  say(describeRun(report, result.plan.cluster.voters.length));
  if (history !== undefined) say(`  history: ${history}`);
  if (!result.failure) say(colors.green('  all checks passed'));
}

/** What failed, what led there, and the shortest script that leads there too. */
function explain(result: RunResult, run: (sink: TraceSink) => RunResult, isTraced: boolean, out?: string): void {
  const { check, time } = result.failure!;
  if (!isTraced) {
    const trace = new LastLines(TRACE_LINES_SHOWN);
    const { traceHash } = run((line) => trace.add(line));
    if (trace.forgotten > 0) say(`  ... ${trace.forgotten} lines (--trace prints all)`);
    for (const line of trace.kept) say(line);
    if (traceHash !== result.traceHash) say(colors.red('the same run again went another way: it is not deterministic'));
  }
  say('');
  say(`seed ${result.seed}: ${colors.red(check)} at ${time}: ${reasonOf(result.failure!)}`);
  if (out === undefined) return;
  process.stderr.write('shrinking ...\n');
  const scenario = shrink(result);
  const path = writeScenario(out, scenario);
  const { ticks, cluster, workload, faults } = scenario.plan;
  say(
    `  shrunk from ${result.plan.faults.length} faults in ${result.plan.ticks} ticks to ${faults.length} in ${ticks}, ` +
      `with ${cluster.voters.length} voters and ${workload.clients} clients:`,
  );
  for (const fault of faults) say(`    ${JSON.stringify(fault)}`);
  say(`  npm run sim -- --scenario ${path}`);
}

function* requests(from: number, count: number, options: RunOptions): Generator<SeedRequest> {
  for (let seed = from; seed < from + count; seed += 1) yield { seed, ...options };
}

/** The command line has checked the names of the faults. */
function simulated({ ticks, nodes, faults }: RunOptions): Omit<Simulated, 'seed'> {
  return { ticks, nodes, faults: faults as readonly FaultKind[] | undefined };
}

function flagsOf({ ticks, nodes, faults }: RunOptions): string {
  return [
    ticks === undefined ? '' : ` --ticks ${ticks}`,
    nodes === undefined ? '' : ` --nodes ${nodes}`,
    faults === undefined ? '' : ` --faults ${faults.join() || 'none'}`,
  ].join('');
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]!;
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
