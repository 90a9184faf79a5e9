/**
 * `npm run sim:mutants`: does the simulator find bugs? Each bug of the catalogue is put into a compiled copy of the program, which then runs
 * seeds until a check fails that does not fail without the bug.
 *
 * Exit code 0 when all are found and the program without a bug passes, 1 when not, 2 for bad arguments or a catalogue that does not fit
 * the source, 130 after Ctrl-C.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import Table from 'cli-table3';
import { CommanderError } from 'commander';
import { colorsFor } from './local-cluster/colors.js';
import { BuildCopy } from './mutants/build-copy.js';
import { CATALOGUE } from './mutants/catalogue.js';
import { parseCommandLine, type MutantsCommand } from './mutants/command-line.js';
import { buildOptions, compile, TypeChecker } from './mutants/compile.js';
import { Control, hunt, type Verdict } from './mutants/hunt.js';
import { mutatedSources, MutantError, type Mutant } from './mutants/mutant.js';
import { SeedRunner } from './sim/seed-runner.js';

/** This file runs as `dist/tools/mutants.js`. */
const ROOT = join(import.meta.dirname, '../..');

/** Some bugs are endless loops. */
const STUCK_AFTER_MS = 60_000;

const colors = colorsFor(process.stdout);
const options = parsedOrExit();
const mutants = CATALOGUE.filter(({ name }) => options.only?.includes(name) ?? true);

if (options.list) {
  for (const { name, breaks, note } of mutants) console.log(`${name} (${breaks}): ${note}`);
  process.exit(0);
}

const compiled = compiledOrExit(mutants);
const workDir = mkdtempSync(join(tmpdir(), 'ringraft-mutants-'));
const runners: SeedRunner[] = [];
const verdicts = new Map<string, Verdict & { readonly elapsedMs: number }>();
let isInterrupted = false;

process.on('exit', () => {
  for (const runner of runners) runner.close();
  rmSync(workDir, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (isInterrupted) process.exit(130);
    isInterrupted = true;
    summarize(undefined);
    process.exit(130);
  });
}

const control = new Control(runnerOf(controlCopy()));
const waiting = [...mutants];
const nameWidth = Math.max(...mutants.map(({ name }) => name.length));
await Promise.all(Array.from({ length: Math.min(options.workers, mutants.length) }, (_, slot) => work(slot)));

const failing: number[] = [];
for (let seed = 1; seed <= options.control; seed += 1) if (await control.fails(seed)) failing.push(seed);
const isClean = summarize(failing);
process.exit(isClean ? 0 : 1);

function parsedOrExit(): MutantsCommand {
  try {
    return parseCommandLine(process.argv.slice(2), {
      names: CATALOGUE.map(({ name }) => name),
      workers: availableParallelism(),
    });
  } catch (error) {
    if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : 2);
    throw error;
  }
}

/** All of them are checked before the first one runs. */
function compiledOrExit(chosen: readonly Mutant[]): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const settings = buildOptions(ROOT);
  const checker = new TypeChecker(ROOT, settings, [
    ...new Set(chosen.flatMap(({ edits }) => edits.map(({ file }) => file))),
  ]);
  const result = new Map<string, ReadonlyMap<string, string>>();
  const complaints: string[] = [];
  for (const mutant of chosen) {
    try {
      const sources = mutatedSources(mutant, sourceOf);
      const errors = checker.errors(sources);
      if (errors.length > 0) throw new MutantError(mutant.name, errors.join('\n'));
      result.set(mutant.name, new Map([...sources].map(([file, source]) => [file, compile(source, file, settings)])));
    } catch (error) {
      if (!(error instanceof MutantError)) throw error;
      complaints.push(error.message);
    }
  }
  if (complaints.length > 0) {
    process.stderr.write(`${colorsFor(process.stderr).red(complaints.join('\n\n'))}\n`);
    process.exit(2);
  }
  return result;
}

function runnerOf(copy: BuildCopy): SeedRunner {
  const runner = new SeedRunner(copy.workerPath, STUCK_AFTER_MS);
  runners.push(runner);
  return runner;
}

/** The program without a bug, but compiled as those with one are. */
function controlCopy(): BuildCopy {
  const settings = buildOptions(ROOT);
  const files = new Set(mutants.flatMap(({ edits }) => edits.map(({ file }) => file)));
  const copy = new BuildCopy(ROOT, join(workDir, 'control'));
  copy.replace(new Map([...files].map((file) => [file, compile(sourceOf(file), file, settings)])));
  return copy;
}

function sourceOf(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

async function work(slot: number): Promise<void> {
  const copy = new BuildCopy(ROOT, join(workDir, `slot-${slot}`));
  for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
    copy.replace(compiled.get(mutant.name)!);
    const runner = runnerOf(copy);
    const startedAt = performance.now();
    const verdict = await hunt(
      runner,
      (seed) => control.fails(seed),
      options.seeds,
      () => isInterrupted,
    );
    runner.close();
    copy.restore();
    const result = { ...verdict, elapsedMs: performance.now() - startedAt };
    verdicts.set(mutant.name, result);
    console.log(line(mutant, result));
  }
}

function line({ name }: Mutant, { found, seeds, elapsedMs }: Verdict & { readonly elapsedMs: number }): string {
  const seconds = `${(elapsedMs / 1000).toFixed(1)} s`;
  return found?.failure
    ? `${name.padEnd(nameWidth)}  ${colors.green('found')} by ${found.failure.check}, seed ${seeds}, ${seconds}`
    : `${name.padEnd(nameWidth)}  ${colors.red('SURVIVED')} ${seeds} seeds, ${seconds}`;
}

/** Prints the scoreboard of what has run; true if nothing is left to be desired. */
function summarize(failingControl: readonly number[] | undefined): boolean {
  const done = mutants.flatMap((mutant) => {
    const verdict = verdicts.get(mutant.name);
    return verdict ? [{ mutant, verdict }] : [];
  });
  const table = new Table({ head: ['bug', 'breaks', 'found by', 'seeds'], style: { head: [], border: [] } });
  for (const { mutant, verdict } of done) {
    table.push([mutant.name, mutant.breaks, verdict.found?.failure?.check ?? 'SURVIVED', verdict.seeds]);
  }
  const found = done.filter(({ verdict }) => verdict.found).map(({ verdict }) => verdict.seeds);
  const median = medianOf(found);
  console.log(table.toString());
  console.log(
    `${found.length} of ${done.length} found; median ${median ?? '-'} seeds, most ${found.length ? Math.max(...found) : '-'}`,
  );
  if (done.length < mutants.length) console.log(`${mutants.length - done.length} did not run`);
  if (failingControl) {
    console.log(
      failingControl.length === 0
        ? `without a bug: ${options.control} seeds pass`
        : colors.red(
            `without a bug: ${failingControl.length} of ${options.control} seeds fail: ${failingControl.join(', ')}`,
          ),
    );
  }
  if (options.json !== undefined) {
    const rows = done.map(({ mutant: { name, breaks }, verdict: { found: report, seeds, elapsedMs, unsound } }) => ({
      name,
      breaks,
      found: report !== undefined,
      check: report?.failure?.check,
      message: report?.failure?.message,
      seeds,
      elapsedMs: Math.round(elapsedMs),
      unsound,
    }));
    writeFileSync(options.json, `${JSON.stringify({ mutants: rows, median, failingControl }, null, 2)}\n`);
  }
  return found.length === mutants.length && failingControl?.length === 0;
}

function medianOf(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return undefined;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
