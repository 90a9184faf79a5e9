import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { httpGet } from './http-get.js';

const POLL_INTERVAL_MS = 50;
const POLL_TIMEOUT_MS = 2_000;

export interface ServerCommand {
  /** How messages call it: `c1-n1`, `gateway-1`. */
  readonly name: string;
  /** Run with the Node that runs us. */
  readonly script: string;
  /** On top of our own environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Takes what the process prints, appended. */
  readonly logPath: string;
  /** Answers 200 when the process is ready, else why it is not. */
  readonly readyUrl: string;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A process that ended, or never became ready. The message has its last log lines. */
export class ServerProcessError extends Error {
  constructor(
    readonly process: ServerProcess,
    what: string,
  ) {
    const lines = process.lastLogLines(10);
    const shown =
      lines.length > 0 ? `its last lines:\n${lines.map((line) => `  ${line}`).join('\n')}` : 'it printed nothing';
    super(`${process.name} ${what}; log: ${process.logPath}; ${shown}`);
    this.name = 'ServerProcessError';
  }
}

interface Run {
  readonly child: ChildProcess;
  readonly exited: Promise<Exit>;
  exit: Exit | undefined;
  /** Someone asked for the end of this run. */
  isEnding: boolean;
  /** It has said so once. */
  wasReady: boolean;
}

/**
 * One server as a child process, which may be started, killed and started again.
 *
 * It leads a process group of its own, so that a Ctrl-C in the terminal reaches only us and we decide the order of
 * stopping. It holds the other end of a pipe on its stdin: with RINGRAFT_EXIT_WITH_PARENT it stops when we are gone,
 * however we ended. All signals go to this very child.
 */
export class ServerProcess {
  private run: Run | undefined;
  private logStart = 0;

  constructor(
    private readonly command: ServerCommand,
    /** Called when a run ends that nobody asked to end. */
    private readonly onUnexpectedExit: (server: ServerProcess, exit: Exit) => void = () => undefined,
  ) {}

  get name(): string {
    return this.command.name;
  }

  get logPath(): string {
    return this.command.logPath;
  }

  get isRunning(): boolean {
    return this.run !== undefined && this.run.exit === undefined;
  }

  /**
   * Whether this end is what was to be expected of a process that was asked to stop: exit code 0, or the signal itself for one that was
   * still starting, and did not listen to it yet.
   */
  hasEndedWell({ code, signal }: Exit): boolean {
    return code === 0 || (signal === 'SIGTERM' && this.run?.wasReady === false);
  }

  /** Of the current run; undefined when there is none. */
  get pid(): number | undefined {
    return this.isRunning ? this.run!.child.pid : undefined;
  }

  /** Returns at once; see `ready`. `more` is environment for this run only, on top of its own. Throws when it runs already. */
  start(more: Readonly<Record<string, string>> = {}): void {
    if (this.isRunning) throw new Error(`${this.name} runs already`);
    const { script, env, logPath } = this.command;
    mkdirSync(dirname(logPath), { recursive: true });
    const log = openSync(logPath, 'a');
    this.logStart = statSync(logPath).size;
    const child = spawn(process.execPath, [script], {
      env: { ...process.env, ...env, ...more },
      stdio: ['pipe', log, log],
      detached: true,
    });
    closeSync(log);
    child.stdin?.on('error', () => undefined);

    const run: Run = {
      child,
      exit: undefined,
      isEnding: false,
      wasReady: false,
      exited: new Promise((resolve) => {
        const ended = (exit: Exit): void => {
          if (run.exit) return;
          run.exit = exit;
          resolve(exit);
          if (!run.isEnding) this.onUnexpectedExit(this, exit);
        };
        child.once('exit', (code, signal) => ended({ code, signal }));
        child.once('error', () => ended({ code: null, signal: null }));
      }),
    };
    this.run = run;
  }

  /** Waits until it says that it is ready. Throws `ServerProcessError` when it exits or is not ready in time. */
  async ready(timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    let reason: string;
    for (;;) {
      if (!this.isRunning) throw new ServerProcessError(this, describeExit(this.run?.exit));
      try {
        const { status, text } = await httpGet(this.command.readyUrl, POLL_TIMEOUT_MS);
        if (status === 200) {
          if (this.run) this.run.wasReady = true;
          return;
        }
        reason = text.trim().replaceAll('\n', ', ');
      } catch (error) {
        reason = (error as Error).message;
      }
      if (performance.now() >= deadline) {
        throw new ServerProcessError(this, `was not ready within ${timeoutMs} ms (${reason})`);
      }
      await Promise.race([delay(POLL_INTERVAL_MS), this.run?.exited]);
    }
  }

  /**
   * SIGTERM, then SIGKILL when it has not ended after `timeoutMs`. A paused process is resumed first. Sends one SIGTERM
   * however often it is called, because a second one would cut the graceful stop short. Never throws.
   */
  async stop(timeoutMs: number): Promise<Exit | undefined> {
    const { run } = this;
    if (!run || run.exit) return run?.exit;
    if (!run.isEnding) {
      run.isEnding = true;
      run.child.kill('SIGCONT');
      run.child.kill('SIGTERM');
    }
    const timer = setTimeout(() => run.child.kill('SIGKILL'), timeoutMs);
    const exit = await run.exited;
    clearTimeout(timer);
    return exit;
  }

  /** `kill -9`, and waits for the end. */
  async kill(): Promise<void> {
    const { run } = this;
    if (!run || run.exit) return;
    run.isEnding = true;
    run.child.kill('SIGKILL');
    await run.exited;
  }

  /** SIGSTOP: it is there and does nothing, until `resume`. */
  pause(): void {
    this.signal('SIGSTOP');
  }

  resume(): void {
    this.signal('SIGCONT');
  }

  /** What this run printed last. */
  lastLogLines(count: number): string[] {
    try {
      const printed = readFileSync(this.logPath).subarray(this.logStart).toString('utf8');
      return printed.split('\n').filter(Boolean).slice(-count);
    } catch {
      return [];
    }
  }

  private signal(signal: NodeJS.Signals): void {
    if (!this.isRunning) throw new Error(`${this.name} does not run`);
    this.run!.child.kill(signal);
  }
}

/** In words: `exited with code 1`, `was killed by SIGKILL`. */
export function describeExit(exit: Exit | undefined): string {
  if (!exit) return 'was not started';
  if (exit.signal) return `was killed by ${exit.signal}`;
  return exit.code === null ? 'could not be started' : `exited with code ${exit.code}`;
}
