import { spawn, spawnSync } from 'node:child_process';

/** What a program prints, until it ends. Throws when it fails or the signal ends it; keeps what it prints in memory. */
export function runProgram(command: string, args: readonly string[], signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], signal });
    let printed = '';
    let complaints = '';
    child.stdout.setEncoding('utf8').on('data', (part: string) => (printed += part));
    child.stderr.setEncoding('utf8').on('data', (part: string) => (complaints += part));
    child.on('error', reject);
    child.on('close', (code, by) => {
      if (code === 0) resolve(printed);
      else reject(new Error(`${command} ended with ${by ?? `code ${code}`}: ${complaints || printed.slice(-500)}`));
    });
  });
}

/** Whether such a program is there. */
export function isInstalled(command: string): boolean {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).error === undefined;
}

/** The first line of what it says about its version. */
export function versionOf(command: string, flag = '--version'): string {
  const { stdout } = spawnSync(command, [flag], { encoding: 'utf8' });
  return (stdout ?? '').split('\n')[0]!.replace(/ Copyright.*/, '');
}
