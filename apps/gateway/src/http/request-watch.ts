import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { GatewayMetrics } from '../ops/gateway-metrics.js';
import type { RequestLog } from '../ops/request-log.js';
import { RequestTrace } from '../routing/request-trace.js';
import { givenId } from './request-ids.js';

/** What is counted and logged of a client that left before it was answered, or was cut off while it sent; nobody is sent it. */
const CLIENT_LEFT = 499;

/**
 * Counts and logs every request, also those that no handler saw, but for what waits behind another one on a connection that breaks: of
 * that nobody is told.
 */
export class RequestWatch {
  constructor(
    private readonly metrics: GatewayMetrics,
    private readonly log: RequestLog,
  ) {}

  /** Until its answer is sent, or its connection is gone. `route` is the pattern, never a key. */
  begun(
    requestId: string,
    method: string,
    route: string,
    headers: IncomingHttpHeaders,
    response: ServerResponse,
  ): RequestTrace {
    const beginMs = performance.now();
    const trace = new RequestTrace(requestId, this.log.isDetailed || givenId(headers) !== undefined);
    // Not `finish`, nor Fastify's hook `onResponse`: they do not come for a client that has left.
    response.once('close', () => this.ended(method, route, response, performance.now() - beginMs, trace));
    return trace;
  }

  private ended(
    method: string,
    route: string,
    response: ServerResponse,
    durationMs: number,
    trace: RequestTrace,
  ): void {
    const status = response.headersSent ? response.statusCode : CLIENT_LEFT;
    this.metrics.requestDuration.observe(
      { route: `${method} ${route}`, outcome: outcomeOf(status) },
      durationMs / 1_000,
    );
    this.log.ended({ method, route, status, durationMs }, trace);
  }
}

function outcomeOf(status: number): string {
  if (status < 400) return 'applied';
  if (status === CLIENT_LEFT) return 'unanswered';
  return status === 500 || status === 504 ? 'unknown' : 'not_applied';
}
