/** Pauses that grow, so that many callers who fail together do not come back together. */
export class Backoff {
  private step = 0;

  constructor(
    private readonly delayMs: number,
    private readonly delayMaxMs: number,
  ) {}

  /** The next pause: between half of and the whole of a delay that doubles each time. */
  nextMs(): number {
    const delayMs = Math.min(this.delayMaxMs, this.delayMs * 2 ** this.step);
    this.step += 1;
    return delayMs * (0.5 + Math.random() / 2);
  }
}
