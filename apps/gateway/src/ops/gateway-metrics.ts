import { Injectable } from '@nestjs/common';
import { Counter, Histogram, Registry } from 'prom-client';
import { ERROR_TABLE, type ErrorCode } from '@app/rpc';

const PREFIX = 'ringraft_gateway_';

/** What a gateway counts, beside what every process does. */
@Injectable()
export class GatewayMetrics {
  /** `route` is the pattern, never a key; `outcome` is applied, not_applied, unknown or unanswered (the client had left or was cut off). */
  readonly requestDuration: Histogram<'route' | 'outcome'>;
  readonly leaderCacheHits: Counter;
  readonly leaderCacheMisses: Counter;
  readonly leaderCacheStale: Counter;
  readonly retries: Counter;
  /** By the code of the error table. */
  readonly errors: Counter<'code'>;

  constructor(registry: Registry) {
    const counter = (name: string, help: string) =>
      new Counter({ name: `${PREFIX}${name}`, help, registers: [registry] });
    this.requestDuration = new Histogram({
      name: `${PREFIX}request_duration_seconds`,
      help: 'From the request to the end of its answer',
      labelNames: ['route', 'outcome'],
      buckets: [0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1, 2, 4, 8],
      registers: [registry],
    });
    this.leaderCacheHits = counter('leader_cache_hits_total', 'Attempts that were sent to a leader known before');
    this.leaderCacheMisses = counter('leader_cache_misses_total', 'Attempts for which no leader was known');
    this.leaderCacheStale = counter('leader_cache_stale_total', 'Leaders dropped because they did not answer as one');
    this.retries = counter('retries_total', 'Attempts beyond the first of their request');
    this.errors = new Counter({
      name: `${PREFIX}errors_total`,
      help: 'Requests that were answered with an error, by its code',
      labelNames: ['code'],
      registers: [registry],
    });
    // From 0 on: of a series that begins with its first error, nobody sees an increase.
    for (const code of Object.keys(ERROR_TABLE) as ErrorCode[]) this.errors.inc({ code }, 0);
  }
}
