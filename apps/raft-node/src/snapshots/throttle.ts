/** As much is made up for when a turn came late. */
const LATE_MS_MAX = 50;

/**
 * Spreads bytes evenly over time, for everyone who shares it: each piece is given the moment when all before it have had their time at
 * `bytesPerSecond`. Next to nothing is saved up while nobody sends.
 */
export class Throttle {
  private freeAtMs = -Infinity;

  constructor(
    private readonly bytesPerSecond: number,
    private readonly nowMs: () => number = () => performance.now(),
  ) {}

  /** The milliseconds to wait before the next `bytes` are sent. They count as sent, whether they are or not. */
  reserve(bytes: number): number {
    const now = this.nowMs();
    const startMs = Math.max(this.freeAtMs, now - LATE_MS_MAX);
    this.freeAtMs = startMs + (bytes / this.bytesPerSecond) * 1000;
    return Math.max(0, startMs - now);
  }
}
