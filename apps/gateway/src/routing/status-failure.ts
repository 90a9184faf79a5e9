import { status, type ServiceError } from '@grpc/grpc-js';

/** Why a node did not answer, in words for an operator: grpc-js tells of its own inner steps instead. */
export function statusFailure({ code, details, message }: ServiceError, timeoutMs: number): string {
  if (code === status.DEADLINE_EXCEEDED) return `it did not answer within ${timeoutMs} ms`;
  if (code === status.UNAVAILABLE && details.includes('ECONNREFUSED')) return 'connection refused';
  return details || message;
}
