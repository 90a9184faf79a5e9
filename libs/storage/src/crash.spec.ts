import { xorshift128plus } from 'pure-rand/generator/xorshift128plus';
import type { HardState } from '@app/raft';
import type { Done } from './completion.js';
import type { LogBatch } from './log-batch.js';
import { MemoryDisk } from './memory-disk.js';
import type { KeepUnsynced } from './memory-file-content.js';
import type { LogPosition } from './record.js';
import { entry, hardState } from './testing/open-log.js';
import { contentNow, openNow, outcomeOf, textOf, type LogContent } from './testing/sync-log.js';
import type { WriteAheadLog } from './write-ahead-log.js';

const small = { segmentBytesMax: 1100, preallocateBytes: 600, groupBytesMax: 4096 };

interface Reset {
  readonly reset: LogPosition;
  readonly hardState?: HardState;
}
type Step = LogBatch | Reset | { readonly removeThrough: number };

/** Appends of all kinds over several segments, replaced suffixes (also across segments), a large record, removals, resets. */
function workload(): Step[] {
  const steps: Step[] = [{ hardState: hardState(1, 'a') }];
  for (let index = 1; index <= 12; index += 1) {
    steps.push({ entries: [entry(index, 1, 'x'.repeat(index * 17)), entry(index + 1, 1, new Uint8Array(index * 31))] });
    if (index % 4 === 0) steps.push({ hardState: hardState(1, 'a', index - 3) });
  }
  steps.push({ removeThrough: 5 });
  steps.push({ hardState: hardState(2, 'b', 9), entries: [entry(10, 2, 'replaces entries of segments before')] });
  steps.push({ entries: [entry(11, 2, new Uint8Array(3000).fill(3)), entry(12, 2), entry(13, 2)] });
  steps.push({ entries: [entry(13, 2, 'replaced')] });
  steps.push({ hardState: hardState(4, undefined, 12) });
  for (let index = 14; index <= 20; index += 1) steps.push({ entries: [entry(index, 4, 'y'.repeat(200))] });
  steps.push(
    { removeThrough: 17 },
    { hardState: hardState(5, 'c', 21), entries: [entry(21, 5, new Uint8Array(1500).fill(7))] },
  );
  // Ahead of the log, with a new term and vote; at once again; within the log, below entries that are not committed.
  steps.push({ reset: { index: 40, term: 5 }, hardState: hardState(6, 'b', 23) });
  for (let index = 41; index <= 46; index += 1) steps.push({ entries: [entry(index, 6, 'z'.repeat(250))] });
  steps.push({ reset: { index: 50, term: 6 } }, { reset: { index: 51, term: 6 } });
  for (let index = 52; index <= 60; index += 1) steps.push({ entries: [entry(index, 6, 'v'.repeat(220))] });
  steps.push({ removeThrough: 53 }, { reset: { index: 55, term: 6 }, hardState: hardState(7, 'b', 52) });
  steps.push({ hardState: hardState(8, undefined, 55), entries: [entry(56, 7), entry(57, 8, 'w'.repeat(900))] });
  return steps.map(withConfigurations);
}

/** A small log in two segments that begins anew, with another term and vote, below its last entry. */
function shortWorkload(): Step[] {
  const steps: Step[] = [
    { hardState: hardState(1, 'a') },
    { entries: [1, 2, 3, 4, 5].map((index) => entry(index, 1, 'x'.repeat(200))) },
    { hardState: hardState(1, 'a', 2) },
    { reset: { index: 4, term: 1 }, hardState: hardState(2, 'b', 2) },
    { entries: [entry(5, 2, 'new')] },
  ];
  return steps.map(withConfigurations);
}

function withConfigurations(step: Step): Step {
  if (!('entries' in step) || !step.entries) return step;
  return { ...step, entries: step.entries.map((each) => (each.index % 3 === 0 ? { ...each, type: 3 } : each)) };
}

interface State {
  readonly hardState: HardState;
  /** Where the log last began anew: no base is below it. */
  readonly start: number;
  readonly entries: readonly string[];
}

/** What the log holds after each record of the workload, and how many records each step ends at. */
interface Scenario {
  readonly steps: readonly Step[];
  readonly states: readonly State[];
  readonly endOfStep: readonly number[];
}

function scenarioOf(steps: readonly Step[]): Scenario {
  let current: State = { hardState: hardState(0), start: 0, entries: [] };
  const states = [current];
  const endOfStep: number[] = [];
  for (const step of steps) {
    if ('reset' in step) {
      // Term and vote may get there before the rest does.
      const { currentTerm, votedFor } = step.hardState ?? current.hardState;
      const raised = { currentTerm, votedFor, commitIndex: current.hardState.commitIndex };
      const start = step.reset.index;
      states.push({ ...current, hardState: raised });
      states.push((current = { hardState: { ...raised, commitIndex: start }, start, entries: [] }));
    } else if (!('removeThrough' in step)) {
      if (step.hardState) states.push((current = { ...current, hardState: step.hardState }));
      for (const each of step.entries ?? []) {
        // What is replaced may be gone before that which replaces it is there (figure 2, AppendEntries, steps 3 and 4).
        const kept = current.entries.slice(0, each.index - 1 - current.start);
        if (kept.length < current.entries.length) states.push((current = { ...current, entries: kept }));
        states.push((current = { ...current, entries: [...kept, textOf(each)] }));
      }
    }
    endOfStep.push(states.length - 1);
  }
  return { steps, states, endOfStep };
}

const full = scenarioOf(workload());
const short = scenarioOf(shortWorkload());

function take(log: WriteAheadLog, step: Step, done: Done): void {
  if ('removeThrough' in step) log.removePrefix(step.removeThrough, done);
  else if ('reset' in step) log.reset(step.reset, step.hardState, done);
  else log.append(step, done);
}

/** Runs until the disk no longer answers. Returns how many steps were acknowledged. */
function runUntilCrash(disk: MemoryDisk, { steps }: Scenario): number {
  const opened = openNow(disk, small);
  if (!opened) return 0;
  if (opened.error) throw opened.error;
  const log: WriteAheadLog = opened.result;
  for (const [position, step] of steps.entries()) {
    const outcome = outcomeOf((done) => take(log, step, done));
    if (!outcome) return position;
    if (outcome.error) throw outcome.error;
  }
  return steps.length;
}

type Accident = (disk: MemoryDisk) => void;

interface CrashingDisk {
  readonly disk: MemoryDisk;
  readonly crashAt: (operation: number, accident: Accident) => void;
}

/** A disk on which something happens at an operation, counted from 1. */
function crashingDisk(): CrashingDisk {
  let count = 0;
  let plan: { at: number; accident: Accident } | undefined;
  const disk: MemoryDisk = new MemoryDisk({
    intercept: () => {
      count += 1;
      if (count === plan?.at) plan.accident(disk);
      return undefined;
    },
  });
  return {
    disk,
    crashAt: (at, accident) => {
      count = 0;
      plan = { at, accident };
    },
  };
}

/** The same files, all of them durable as they are right after a power loss. */
function copyOf(crashed: MemoryDisk): CrashingDisk {
  const copy = crashingDisk();
  crashed.list((_error, names) => {
    for (const name of names ?? []) copy.disk.overwrite(name, crashed.contentOf(name)!);
  });
  return copy;
}

/** What is wrong with the content, given how many steps were acknowledged; undefined if it is as it must be. */
function wrongIn(
  { baseIndex, hardState: found, entries }: LogContent,
  acknowledged: number,
  { steps, states, endOfStep }: Scenario,
): string | undefined {
  const least = acknowledged === 0 ? 0 : endOfStep[acknowledged - 1]!;
  // The step under way may have left any of its records, and no later step may have left any.
  const most = endOfStep[Math.min(acknowledged, steps.length - 1)]!;
  for (let at = least; at <= most; at += 1) {
    const { hardState: expected, start, entries: all } = states[at]!;
    const commitIndex = Math.min(expected.commitIndex, start + all.length);
    const isSame =
      JSON.stringify([{ ...expected, commitIndex }, all.slice(baseIndex - start)]) === JSON.stringify([found, entries]);
    if (isSame && baseIndex >= start && baseIndex + entries.length === start + all.length) return undefined;
  }
  return `after ${acknowledged} steps: base ${baseIndex}, ${JSON.stringify(found)}, ${entries.length} entries`;
}

function randomKeep(seed: number): KeepUnsynced {
  const random = xorshift128plus(seed);
  return () => (random.next() & 1) === 1;
}

const losePower =
  (keepUnsynced: KeepUnsynced): Accident =>
  (disk) =>
    disk.crash({ keepUnsynced });

const accidents: [string, (seed: number) => Accident][] = [
  ['power loss that keeps nothing unsynced', () => losePower('none')],
  ['power loss that keeps everything', () => losePower('all')],
  ['power loss that keeps any part', (seed) => losePower(randomKeep(seed))],
  ['power loss that keeps another part', (seed) => losePower(randomKeep(seed + 1_000_000))],
  ['death of the process', () => (disk) => disk.kill()],
];

/** Opens the log after an accident and says what is wrong with it. */
function inspect(
  disk: MemoryDisk,
  acknowledged: number,
  scenario: Scenario,
): { content?: LogContent; problem?: string } {
  const opened = openNow(disk, small);
  if (!opened?.result) return { problem: opened?.error?.message ?? 'no answer' };
  const log = opened.result;
  const content = contentNow(log);
  const problem = wrongIn(content, acknowledged, scenario) ?? wrongBeside(disk, log, content);
  return { content, problem };
}

function wrongBeside(disk: MemoryDisk, log: WriteAheadLog, { baseIndex, entries }: LogContent): string | undefined {
  const configurations = entries.filter((_, at) => (baseIndex + 1 + at) % 3 === 0);
  const found = log.configurationEntries.map(textOf);
  if (JSON.stringify(found) !== JSON.stringify(configurations)) return `configurations ${found.join(' ')}`;
  const names = outcomeOf<readonly string[]>((done) => disk.list(done))?.result ?? [];
  return names.length === log.recovery.segments ? undefined : `files ${names.join(' ')}`;
}

describe('at any operation of the disk', () => {
  it.each(accidents)('a %s takes nothing that was acknowledged, or found by the next start', (_name, accident) => {
    const wrong: string[] = [];
    let count = 0;
    for (let at = 1; ; at += 1) {
      const { disk, crashAt } = crashingDisk();
      crashAt(at, accident(at));
      const acknowledged = runUntilCrash(disk, full);
      if (acknowledged === full.steps.length) break;
      count += 1;
      const { content, problem } = inspect(disk, acknowledged, full);
      if (problem) wrong.push(`operation ${at}: ${problem}`);
      // What a start has found may be acknowledged at once, so it has to be durable.
      disk.crash({ keepUnsynced: 'none' });
      const later = inspect(disk, acknowledged, full).content;
      if (JSON.stringify(later) !== JSON.stringify(content)) wrong.push(`operation ${at}: the next start found more`);
    }
    expect(wrong).toEqual([]);
    expect(count).toBeGreaterThan(100);
  });

  it('a power loss is survived again when the recovery from it loses power too', () => {
    const { crashes, wrong } = crashTwiceEverywhere();
    expect(wrong).toEqual([]);
    expect(crashes).toBeGreaterThan(500);
  });

  it.each(accidents.slice(0, 4))(
    'a %s during the recovery from the death of a process takes nothing that was acknowledged',
    (_name, accident) => {
      const { crashes, wrong } = crashAfterDeathEverywhere(accident);
      expect(wrong).toEqual([]);
      expect(crashes).toBeGreaterThan(300);
    },
  );

  /** What the process wrote and did not sync is there for the recovery, and may not be there after it. */
  function crashAfterDeathEverywhere(accident: (seed: number) => Accident): { crashes: number; wrong: string[] } {
    const wrong: string[] = [];
    let crashes = 0;
    for (let at = 1; ; at += 1) {
      for (let again = 1; ; again += 1) {
        const { disk, crashAt } = crashingDisk();
        crashAt(at, (dying) => dying.kill());
        const acknowledged = runUntilCrash(disk, short);
        if (acknowledged === short.steps.length) return { crashes, wrong };
        crashAt(again, accident(at * 1000 + again));
        if (openNow(disk, small)) break;
        crashes += 1;
        const { problem } = inspect(disk, acknowledged, short);
        if (problem) wrong.push(`operations ${at} and ${again}: ${problem}`);
      }
    }
  }

  function crashTwiceEverywhere(): { crashes: number; wrong: string[] } {
    const wrong: string[] = [];
    let crashes = 0;
    // Every third operation: the recoveries from the others differ little, and this is the slowest test of all.
    for (let at = 1; ; at += 3) {
      const first = crashingDisk();
      first.crashAt(at, losePower(randomKeep(at)));
      const acknowledged = runUntilCrash(first.disk, full);
      if (acknowledged === full.steps.length) return { crashes, wrong };
      for (let again = 1; ; again += 1) {
        const { disk, crashAt } = copyOf(first.disk);
        crashAt(again, losePower(randomKeep(at * 1000 + again)));
        if (openNow(disk, small)) break;
        crashes += 1;
        const { problem } = inspect(disk, acknowledged, full);
        if (problem) wrong.push(`operations ${at} and ${again}: ${problem}`);
      }
    }
  }
});
