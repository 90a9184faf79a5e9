import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT } from './exit-code.js';
import { runProgram } from './program.js';

/** What still runs this long after the first Ctrl-C is left behind. */
const INTERRUPTED_END_MS = 1_000;
/** The terminal signals the whole process group, and npx passes the signal on: both are one Ctrl-C. */
const SAME_SIGNAL_WITHIN_MS = 500;

/** This file runs as `dist/apps/ringctl/src/main.js`, or from `bundle` beside `src`. */
const ROOT = join(import.meta.dirname, '../../../..');

const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
const { stdin, stdout, stderr } = process;
const interrupt = new AbortController();
let interruptedAt: number | undefined;

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    const now = performance.now();
    if (interruptedAt !== undefined) {
      if (now - interruptedAt >= SAME_SIGNAL_WITHIN_MS) process.exit(EXIT.INTERRUPTED);
      return;
    }
    interruptedAt = now;
    interrupt.abort();
    setTimeout(() => {
      stderr.write('error: interrupted; what was sent may still take effect\n');
      process.exit(EXIT.INTERRUPTED);
    }, INTERRUPTED_END_MS).unref();
  });
}
// Whoever reads us may have seen enough: `ringctl ... | head`.
for (const stream of [stdout, stderr]) stream.on('error', () => process.exit(EXIT.FAILED));

// Not awaited at the top level, which a bundle in CommonJS cannot do.
void run();

async function run(): Promise<void> {
  const exitCode = await runProgram(
    process.argv.slice(2),
    { stdin, stdout, stderr, interrupted: interrupt.signal },
    version,
  );
  // A connection that is still being made, or a terminal that is read, would keep the process alive.
  stdout.write('', () => process.exit(exitCode));
}
