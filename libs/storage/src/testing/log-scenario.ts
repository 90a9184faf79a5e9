import { xorshift128plus } from 'pure-rand/generator/xorshift128plus';
import type { HardState } from '@app/raft';
import type { Done } from '../completion.js';
import type { LogBatch } from '../log-batch.js';
import type { MemoryDisk } from '../memory-disk.js';
import type { KeepUnsynced } from '../memory-file-content.js';
import type { LogPosition } from '../record.js';
import type { WriteAheadLog } from '../write-ahead-log.js';
import { hardState } from './open-log.js';
import { textOf, type LogContent } from './sync-log.js';

interface Reset {
  readonly reset: LogPosition;
  readonly hardState?: HardState;
}
export type Step = LogBatch | Reset | { readonly removeThrough: number };

export function withConfigurations(step: Step): Step {
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
export interface Scenario {
  readonly steps: readonly Step[];
  readonly states: readonly State[];
  readonly endOfStep: readonly number[];
}

export function scenarioOf(steps: readonly Step[]): Scenario {
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

export function take(log: WriteAheadLog, step: Step, done: Done): void {
  if ('removeThrough' in step) log.removePrefix(step.removeThrough, done);
  else if ('reset' in step) log.reset(step.reset, step.hardState, done);
  else log.append(step, done);
}

export type Accident = (disk: MemoryDisk) => void;

/** What is wrong with the content, given how many steps were acknowledged; undefined if it is as it must be. */
export function wrongIn(
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

export function randomKeep(seed: number): KeepUnsynced {
  const random = xorshift128plus(seed);
  return () => (random.next() & 1) === 1;
}

export const losePower =
  (keepUnsynced: KeepUnsynced): Accident =>
  (disk) =>
    disk.crash({ keepUnsynced });

/** What can happen to a disk, and to the process that uses it. */
export const accidents: [string, (seed: number) => Accident][] = [
  ['power loss that keeps nothing unsynced', () => losePower('none')],
  ['power loss that keeps everything', () => losePower('all')],
  ['power loss that keeps any part', (seed) => losePower(randomKeep(seed))],
  ['power loss that keeps another part', (seed) => losePower(randomKeep(seed + 1_000_000))],
  ['death of the process', () => (disk) => disk.kill()],
];
