import type { RingraftError } from '@app/rpc';
import { CommandFailure } from './command-failure.js';
import type { Colors } from './context.js';
import { EXIT } from './exit-code.js';

/** Whatever a command has thrown, as the failure to report. */
export function asFailure(error: unknown): CommandFailure {
  if (error instanceof CommandFailure) return error;
  if (isRingraftError(error)) return CommandFailure.of(error);
  const { syscall, message, stack } = error as NodeJS.ErrnoException;
  // A file that cannot be opened, read or written: the message names it.
  if (syscall !== undefined) return new CommandFailure(EXIT.FAILED, message, { cause: error });
  return new CommandFailure(EXIT.FAILED, `unexpected: ${stack ?? String(error)}`, {
    hint: 'this is a defect of ringctl: please report it with the lines above',
    cause: error,
  });
}

/** For people: what went wrong, and below it what to do next. */
export function failureLines({ message, hint }: CommandFailure, colors: Colors): string[] {
  return [`${colors.red('error:')} ${message}`, ...(hint === undefined ? [] : [`${colors.cyan('hint:')}  ${hint}`])];
}

/** For scripts, with `-o json`. */
export function failureJson({ exitCode, message, code, outcome, revision, hint }: CommandFailure): object {
  const facts = { exit_code: exitCode, code: code ?? null, message, outcome: outcome ?? null, hint: hint ?? null };
  return { error: revision === undefined ? facts : { ...facts, revision } };
}

/** By its name: its class comes with all of gRPC, which most commands do not load. */
function isRingraftError(error: unknown): error is RingraftError {
  return error instanceof Error && error.name === 'RingraftError';
}
