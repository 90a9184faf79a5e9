import { Inject, Injectable } from '@nestjs/common';
import { LOG, LogBudget, type Log } from '@app/platform';
import { GatewayConfig } from '../gateway.config.js';
import type { RequestTrace } from '../routing/request-trace.js';

/** Lines of failed and slow requests in a second: enough to see what is wrong, too few to make it worse. */
const LINES_PER_SECOND_MAX = 50;

export interface EndedRequest {
  readonly method: string;
  /** The pattern, never a key. */
  readonly route: string;
  readonly status: number;
  readonly durationMs: number;
}

/** Requests that failed or took long are logged, at the level `debug` all of them. Never a key, never a value. */
@Injectable()
export class RequestLog {
  private readonly budget = new LogBudget(LINES_PER_SECOND_MAX);
  /** Whether every request is logged, and followed to the nodes. */
  readonly isDetailed: boolean;

  constructor(
    private readonly config: GatewayConfig,
    @Inject(LOG) private readonly log: Log,
  ) {
    this.isDetailed = log.isLevelEnabled('debug');
  }

  ended(request: EndedRequest, trace: RequestTrace): void {
    const { status, durationMs } = request;
    const hasFailed = status >= 500;
    if (!hasFailed && durationMs < this.config.slowRequestMs) {
      if (this.isDetailed) this.log.debug(fieldsOf(request, trace), 'request ended');
      return;
    }
    const leftOut = this.budget.spend(performance.now());
    if (leftOut === undefined) return;
    const fields = { ...fieldsOf(request, trace), ...(leftOut > 0 && { leftOut }) };
    this.log.warn(fields, hasFailed ? 'request failed' : 'slow request');
  }
}

function fieldsOf({ durationMs, ...request }: EndedRequest, trace: RequestTrace): object {
  const { requestId, cluster, node, attempts, code, session } = trace;
  return {
    requestId,
    ...request,
    durationMs: Math.round(durationMs * 10) / 10,
    ...(code !== undefined && { code }),
    ...(cluster !== undefined && { cluster, node, attempts }),
    ...(session !== undefined && { clientId: session.clientId, sequence: session.sequence }),
  };
}
