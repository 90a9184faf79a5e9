import { fork, type ChildProcess } from 'node:child_process';
import { PROCESS_CHECKS, unfinishedReport, type SeedReport, type SeedRequest } from './seed-report.js';

/** A run that needs more memory than this is a failure, not a reason to take the machine's. */
const HEAP_MEBIBYTES_MAX = 1024;
const STDERR_CHARACTERS_MAX = 2000;

/**
 * Runs seeds, one at a time, in a child process of its own. What a run does to that process is the run's result: one that does not end within
 * `stuckAfterMs` or that ends the process fails with a check of `PROCESS_CHECKS`, and the next run gets a new process.
 */
export class SeedRunner {
  private child: ChildProcess | undefined;
  private stderr = '';

  /** `workerPath` is a compiled `seed-worker.js`: that of this program, or of a copy of it. */
  constructor(
    private readonly workerPath: string,
    private readonly stuckAfterMs: number,
  ) {}

  async run(request: SeedRequest): Promise<SeedReport> {
    const child = (this.child ??= this.start());
    const startedAt = performance.now();
    return new Promise((resolve) => {
      const settle = (report: SeedReport): void => {
        clearTimeout(watchdog);
        child.removeAllListeners('message').removeAllListeners('exit');
        resolve(report);
      };
      const giveUp = (check: string, message: string): void => {
        settle(unfinishedReport(request.seed, check, message, performance.now() - startedAt));
        this.close();
      };
      const watchdog = setTimeout(
        () => giveUp(PROCESS_CHECKS.stuck, `no end after ${this.stuckAfterMs / 1000} s`),
        this.stuckAfterMs,
      );
      child.on('message', (report) => settle(report as SeedReport));
      child.on('exit', (code, signal) => {
        giveUp(PROCESS_CHECKS.died, `ended with ${signal ?? `code ${code}`} ${this.stderr}`.trim());
      });
      child.send(request, (error) => {
        if (error) giveUp(PROCESS_CHECKS.died, error.message);
      });
    });
  }

  /** Ends the process; a run under way is never answered. */
  close(): void {
    this.child?.removeAllListeners();
    this.child?.kill('SIGKILL');
    this.child = undefined;
  }

  private start(): ChildProcess {
    const child = fork(this.workerPath, {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      execArgv: ['--enable-source-maps', `--max-old-space-size=${HEAP_MEBIBYTES_MAX}`],
    });
    this.stderr = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr = (this.stderr + text).slice(-STDERR_CHARACTERS_MAX);
    });
    return child;
  }
}
