import type { SeedReport } from '../sim/seed-report.js';
import type { Runner } from '../sim/seed-pool.js';

/** How the search for one bug ended. */
export interface Verdict {
  /** The run that found it; undefined if it survived. */
  readonly found: SeedReport | undefined;
  /** Runs of the program with the bug in, up to the one that found it. */
  readonly seeds: number;
  /** Seeds at which the program fails without the bug, too: they prove nothing. */
  readonly unsound: readonly number[];
}

/**
 * Runs seeds from 1 until one fails with the bug in that does not fail without it, or `seedsMax` are through.
 */
export async function hunt(
  mutated: Runner,
  failsWithoutBug: (seed: number) => Promise<boolean>,
  seedsMax: number,
  shouldStop: () => boolean,
): Promise<Verdict> {
  const unsound: number[] = [];
  for (let seed = 1; seed <= seedsMax && !shouldStop(); seed += 1) {
    const report = await mutated.run({ seed });
    if (!report.failure) continue;
    if (!(await failsWithoutBug(seed))) return { found: report, seeds: seed, unsound };
    unsound.push(seed);
  }
  return { found: undefined, seeds: seedsMax, unsound };
}

/** Runs of the program as it is, each at most once. */
export class Control {
  private readonly reports = new Map<number, Promise<SeedReport>>();
  private queue: Promise<unknown> = Promise.resolve();

  constructor(private readonly runner: Runner) {}

  async fails(seed: number): Promise<boolean> {
    return (await this.report(seed)).failure !== undefined;
  }

  report(seed: number): Promise<SeedReport> {
    const known = this.reports.get(seed);
    if (known) return known;
    const report = this.queue.then(() => this.runner.run({ seed }));
    this.queue = report;
    this.reports.set(seed, report);
    return report;
  }
}
