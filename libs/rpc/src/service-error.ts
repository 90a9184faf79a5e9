import { Metadata, status, type ServiceError, type StatusObject } from '@grpc/grpc-js';
import { isErrorCode, type ErrorCode, type OperationOutcome } from './error-table.js';
import { RingraftError, type ErrorFields } from './ringraft-error.js';

/** Trailing metadata of a failed call: the code, the outcome, and the fields as JSON in UTF-8. */
export const CODE_KEY = 'ringraft-code';
const OUTCOME_KEY = 'ringraft-outcome';
const FIELDS_KEY = 'ringraft-fields-bin';

const DETAIL_LENGTH_MAX = 1024;

/**
 * What a gRPC handler gives to its callback, or emits as `error` on a stream, to end the call with `error`.
 * Anything but a `RingraftError` becomes INTERNAL without its text, which may hold what is not the caller's business.
 */
export function toServiceError(error: unknown): Error & StatusObject {
  const known = error instanceof RingraftError ? error : new RingraftError('INTERNAL', 'unexpected error');
  const metadata = new Metadata();
  metadata.set(CODE_KEY, known.code);
  metadata.set(OUTCOME_KEY, known.outcome);
  if (Object.keys(known.fields).length > 0) metadata.set(FIELDS_KEY, Buffer.from(JSON.stringify(known.fields)));
  const details = shortened(known.detail);
  return Object.assign(new Error(known.message), { code: known.rule.grpcStatus, details, metadata });
}

/** Details travel as a header, percent-encoded, and a peer drops the connection for a header block that is too large. */
function shortened(detail: string): string {
  if (detail.length <= DETAIL_LENGTH_MAX) return detail;
  return `${detail.slice(0, DETAIL_LENGTH_MAX).replace(/[\uD800-\uDBFF]$/, '')}...`;
}

/**
 * The error behind a failed call. A call that failed without our code (the connection broke, a proxy answered) is
 * `unknown`, except for a status that says the server never ran the handler.
 */
export function fromServiceError(error: ServiceError): RingraftError {
  const metadata = error.metadata as Metadata | undefined;
  const code = metadata?.get(CODE_KEY)[0];
  if (typeof code === 'string' && isErrorCode(code)) {
    return new RingraftError(code, error.details, readFields(metadata?.get(FIELDS_KEY)[0]), {
      outcome: readOutcome(metadata?.get(OUTCOME_KEY)[0]),
      cause: error,
    });
  }
  return new RingraftError(codeOfStatus(error.code), error.details || error.message, {}, { cause: error });
}

function codeOfStatus(grpcStatus: status): ErrorCode {
  switch (grpcStatus) {
    case status.INVALID_ARGUMENT:
      return 'INVALID_REQUEST';
    case status.UNIMPLEMENTED:
      return 'UNSUPPORTED';
    default:
      return 'OUTCOME_UNKNOWN';
  }
}

function readOutcome(value: string | Buffer | undefined): OperationOutcome | undefined {
  return value === 'applied' || value === 'not_applied' || value === 'unknown' ? value : undefined;
}

function readFields(value: string | Buffer | undefined): ErrorFields {
  if (!Buffer.isBuffer(value)) return {};
  try {
    const fields: unknown = JSON.parse(value.toString());
    return typeof fields === 'object' && fields !== null ? (fields as ErrorFields) : {};
  } catch {
    return {};
  }
}
