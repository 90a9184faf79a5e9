import { Inject, Injectable } from '@nestjs/common';
import { LOG, LogBudget, type Log } from '@app/platform';
import type { LogIndex } from '@app/raft';
import type { ErrorCode } from '@app/rpc';

/** Operations that take longer are logged as slow. */
const SLOW_MS = 500;

const LINES_PER_SECOND_MAX = 50;

/** Refusals that are part of the way to the leader, and of every failover. */
const USUAL: readonly string[] = ['NOT_LEADER', 'NO_LEADER', 'SHUTTING_DOWN', 'OVERLOADED', 'STORAGE_FULL'];

/** How an operation ended: where its entry is in the log, or up to which entry a read has seen the state; or why it was not carried out. */
export interface OperationEnd {
  readonly index?: LogIndex | undefined;
  readonly code?: ErrorCode | undefined;
}

/** The operations that carry the id of a request: at the level `debug` all of them, else those that failed or took long. */
@Injectable()
export class OperationLog {
  private readonly budget = new LogBudget(LINES_PER_SECOND_MAX);

  constructor(@Inject(LOG) private readonly log: Log) {}

  ended(requestId: string, kind: string, startedMs: number, { index, code }: OperationEnd): void {
    const nowMs = performance.now();
    const durationMs = Math.round((nowMs - startedMs) * 10) / 10;
    const isSlow = durationMs >= SLOW_MS;
    const hasFailed = code !== undefined && !USUAL.includes(code);
    const fields = {
      requestId,
      kind,
      ...(index !== undefined && { index }),
      ...(code !== undefined && { code }),
      durationMs,
    };
    if (!isSlow && !hasFailed) {
      this.log.debug(fields, 'operation ended');
      return;
    }
    const leftOut = this.budget.spend(nowMs);
    if (leftOut === undefined) return;
    this.log.warn({ ...fields, ...(leftOut > 0 && { leftOut }) }, hasFailed ? 'operation failed' : 'slow operation');
  }
}
