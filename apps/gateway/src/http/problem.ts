import { type RingraftError } from '@app/rpc';
import type { Problem } from './dto/problem.dto.js';
import type { HttpReply } from './http-types.js';

export const PROBLEM_TYPE = 'application/problem+json';

/**
 * The RFC 9457 form of an error. `requestId` is there unless the request was none; `status` is given where HTTP has a more exact one than the
 * error table.
 */
export function problemOf(
  error: RingraftError,
  requestId: string | undefined,
  status: number = error.rule.httpStatus,
): Problem {
  const { limit, actual, revision, errors } = error.fields;
  return {
    type: `urn:ringraft:error:${error.code}`,
    title: error.rule.title,
    status,
    detail: error.detail,
    code: error.code,
    retryable: error.rule.retryable && error.outcome === 'not_applied',
    outcome: error.outcome,
    ...(requestId !== undefined && { request_id: requestId }),
    ...(limit !== undefined && { limit }),
    ...(actual !== undefined && { actual }),
    ...(revision !== undefined && { revision }),
    ...(errors !== undefined && { errors: [...errors] }),
  };
}

export function sendProblem(reply: HttpReply, error: RingraftError, requestId: string): void {
  const problem = problemOf(error, requestId);
  if (problem.retryable) reply.header('Retry-After', '1');
  reply.code(problem.status).header('Content-Type', PROBLEM_TYPE).send(jsonBytes(problem));
}

/** As bytes, because Fastify adds a charset to the Content-Type of JSON text, and JSON has none (RFC 8259, section 11). */
export function jsonBytes(body: object): Buffer {
  return Buffer.from(JSON.stringify(body));
}
