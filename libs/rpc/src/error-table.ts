import { status } from '@grpc/grpc-js';

/**
 * Whether an operation took effect: `not_applied` is a promise that it did not and never will, `unknown` that nobody
 * who can be asked knows.
 */
export type OperationOutcome = 'applied' | 'not_applied' | 'unknown';

export interface ErrorRule {
  readonly grpcStatus: status;
  readonly httpStatus: number;
  /** The same request, sent again, may succeed and cannot be applied twice. */
  readonly retryable: boolean;
  readonly outcome: OperationOutcome;
  /** A short name for people; the same for every occurrence (RFC 9457 `title`). */
  readonly title: string;
  /** What it means and what the caller can do. */
  readonly meaning: string;
}

/**
 * Every error that leaves a node or a gateway. The gRPC status, the HTTP status, whether to retry and the error pages
 * of the documentation are all read from here. HTTP: 503 is always `not_applied`, 504 always `unknown`.
 */
const TABLE = {
  INVALID_REQUEST: {
    grpcStatus: status.INVALID_ARGUMENT,
    httpStatus: 400,
    retryable: false,
    outcome: 'not_applied',
    title: 'Invalid request',
    meaning: 'The request is malformed. The answer names each field and why.',
  },
  KEY_EMPTY: {
    grpcStatus: status.INVALID_ARGUMENT,
    httpStatus: 400,
    retryable: false,
    outcome: 'not_applied',
    title: 'Empty key',
    meaning: 'A key has at least one byte.',
  },
  KEY_TOO_LONG: {
    grpcStatus: status.INVALID_ARGUMENT,
    httpStatus: 400,
    retryable: false,
    outcome: 'not_applied',
    title: 'Key too long',
    meaning: 'The key has more bytes than GET /v1/limits allows.',
  },
  NOT_FOUND: {
    grpcStatus: status.NOT_FOUND,
    httpStatus: 404,
    retryable: false,
    outcome: 'not_applied',
    title: 'Key not found',
    meaning: 'No value is stored under this key.',
  },
  ROUTE_NOT_FOUND: {
    grpcStatus: status.UNIMPLEMENTED,
    httpStatus: 404,
    retryable: false,
    outcome: 'not_applied',
    title: 'No such route',
    meaning: 'There is no such path. GET /openapi.json lists them all.',
  },
  METHOD_NOT_ALLOWED: {
    grpcStatus: status.UNIMPLEMENTED,
    httpStatus: 405,
    retryable: false,
    outcome: 'not_applied',
    title: 'Method not allowed',
    meaning: 'The path exists, but not with this method. The Allow header lists its methods.',
  },
  SESSION_EXPIRED: {
    grpcStatus: status.FAILED_PRECONDITION,
    httpStatus: 409,
    retryable: false,
    outcome: 'not_applied',
    title: 'Session expired',
    meaning:
      'The cluster no longer knows the session of this write. This attempt was not applied; an earlier one may have been. Open a new session.',
  },
  SEQUENCE_FORGOTTEN: {
    grpcStatus: status.FAILED_PRECONDITION,
    httpStatus: 409,
    retryable: false,
    outcome: 'unknown',
    title: 'Sequence forgotten',
    meaning:
      'The client has acknowledged this sequence before, so its answer is gone. It is not applied now; it may have been earlier.',
  },
  PRECONDITION_FAILED: {
    grpcStatus: status.FAILED_PRECONDITION,
    httpStatus: 412,
    retryable: false,
    outcome: 'not_applied',
    title: 'Condition failed',
    meaning: 'The key is not in the state that the request demands. Read it and decide again.',
  },
  VALUE_TOO_LARGE: {
    grpcStatus: status.INVALID_ARGUMENT,
    httpStatus: 413,
    retryable: false,
    outcome: 'not_applied',
    title: 'Value too large',
    meaning: 'The value has more bytes than GET /v1/limits allows.',
  },
  UNSUPPORTED_MEDIA_TYPE: {
    grpcStatus: status.INVALID_ARGUMENT,
    httpStatus: 415,
    retryable: false,
    outcome: 'not_applied',
    title: 'Unsupported media type',
    meaning: 'This route does not read a body of this Content-Type or Content-Encoding.',
  },
  WOULD_LOSE_QUORUM: {
    grpcStatus: status.FAILED_PRECONDITION,
    httpStatus: 409,
    retryable: false,
    outcome: 'not_applied',
    title: 'Would lose the quorum',
    meaning:
      'After this change of the membership no majority of the voters would be within reach. The answer says who is missing and what to do instead.',
  },
  WRONG_CLUSTER: {
    grpcStatus: status.FAILED_PRECONDITION,
    httpStatus: 421,
    retryable: true,
    outcome: 'not_applied',
    title: 'Wrong cluster',
    meaning:
      'The node that was asked belongs to another cluster, or another cluster owns the key: placement or address is stale.',
  },
  NOT_AN_INTEGER: {
    grpcStatus: status.FAILED_PRECONDITION,
    httpStatus: 422,
    retryable: false,
    outcome: 'not_applied',
    title: 'Not an integer',
    meaning: 'The stored value is no decimal integer of 64 bits, so it cannot be counted.',
  },
  OVERFLOW: {
    grpcStatus: status.OUT_OF_RANGE,
    httpStatus: 422,
    retryable: false,
    outcome: 'not_applied',
    title: 'Counter out of range',
    meaning: 'The sum would leave the range of 64-bit integers, so the counter was left as it is.',
  },
  TOO_MANY_REQUESTS: {
    grpcStatus: status.RESOURCE_EXHAUSTED,
    httpStatus: 429,
    retryable: true,
    outcome: 'not_applied',
    title: 'Too many requests',
    meaning: 'This client is over its share. Retry-After says when to come back.',
  },
  INTERNAL: {
    grpcStatus: status.INTERNAL,
    httpStatus: 500,
    retryable: false,
    outcome: 'unknown',
    title: 'Internal error',
    meaning: 'A defect. The log of the process has the details.',
  },
  UNSUPPORTED: {
    grpcStatus: status.UNIMPLEMENTED,
    httpStatus: 501,
    retryable: false,
    outcome: 'not_applied',
    title: 'Not supported',
    meaning: 'The node does not know this operation or this version of its encoding. Upgrade it.',
  },
  COULD_NOT_FIND_VALID_CLUSTER: {
    grpcStatus: status.UNAVAILABLE,
    httpStatus: 503,
    retryable: true,
    outcome: 'not_applied',
    title: 'No cluster owns the key',
    meaning: 'The placement gives the slot of this key to no cluster that is configured.',
  },
  INVALID_LEADER: {
    grpcStatus: status.UNAVAILABLE,
    httpStatus: 503,
    retryable: true,
    outcome: 'not_applied',
    title: 'No leader within the deadline',
    meaning: 'No node of the cluster took the operation as its leader before the deadline. It was surely not applied.',
  },
  NOT_LEADER: {
    grpcStatus: status.FAILED_PRECONDITION,
    httpStatus: 503,
    retryable: true,
    outcome: 'not_applied',
    title: 'Not the leader',
    meaning: 'The node is not the leader of its cluster; the answer names the leader when it is known.',
  },
  NO_LEADER: {
    grpcStatus: status.UNAVAILABLE,
    httpStatus: 503,
    retryable: true,
    outcome: 'not_applied',
    title: 'No leader',
    meaning: 'The cluster has no leader at the moment. An election normally ends within a second.',
  },
  NODE_UNREACHABLE: {
    grpcStatus: status.UNAVAILABLE,
    httpStatus: 503,
    retryable: true,
    outcome: 'not_applied',
    title: 'Node unreachable',
    meaning: 'There is no connection to the node, so the operation was never sent.',
  },
  TIMED_OUT: {
    grpcStatus: status.DEADLINE_EXCEEDED,
    httpStatus: 503,
    retryable: true,
    outcome: 'not_applied',
    title: 'Timed out, not applied',
    meaning: 'The deadline passed before the operation was proposed, or the operation was a read.',
  },
  OVERLOADED: {
    grpcStatus: status.RESOURCE_EXHAUSTED,
    httpStatus: 503,
    retryable: true,
    outcome: 'not_applied',
    title: 'Overloaded',
    meaning: 'A queue on the way is full, so the operation was refused at once. Back off and try again.',
  },
  SESSION_FULL: {
    grpcStatus: status.RESOURCE_EXHAUSTED,
    httpStatus: 503,
    retryable: true,
    outcome: 'not_applied',
    title: 'Session full',
    meaning: 'The cluster keeps as many sessions, or as many unacknowledged answers of this session, as it may.',
  },
  SHUTTING_DOWN: {
    grpcStatus: status.UNAVAILABLE,
    httpStatus: 503,
    retryable: true,
    outcome: 'not_applied',
    title: 'Shutting down',
    meaning: 'The process is stopping and takes no new work. Ask another one.',
  },
  QUARANTINED: {
    grpcStatus: status.UNAVAILABLE,
    httpStatus: 503,
    retryable: true,
    outcome: 'not_applied',
    title: 'Node quarantined',
    meaning: 'The state of this node differs from that of the other members, so it answers no client. Ask another one.',
  },
  OUTCOME_UNKNOWN: {
    grpcStatus: status.DEADLINE_EXCEEDED,
    httpStatus: 504,
    retryable: false,
    outcome: 'unknown',
    title: 'Outcome unknown',
    meaning: 'The operation was sent, and no answer came back in time. It may or may not have been applied.',
  },
  STORAGE_FULL: {
    grpcStatus: status.RESOURCE_EXHAUSTED,
    httpStatus: 507,
    retryable: false,
    outcome: 'not_applied',
    title: 'Storage full',
    meaning: 'The cluster has no room for this write. Free or add space first.',
  },
} as const satisfies Record<string, ErrorRule>;

export type ErrorCode = keyof typeof TABLE;

export const ERROR_TABLE: Readonly<Record<ErrorCode, ErrorRule>> = TABLE;

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(TABLE, text);
}
