import { ERROR_TABLE, type RingraftError } from '@app/rpc';
import type { HttpReply } from './http-types.js';
import { jsonBytes } from './problem.js';

export const CLASSIC_PATH = '/request';

/** The codes of the classic interface; everything else is told by the one of them with the same HTTP status. */
const CLASSIC_CODES: readonly string[] = [
  'INVALID_REQUEST',
  'VALUE_TOO_LARGE',
  'COULD_NOT_FIND_VALID_CLUSTER',
  'INVALID_LEADER',
  'OUTCOME_UNKNOWN',
  'STORAGE_FULL',
];

export function sendClassic(reply: HttpReply, status: number, response: string, errorCode: string): void {
  reply
    .code(status)
    .header('Content-Type', 'application/json')
    .send(jsonBytes({ response, error_code: errorCode }));
}

export function sendClassicError(reply: HttpReply, error: RingraftError): void {
  const { httpStatus } = ERROR_TABLE[error.code];
  if (CLASSIC_CODES.includes(error.code)) return sendClassic(reply, httpStatus, '', error.code);
  if (error.outcome === 'unknown') return sendClassic(reply, 504, '', 'OUTCOME_UNKNOWN');
  if (httpStatus >= 500) return sendClassic(reply, 503, '', 'INVALID_LEADER');
  // 404 and 405: the path is right, so it is the method that is not.
  return sendClassic(reply, httpStatus === 405 ? 405 : 400, '', 'INVALID_REQUEST');
}
