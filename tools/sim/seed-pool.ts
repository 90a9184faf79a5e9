import type { SeedReport, SeedRequest } from './seed-report.js';

/** What a pool needs of a `SeedRunner`. */
export interface Runner {
  run(request: SeedRequest): Promise<SeedReport>;
  close(): void;
}

/** Shares requests out among runners, each of which has one at a time. */
export class SeedPool {
  private readonly runners: readonly Runner[];
  private isStopped = false;
  private release: () => void = () => undefined;

  constructor(workers: number, createRunner: () => Runner) {
    this.runners = Array.from({ length: workers }, createRunner);
  }

  /**
   * Gives each report to `onReport`, in the order in which the runs end. Resolves when all requests are answered or after `stop`; all
   * runners are closed then.
   */
  async run(requests: Iterable<SeedRequest>, onReport: (report: SeedReport) => void): Promise<void> {
    const iterator = requests[Symbol.iterator]();
    const stopped = new Promise<void>((resolve) => (this.release = resolve));
    const work = this.runners.map(async (runner) => {
      for (let next = iterator.next(); !next.done && !this.isStopped; next = iterator.next()) {
        const report = await runner.run(next.value);
        if (!this.isStopped) onReport(report);
      }
    });
    try {
      await Promise.race([Promise.all(work), stopped]);
    } finally {
      this.isStopped = true;
      for (const runner of this.runners) runner.close();
    }
  }

  /** Runs under way are abandoned. */
  stop(): void {
    this.isStopped = true;
    this.release();
  }
}
