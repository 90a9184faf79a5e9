import { SingleBar } from 'cli-progress';

export interface ProgressStream extends NodeJS.WritableStream {
  readonly isTTY?: boolean;
}

const PIPE_LINES = 10;

/** How far many runs are: a bar on a terminal, elsewhere a line for every tenth of them. */
export class SeedProgress {
  private readonly bar: SingleBar | undefined;
  private readonly startedAt = performance.now();
  private done = 0;

  constructor(
    private readonly total: number,
    private readonly stream: ProgressStream,
  ) {
    if (stream.isTTY !== true) return;
    this.bar = new SingleBar({
      format: '{bar} {value}/{total} seeds, {rate}/s, {eta_formatted} left{failed}',
      stream,
      hideCursor: true,
      clearOnComplete: true,
      // The caller ends on a signal, with a summary.
      gracefulExit: false,
      etaBuffer: 100,
    });
    this.bar.start(total, 0, { rate: '-', failed: '' });
  }

  advance(failures: number): void {
    this.done += 1;
    const rate = (this.done / Math.max(1, performance.now() - this.startedAt)) * 1000;
    const failed = failures > 0 ? `, ${failures} failed` : '';
    if (this.bar) {
      this.bar.update(this.done, { rate: rate.toFixed(1), failed });
      return;
    }
    const tenth = Math.ceil(this.total / PIPE_LINES);
    if (this.done % tenth === 0 && this.done < this.total) {
      this.stream.write(`${this.done}/${this.total} seeds, ${rate.toFixed(1)}/s${failed}\n`);
    }
  }

  /** Takes the bar away. */
  stop(): void {
    this.bar?.stop();
  }
}
