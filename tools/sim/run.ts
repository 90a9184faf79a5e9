import type { RunResult } from '@app/simulator';
import type { SeedReport } from './seed-report.js';

/** Runs and times it. What it throws is a failure of its own: the simulator itself went wrong. */
export function timed(run: () => RunResult): { readonly result: RunResult; readonly report: SeedReport } {
  const startedAt = performance.now();
  const result = run();
  const { seed, ticks, events, operations, faultsInjected, traceHash, isUndecided, failure } = result;
  const elapsedMs = performance.now() - startedAt;
  return {
    result,
    report: {
      seed,
      ticks,
      events,
      operations,
      faultsInjected,
      traceHash,
      elapsedMs,
      ...(isUndecided && { isUndecided }),
      ...(failure && { failure: { check: failure.check, message: failure.message, time: failure.time } }),
    },
  };
}
