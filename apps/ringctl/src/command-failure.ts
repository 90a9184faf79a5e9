import { ERROR_TABLE, RingraftError, isErrorCode, type OperationOutcome } from '@app/rpc';
import { adviceFor } from './advice.js';
import { EXIT, type ExitCode } from './exit-code.js';

export interface FailureFacts {
  /** A code of the error table. */
  readonly code?: string;
  readonly outcome?: OperationOutcome;
  /** What to do next, in a sentence. */
  readonly hint?: string | undefined;
  /** Of the key now. */
  readonly revision?: string | undefined;
  readonly cause?: unknown;
}

/** Ends the command: the message goes to stderr with the hint below it, and the process ends with `exitCode`. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
  readonly code: string | undefined;
  readonly outcome: OperationOutcome | undefined;
  readonly hint: string | undefined;
  readonly revision: string | undefined;

  constructor(
    readonly exitCode: ExitCode,
    message: string,
    { code, outcome, hint, revision, cause }: FailureFacts = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.outcome = outcome;
    this.hint = hint;
    this.revision = revision;
  }

  /** What a node answered to a call that changes something. */
  static of(error: RingraftError): CommandFailure {
    return failureOf(error.code, error.detail, { outcome: error.outcome, cause: error });
  }
}

/**
 * The failure that a code of the error table stands for. `outcome` is left out for a read, whose failure leaves nothing in
 * doubt.
 */
export function failureOf(
  code: string,
  detail: string,
  { outcome, revision, cause }: Pick<FailureFacts, 'outcome' | 'revision' | 'cause'> = {},
): CommandFailure {
  return new CommandFailure(exitCodeOf(code, outcome), `${detail} (${code})`, {
    code,
    ...(outcome && { outcome }),
    hint: adviceFor(code),
    revision,
    cause,
  });
}

function exitCodeOf(code: string, outcome: OperationOutcome | undefined): ExitCode {
  if (outcome === 'unknown') return EXIT.UNKNOWN;
  if (code === 'NOT_FOUND') return EXIT.NOT_FOUND;
  if (code === 'PRECONDITION_FAILED') return EXIT.CONDITION_FAILED;
  const status = isErrorCode(code) ? ERROR_TABLE[code].httpStatus : 500;
  return status === 503 || status === 504 || status === 429 ? EXIT.UNAVAILABLE : EXIT.FAILED;
}
