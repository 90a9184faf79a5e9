/** A frame leaves once so much of what the last one had has collected again. */
const REFILL_SHARE = 0.75;
/** It does not wait longer for that than this share of how long the last one took, nor than this. */
const REFILL_WAIT_SHARE = 0.25;
const REFILL_WAIT_MS_MAX = 10;

/** A frame holds the next one back for so many times as long as the frames before took, but no longer than this. */
const HOLD_FACTOR = 2;
const HOLD_MS_MAX = 200;

/** How much one frame counts for the mean of how long they take. */
const MEAN_WEIGHT = 0.125;

/**
 * When the next frame of a stream leaves. The answers to one frame come together, and those who got them ask again one after the other:
 * a frame that left with the first of them would be almost empty, and the rest would wait for its answer. So it waits for them for a
 * moment, which is short beside what the last frame took. Who is alone waits for nobody.
 *
 * Times are milliseconds of one clock that never goes back.
 */
export class FramePacing {
  private meanMs = 0;
  private refill = 0;
  private refillEndMs = 0;

  constructor(private readonly holdMsMin: number) {}

  /** How long a frame without an answer holds the next one back. */
  get holdMs(): number {
    return Math.max(this.holdMsMin, Math.min(HOLD_FACTOR * this.meanMs, HOLD_MS_MAX));
  }

  /** The first answer to a frame of `operations` is there. */
  answered(operations: number, writtenMs: number, nowMs: number): void {
    const tookMs = nowMs - writtenMs;
    this.meanMs += MEAN_WEIGHT * (tookMs - this.meanMs);
    this.refill = Math.floor(REFILL_SHARE * operations);
    this.refillEndMs = nowMs + Math.min(REFILL_WAIT_SHARE * tookMs, REFILL_WAIT_MS_MAX);
  }

  /** How much longer a frame of so many operations waits for more; 0 when it leaves. */
  waitMs(queued: number, nowMs: number): number {
    return queued >= this.refill ? 0 : Math.max(0, this.refillEndMs - nowMs);
  }
}
