import { SingleBar } from 'cli-progress';
import type { OutputStream } from '../io.js';
import { errorCount, type LoadResult } from './verdict.js';

const INTERVAL_MS = 250;
/** Elsewhere than on a terminal, a line this often. */
const LINE_INTERVAL_MS = 5_000;

/** How a load gets on, live: a bar on a terminal, elsewhere a line from time to time. */
export class LoadProgress {
  private readonly bar: SingleBar | undefined;
  private readonly timer: NodeJS.Timeout;
  private readonly beganAt = performance.now();

  constructor(
    private readonly stream: OutputStream,
    private readonly durationMs: number,
    private readonly result: () => LoadResult,
  ) {
    if (stream.isTTY === true) {
      this.bar = new SingleBar({
        stream,
        format: '[{bar}] {percentage}% {figures}',
        hideCursor: true,
        clearOnComplete: true,
        linewrap: false,
      });
      this.bar.start(durationMs, 0, { figures: '' });
    }
    this.timer = setInterval(() => this.show(), this.bar ? INTERVAL_MS : LINE_INTERVAL_MS);
  }

  stop(): void {
    clearInterval(this.timer);
    this.bar?.stop();
  }

  private show(): void {
    const result = this.result();
    const errors = errorCount(result);
    const figures = `${result.throughput.toFixed(0)}/s, p99 ${result.p99Ms.toFixed(1)} ms${errors === 0 ? '' : `, ${errors} errors`}`;
    const passedMs = Math.min(this.durationMs, performance.now() - this.beganAt);
    if (this.bar) this.bar.update(passedMs, { figures });
    else this.stream.write(`${(passedMs / 1_000).toFixed(0)} s: ${figures}\n`);
  }
}
