import { CorruptStateError, DirectoryLockedError, StateFailedError, StateFullError } from '../errors.js';

export type StateError = CorruptStateError | DirectoryLockedError | StateFailedError | StateFullError;

/** LevelDB gives the operating system's error as text only (`IOError` in its `env_posix.cc`). */
const NO_SPACE = /No space left on device|Disk quota exceeded/;
/** It opens a file that its own records name, or finds records that contradict each other. */
const NOT_WHAT_WAS_WRITTEN = /^(Corruption|Invalid argument|NotFound)|No such file or directory/;

/** What an error of LevelDB, or of a file beside it, means for the state in `directory`. */
export function stateErrorOf(directory: string, error: unknown): StateError {
  if (isStateError(error)) return error;
  const cause = causeOf(error);
  const { code, message } = cause;
  if (code === 'LEVEL_LOCKED') return new DirectoryLockedError(directory, { cause });
  if (code === 'ENOSPC' || code === 'EDQUOT' || NO_SPACE.test(message)) return new StateFullError(directory, cause);
  if (code === 'LEVEL_CORRUPTION' || NOT_WHAT_WAS_WRITTEN.test(message)) {
    return new CorruptStateError(directory, message, { cause });
  }
  return new StateFailedError(directory, cause);
}

function isStateError(error: unknown): error is StateError {
  return (
    error instanceof CorruptStateError ||
    error instanceof DirectoryLockedError ||
    error instanceof StateFailedError ||
    error instanceof StateFullError
  );
}

function causeOf(error: unknown): { code?: string; message: string } {
  const outer = error as Error & { code?: string };
  // abstract-level wraps what the database itself said when it could not be opened or closed.
  const inner = outer.cause as (Error & { code?: string }) | undefined;
  if (inner instanceof Error && outer.code?.startsWith('LEVEL_DATABASE_')) return inner;
  return outer instanceof Error ? outer : new Error(String(error));
}
