import { createHistogram } from 'node:perf_hooks';

const MICROSECONDS_MAX = 600_000_000;

/** Durations, in a histogram of fixed size: how many there are costs nothing. */
export class Latencies {
  private readonly histogram = createHistogram({ lowest: 1, highest: MICROSECONDS_MAX, figures: 3 });

  get count(): number {
    return this.histogram.count;
  }

  add(ms: number): void {
    this.histogram.record(Math.min(MICROSECONDS_MAX, Math.max(1, Math.round(ms * 1_000))));
  }

  /** In milliseconds; 0 when there is none. */
  percentile(percent: number): number {
    return this.count === 0 ? 0 : this.histogram.percentile(percent) / 1_000;
  }

  /** In milliseconds; 0 when there is none. */
  get max(): number {
    return this.count === 0 ? 0 : this.histogram.max / 1_000;
  }
}
