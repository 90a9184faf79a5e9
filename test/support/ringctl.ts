import { spawn } from 'node:child_process';
import { join } from 'node:path';

/** A command that goes on for longer hangs. */
const TIMEOUT_MS = 60_000;

export interface RingctlResult {
  /** Null when it was killed because it went on. */
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
  /** What is on stdout; throws when it is no JSON. */
  json<T = Record<string, unknown>>(): T;
  /** What is on stderr with `-o json`, when the command failed. */
  error(): Record<string, unknown>;
}

export interface RingctlInput {
  readonly stdin?: Uint8Array;
  /** Beside PATH; nothing else of ours. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs the command as `npx ringctl` does. What it prints is no terminal's. */
export function ringctl(args: readonly string[], { stdin, env = {} }: RingctlInput = {}): Promise<RingctlResult> {
  const script = join(process.cwd(), 'apps/ringctl/bin/ringctl.mjs');
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...args], { env: { PATH: process.env.PATH, ...env } });
    const stdout: Buffer[] = [];
    let stderr = '';
    child.stdout.on('data', (part: Buffer) => stdout.push(part));
    child.stderr.on('data', (part: Buffer) => (stderr += part.toString()));
    child.stdin.on('error', () => undefined);
    child.stdin.end(stdin);
    const timer = setTimeout(() => child.kill('SIGKILL'), TIMEOUT_MS);
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(timer);
      const printed = Buffer.concat(stdout);
      resolve({
        code,
        stdout: printed,
        stderr,
        json: <T>() => JSON.parse(printed.toString()) as T,
        error: () => (JSON.parse(stderr) as { error: Record<string, unknown> }).error,
      });
    });
  });
}
