/** What a load has measured. Durations are in milliseconds. */
export interface LoadResult {
  readonly seconds: number;
  /** Answered with success. */
  readonly operations: number;
  /** By code of the error table. */
  readonly errors: Readonly<Record<string, number>>;
  readonly throughput: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export interface Thresholds {
  /** Operations per second, at least. */
  readonly throughputMin: number;
  readonly p99MsMax: number;
  /** Of all operations, at most. */
  readonly errorShareMax: number;
}

export interface Verdict {
  readonly passed: boolean;
  readonly lines: readonly { readonly passed: boolean; readonly text: string }[];
}

/** Every threshold, and whether it was kept. */
export function verdictOn(result: LoadResult, { throughputMin, p99MsMax, errorShareMax }: Thresholds): Verdict {
  const failed = errorCount(result);
  const share = failed === 0 ? 0 : failed / (failed + result.operations);
  const lines = [
    {
      passed: result.throughput >= throughputMin,
      text: `throughput ${result.throughput.toFixed(0)}/s, at least ${throughputMin}/s wanted`,
    },
    {
      passed: result.operations > 0 && result.p99Ms <= p99MsMax,
      text: `p99 ${result.p99Ms.toFixed(1)} ms, at most ${p99MsMax} ms wanted`,
    },
    {
      passed: share <= errorShareMax,
      text: `errors ${(100 * share).toFixed(2)}%, at most ${(100 * errorShareMax).toFixed(2)}% wanted`,
    },
  ];
  return { passed: lines.every(({ passed }) => passed), lines };
}

export function errorCount({ errors }: LoadResult): number {
  return Object.values(errors).reduce((sum, count) => sum + count, 0);
}
