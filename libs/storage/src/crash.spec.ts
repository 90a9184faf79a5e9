import { MemoryDisk } from './memory-disk.js';
import {
  accidents,
  losePower,
  randomKeep,
  scenarioOf,
  take,
  withConfigurations,
  wrongIn,
  type Accident,
  type Scenario,
  type Step,
} from './testing/log-scenario.js';
import { entry, hardState } from './testing/open-log.js';
import { contentNow, openNow, outcomeOf, textOf, type LogContent } from './testing/sync-log.js';
import type { WriteAheadLog } from './write-ahead-log.js';

const small = { segmentBytesMax: 1100, preallocateBytes: 600, groupBytesMax: 4096 };

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

const full = scenarioOf(workload());
const short = scenarioOf(shortWorkload());

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
