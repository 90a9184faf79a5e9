import type { OperationOutcome, RingraftError } from '@app/rpc';
import { adviceFor } from './advice.js';
import { EXIT, type ExitCode } from './exit-code.js';

export interface FailureFacts {
  /** A code of the error table. */
  readonly code?: string | undefined;
  readonly outcome?: OperationOutcome | undefined;
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
    const { code, detail, outcome, rule } = error;
    return failureOf({ code, detail, outcome, httpStatus: rule.httpStatus, cause: error });
  }
}

export interface ToldError extends Pick<FailureFacts, 'outcome' | 'revision' | 'cause'> {
  /** A code of the error table, and the HTTP status that it has there. */
  readonly code: string;
  readonly httpStatus: number;
  readonly detail: string;
}

/** The failure that an error of the error table stands for. `outcome` is left out for a read, whose failure leaves nothing in doubt. */
export function failureOf({ detail, httpStatus, ...facts }: ToldError): CommandFailure {
  const { code, outcome } = facts;
  const exitCode = exitCodeOf(code, httpStatus, outcome);
  return new CommandFailure(exitCode, `${detail} (${code})`, { ...facts, hint: adviceFor(code) });
}

function exitCodeOf(code: string, httpStatus: number, outcome: OperationOutcome | undefined): ExitCode {
  if (outcome === 'unknown') return EXIT.UNKNOWN;
  if (code === 'NOT_FOUND') return EXIT.NOT_FOUND;
  if (code === 'PRECONDITION_FAILED') return EXIT.CONDITION_FAILED;
  return httpStatus === 503 || httpStatus === 504 || httpStatus === 429 ? EXIT.UNAVAILABLE : EXIT.FAILED;
}
