import { isErrorCode, ERROR_TABLE, type ErrorCode, type OperationOutcome } from './error-table.js';
import { Outcome, type LeaderHint, type Result } from './gen/kv.js';
import { RingraftError } from './ringraft-error.js';

const OUTCOME_TO_WIRE: Readonly<Record<OperationOutcome, Outcome>> = {
  applied: Outcome.APPLIED,
  not_applied: Outcome.NOT_APPLIED,
  unknown: Outcome.UNKNOWN,
};

/** The result of an operation that was done; `answer` is in the encoding of libs/kv. */
export function successResult(answer: Uint8Array): Result {
  return {
    id: 0,
    code: '',
    answer,
    outcome: Outcome.APPLIED,
    leader: undefined,
    detail: '',
  };
}

/** The result of an operation that failed with `code`; its outcome is the table's unless this occurrence knows better. */
export function failedResult(
  code: ErrorCode,
  detail: string,
  more: { readonly outcome?: OperationOutcome; readonly leader?: LeaderHint } = {},
): Result {
  return {
    id: 0,
    code,
    answer: NO_ANSWER,
    outcome: OUTCOME_TO_WIRE[more.outcome ?? ERROR_TABLE[code].outcome],
    leader: more.leader,
    detail,
  };
}

/** What a result without an `outcome` of its own, or with one of a newer version, means: nobody knows. */
export function outcomeOfResult(result: Result): OperationOutcome {
  switch (result.outcome) {
    case Outcome.APPLIED:
      return 'applied';
    case Outcome.NOT_APPLIED:
      return 'not_applied';
    default:
      return 'unknown';
  }
}

/** The error that a failed result stands for. A code that is not in the table (a newer node's) becomes INTERNAL. */
export function errorOfResult(result: Result): RingraftError {
  const outcome = outcomeOfResult(result);
  if (!isErrorCode(result.code)) {
    return new RingraftError('INTERNAL', `the node answered with the unknown code ${result.code}`, {}, { outcome });
  }
  return new RingraftError(result.code, result.detail, result.leader ? { leader: result.leader } : {}, { outcome });
}

const NO_ANSWER = new Uint8Array(0);
