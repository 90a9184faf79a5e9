import { ERROR_TABLE, type ErrorCode, type ErrorRule, type OperationOutcome } from './error-table.js';

/** Facts about one occurrence. Must survive JSON, because they travel in it. */
export interface ErrorFields {
  /** The bound that was exceeded, and by what. */
  readonly limit?: number;
  readonly actual?: number;
  /** The key's revision now; '0' when the key does not exist. */
  readonly revision?: string;
  /** The leader as far as the answering node knows. */
  readonly leader?: { readonly nodeId: string; readonly address: string };
  /** What is wrong with which part of the request. */
  readonly errors?: readonly { readonly field: string; readonly message: string }[];
  readonly [name: string]: unknown;
}

export interface RingraftErrorOptions {
  /** Where this occurrence knows better than the table. */
  readonly outcome?: OperationOutcome;
  readonly cause?: unknown;
}

/** An error with a code of the error table. Callers decide by `code` and `outcome`, never by the text. */
export class RingraftError extends Error {
  override readonly name = 'RingraftError';
  readonly outcome: OperationOutcome;

  constructor(
    readonly code: ErrorCode,
    /** What happened this time, in a sentence; never a value or a secret. */
    readonly detail: string,
    readonly fields: ErrorFields = {},
    options: RingraftErrorOptions = {},
  ) {
    super(`${code}: ${detail}`, options.cause === undefined ? undefined : { cause: options.cause });
    this.outcome = options.outcome ?? ERROR_TABLE[code].outcome;
  }

  get rule(): ErrorRule {
    return ERROR_TABLE[this.code];
  }
}
