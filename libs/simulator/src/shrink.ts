import type { Fault } from './plan/fault.js';
import type { RunPlan } from './plan/run-plan.js';
import { runSeed, type RunOptions, type RunResult } from './run.js';

/** A run that once failed, as short as it could be made: kept for ever, and replayed with every build. */
export interface Scenario {
  readonly name: string;
  /** What it violated when it was found. */
  readonly check: string;
  readonly seed: number;
  readonly plan: RunPlan;
}

export interface ShrinkOptions {
  /** How many runs it may take. */
  readonly runsMax?: number;
  /** Another way to run a plan, for tests. */
  readonly run?: (options: RunOptions) => Pick<RunResult, 'failure'>;
}

export const SHRINK_RUNS_MAX_DEFAULT = 150;

/**
 * Makes a failing run shorter, as long as the same check fails: fewer ticks, fewer faults, fewer clients and operations, a smaller cluster,
 * shorter faults. What comes out is a `Scenario` that fails just so. Throws a `RangeError` for a run that has not failed.
 */
export function shrink(result: Pick<RunResult, 'seed' | 'plan' | 'failure'>, options: ShrinkOptions = {}): Scenario {
  const { seed, failure } = result;
  if (failure === undefined) throw new RangeError(`seed ${seed} has not failed`);
  const { runsMax = SHRINK_RUNS_MAX_DEFAULT, run = runSeed } = options;
  let shortest = result.plan;
  let runs = 0;
  const fails = (plan: RunPlan): boolean => {
    if (runs >= runsMax) return false;
    runs += 1;
    if (run({ seed, plan }).failure?.check !== failure.check) return false;
    shortest = plan;
    return true;
  };
  let before: RunPlan;
  do {
    before = shortest;
    shortenTicks(shortest, fails);
    dropFaults(shortest, fails);
    shrinkWork(shortest, fails);
    shrinkCluster(shortest, fails);
    shortenFaults(shortest, fails);
  } while (shortest !== before && runs < runsMax);
  return { name: `${failure.check}-${seed}`, check: failure.check, seed, plan: shortest };
}

/** Runs a scenario again. It passes when nothing fails any more. */
export function replayScenario({ seed, plan }: Scenario, traceSink?: (line: string) => void): RunResult {
  return runSeed({ seed, plan, ...(traceSink && { traceSink }) });
}

type Fails = (plan: RunPlan) => boolean;

function shortenTicks(plan: RunPlan, fails: Fails): void {
  let [least, ticks] = [0, plan.ticks];
  while (ticks - least > 10) {
    const middle = (least + ticks) >> 1;
    if (fails({ ...plan, ticks: middle })) ticks = middle;
    else least = middle;
  }
}

/** Leaves out, in ever smaller pieces, what the failure does not need. */
function dropFaults(plan: RunPlan, fails: Fails): void {
  let faults = plan.faults;
  for (let size = Math.max(1, faults.length >> 1); size >= 1; size >>= 1) {
    for (let at = 0; at < faults.length;) {
      const fewer = [...faults.slice(0, at), ...faults.slice(at + size)];
      if (fails({ ...plan, faults: fewer })) faults = fewer;
      else at += size;
    }
  }
}

const half = (count: number): number => Math.max(1, count >> 1);

const SMALLER_WORK: readonly ((work: RunPlan['workload']) => Partial<RunPlan['workload']>)[] = [
  () => ({ clients: 1 }),
  ({ clients }) => ({ clients: half(clients) }),
  ({ operationsMax }) => ({ operationsMax: half(half(operationsMax)) }),
  ({ operationsMax }) => ({ operationsMax: half(operationsMax) }),
  () => ({ sessionShare: 0, repeatShare: 0 }),
  () => ({ readShare: 0 }),
];

function shrinkWork(plan: RunPlan, fails: Fails): void {
  let { workload } = plan;
  for (const smallerOf of SMALLER_WORK) {
    const smaller = { ...workload, ...smallerOf(workload) };
    const isSame = Object.keys(smaller).every(
      (field) => smaller[field as keyof typeof smaller] === workload[field as keyof typeof workload],
    );
    if (!isSame && fails({ ...plan, workload: smaller })) workload = smaller;
  }
}

function shrinkCluster(plan: RunPlan, fails: Fails): void {
  for (let { voters } = plan.cluster; voters.length > 1;) {
    const fewer = voters.slice(0, -1);
    const gone = voters.at(-1)!;
    const spares = [gone, ...plan.cluster.spares];
    if (!fails({ ...plan, cluster: { ...plan.cluster, voters: fewer, spares } })) return;
    voters = fewer;
  }
}

function shortenFaults(plan: RunPlan, fails: Fails): void {
  let { faults } = plan;
  faults.forEach((fault, i) => {
    if (fault.duration < 2) return;
    const shorter: Fault = { ...fault, duration: fault.duration >> 1 };
    const changed = faults.with(i, shorter);
    if (fails({ ...plan, faults: changed })) faults = changed;
  });
}
