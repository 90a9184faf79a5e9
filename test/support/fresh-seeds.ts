import { randomInt } from 'node:crypto';
import { runSeed } from '@app/simulator';

const SEED_MAX = 2 ** 31 - 1;
/** Far more than one test can run, so that no two tests run the same. */
const SEEDS_OF_ONE_TEST = 1_000_000;
const SEEDS_LEAST = 20;
const BUDGET_S_DEFAULT = 50;

/** How long `runFreshSeeds` may take on a machine that is busy: at least `SEEDS_LEAST` runs are always made. */
export const FRESH_SEEDS_TIMEOUT_MS = 600_000;

/**
 * Runs seeds that nobody has run before, one after the other, for `SIM_BUDGET_S` seconds of real time (50 if it is not set), and prints which.
 * They begin where chance says, or at `SIM_SEED_BASE`; tests with different numbers run different ones. Throws for the first
 * that fails, with the command that runs it again.
 */
export function runFreshSeeds(test: number): void {
  const budgetMs = numberFrom('SIM_BUDGET_S', BUDGET_S_DEFAULT) * 1000;
  const base = numberFrom('SIM_SEED_BASE', randomInt(SEED_MAX - 3 * SEEDS_OF_ONE_TEST)) + test * SEEDS_OF_ONE_TEST;
  const end = performance.now() + budgetMs;
  let [seed, ticks] = [base, 0];
  for (; seed < base + SEEDS_LEAST || performance.now() < end; seed += 1) {
    const result = runSeed({ seed });
    ticks += result.ticks;
    if (!result.failure) continue;
    const { check, message } = result.failure;
    throw new Error(`seed ${seed} fails ${check}:\n${message}\n\nnpm run sim -- --seed ${seed}`);
  }
  process.stdout.write(`fresh seeds ${base} to ${seed - 1}: ${seed - base} runs, ${ticks} ticks, all passed\n`);
}

function numberFrom(variable: string, otherwise: number): number {
  const text = process.env[variable];
  if (text === undefined || text === '') return otherwise;
  if (!/^\d+$/.test(text)) throw new RangeError(`${variable} is "${text}"; it must be a whole number`);
  return Number(text);
}
