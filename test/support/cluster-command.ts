import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { join } from 'node:path';
import { freePorts } from '../../tools/local-cluster/ports.js';
import { eventually } from './eventually.js';

const OUTPUT_TIMEOUT_MS = 60_000;

export interface ClusterCommandOptions {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The built `tools/cluster.js`. */
  readonly script?: string;
}

/** The one command (`npm start` without npm), as a terminal runs it: in a process group of its own. */
export class ClusterCommand {
  private readonly child: ChildProcessWithoutNullStreams;
  private readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  output = '';

  constructor({ args, env = {}, script = join(process.cwd(), 'dist/tools/cluster.js') }: ClusterCommandOptions) {
    this.child = spawn(process.execPath, [script, ...args], { detached: true, env: { ...process.env, ...env } });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    }
    this.exited = new Promise((resolve) => {
      this.child.once('close', (code, signal) => resolve({ code, signal }));
    });
  }

  /** The flags for ports that nobody uses. */
  static async portFlags(clusters: number, nodes: number): Promise<{ flags: string[]; port: number }> {
    const count = clusters * nodes;
    for (;;) {
      const [port, grpc, ops] = (await freePorts(3)) as [number, number, number];
      // The command takes consecutive ones; it says so itself when one of them is taken after all.
      const isApart =
        Math.abs(grpc - ops) >= count && [grpc, ops].every((first) => port < first || port >= first + count);
      if (isApart) return { flags: [`--port=${port}`, `--grpc-port=${grpc}`, `--ops-port=${ops}`], port };
    }
  }

  get pid(): number {
    return this.child.pid!;
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Waits until it has printed this. */
  async printed(text: string): Promise<void> {
    await eventually(
      `the command prints ${JSON.stringify(text)}; it printed ${this.output}`,
      () => this.output.includes(text) || !this.isRunning,
      OUTPUT_TIMEOUT_MS,
    );
    if (!this.output.includes(text)) throw new Error(`the command has ended without ${text}: ${this.output}`);
  }

  /** The rows of the table: process name to pid. */
  pids(): Map<string, number> {
    const rows = [...this.output.matchAll(/│ +(?:c\d+)? *│ (c\d+-n\d+|gateway-\d+) +│ (\d+) +│/g)];
    return new Map(rows.map(([, name, pid]) => [name!, Number(pid)]));
  }

  /** Ctrl-C in its terminal: SIGINT to the whole process group. */
  pressCtrlC(): void {
    process.kill(-this.pid, 'SIGINT');
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** The exit code, or the signal that ended it. */
  async end(): Promise<number | NodeJS.Signals | null> {
    const { code, signal } = await this.exited;
    return code ?? signal;
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
