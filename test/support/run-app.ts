import { spawn } from 'node:child_process';
import { join } from 'node:path';

const DEFAULT_TIMEOUT_MS = 30_000;

export interface RunResult {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunInput {
  readonly args?: readonly string[];
  /** Instead of our own environment, not on top of it. */
  readonly env?: Readonly<Record<string, string>>;
  /** After which it counts as one that goes on; 30 s unless given. */
  readonly timeoutMs?: number;
}

/** Runs a built app until it ends by itself. One that goes on is killed after a while and the promise rejected. */
export function runApp(
  app: 'gateway' | 'raft-node' | 'ringctl',
  { args = [], env = {}, timeoutMs = DEFAULT_TIMEOUT_MS }: RunInput,
): Promise<RunResult> {
  const script = join(process.cwd(), 'dist/apps', app, 'bundle/main.js');
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const printed = { stdout: '', stderr: '' };
    child.stdout.on('data', (part: Buffer) => (printed.stdout += part.toString()));
    child.stderr.on('data', (part: Buffer) => (printed.stderr += part.toString()));
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`${app} goes on after ${timeoutMs} ms; it printed: ${printed.stdout}${printed.stderr}`));
    }, timeoutMs);
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code, ...printed });
    });
  });
}
