import type { OperationOutcome } from '@app/rpc';
import type { GatewayAnswer } from './gateway-answer.js';

/** What a gateway says went wrong (RFC 9457). */
export interface Problem {
  readonly code: string;
  readonly detail: string;
  readonly outcome: OperationOutcome;
  readonly retryable: boolean;
  /** The revision of the key now. */
  readonly revision?: string;
}

/** Undefined for an answer of somebody who is no gateway, such as a proxy on the way. */
export function readProblem({ headers, body }: Pick<GatewayAnswer, 'headers' | 'body'>): Problem | undefined {
  if (!headers['content-type']?.startsWith('application/problem+json')) return undefined;
  try {
    const problem = JSON.parse(body.toString()) as Partial<Problem> | null;
    const { code, detail, outcome = 'unknown', retryable = false, revision } = problem ?? {};
    if (typeof code !== 'string' || typeof detail !== 'string') return undefined;
    return { code, detail, outcome, retryable, ...(revision !== undefined && { revision }) };
  } catch {
    return undefined;
  }
}
