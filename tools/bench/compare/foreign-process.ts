import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

const POLL_INTERVAL_MS = 20;
const STOP_TIMEOUT_MS = 5_000;

/**
 * A server that is not ours. It leads a process group of its own, so that a Ctrl-C reaches only us, and the kernel kills it
 * when we are gone, however we ended (`setpriv` of util-linux).
 */
export class ForeignProcess {
  private child: ChildProcess | undefined;
  private exited: Promise<void> = Promise.resolve();

  constructor(
    private readonly command: string,
    private readonly args: readonly string[],
    private readonly logPath: string,
    private readonly env: Readonly<Record<string, string>> = {},
  ) {}

  get isRunning(): boolean {
    return this.child !== undefined;
  }

  /** Throws when it does not run. */
  get pid(): number {
    if (this.child?.pid === undefined) throw new Error(`${this.command} does not run; its log: ${this.logPath}`);
    return this.child.pid;
  }

  start(): void {
    const log = openSync(this.logPath, 'a');
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', this.command, ...this.args], {
      env: { ...process.env, ...this.env },
      stdio: ['ignore', log, log],
      detached: true,
    });
    closeSync(log);
    this.child = child;
    this.exited = new Promise((resolve) => {
      const ended = (): void => {
        if (this.child === child) this.child = undefined;
        resolve();
      };
      child.once('exit', ended).once('error', ended);
    });
  }

  /** Asks until the answer is true. Throws when the process ends or `timeoutMs` have passed; the message has its last lines. */
  async ready(isReady: () => Promise<boolean>, timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (!(await isReady().catch(() => false))) {
      if (!this.isRunning || performance.now() > deadline) {
        const lines = readFileSync(this.logPath, 'utf8').split('\n').slice(-10).join('\n');
        throw new Error(`${this.command} ${this.isRunning ? 'is not ready' : 'has ended'}:\n${lines}`);
      }
      await delay(POLL_INTERVAL_MS);
    }
  }

  /** SIGTERM, then SIGKILL. A paused process is resumed first. Never throws. */
  async stop(): Promise<void> {
    const { child } = this;
    if (!child) return;
    child.kill('SIGCONT');
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await this.exited;
    clearTimeout(timer);
  }

  async kill(): Promise<void> {
    this.child?.kill('SIGKILL');
    await this.exited;
  }
}
