import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { CommandFailure } from '../command-failure.js';
import type { GatewayClient } from '../gateway/gateway-client.js';
import { Latencies } from './latencies.js';
import type { LoadResult } from './verdict.js';

/** Written by one client, one after the other: enough to reach all clusters, and few to take away again. */
const KEYS_PER_CLIENT = 8;
/** A key that could not be taken away goes by itself. */
const KEY_TTL = '10m';
/** Whoever is refused waits before the next try. */
const PAUSE_AFTER_ERROR_MS = 50;

export interface LoadOptions {
  readonly clients: number;
  readonly durationMs: number;
  readonly valueBytes: number;
  /** 0 to 100: how many of the operations are reads. */
  readonly readPercent: number;
  /** Of one operation. */
  readonly timeoutMs: number;
  /** Nobody else's keys begin with it. */
  readonly keyPrefix: string;
}

/**
 * So many clients, each with one operation at a time, for so long. Every key is written before it is read. `stop` ends it early; `onDone`
 * is told of each operation.
 */
export class Load {
  private readonly latencies = new Latencies();
  private readonly errors = new Map<string, number>();
  private beganAt = 0;

  constructor(
    private readonly gateway: GatewayClient,
    private readonly options: LoadOptions,
    private readonly stop: AbortSignal,
  ) {}

  /** So far. */
  get result(): LoadResult {
    const seconds = Math.max(0.001, (performance.now() - this.beganAt) / 1_000);
    const operations = this.latencies.count;
    return {
      seconds,
      operations,
      errors: Object.fromEntries(this.errors),
      throughput: operations / seconds,
      p50Ms: this.latencies.percentile(50),
      p99Ms: this.latencies.percentile(99),
      maxMs: this.latencies.max,
    };
  }

  async run(): Promise<LoadResult> {
    this.beganAt = performance.now();
    const endsAt = this.beganAt + this.options.durationMs;
    await Promise.all(Array.from({ length: this.options.clients }, (_, client) => this.client(client, endsAt)));
    return this.result;
  }

  /** Takes away what the load has written; never rejects. */
  async clean(): Promise<void> {
    const { clients, timeoutMs } = this.options;
    const deadline = performance.now() + timeoutMs;
    await Promise.all(
      Array.from({ length: clients }, async (_, client) => {
        for (let i = 0; i < KEYS_PER_CLIENT && performance.now() < deadline; i++) {
          const request = { method: 'DELETE', path: this.path(client, i), timeoutMs: 2_000 } as const;
          await this.gateway.request(request).catch(() => undefined);
        }
      }),
    );
  }

  private async client(client: number, endsAt: number): Promise<void> {
    const { valueBytes, readPercent, timeoutMs } = this.options;
    const value = randomBytes(valueBytes);
    for (let i = 0; performance.now() < endsAt && !this.stop.aborted; i++) {
      const path = this.path(client, i % KEYS_PER_CLIENT);
      const isRead = i >= KEYS_PER_CLIENT && (i * 37) % 100 < readPercent;
      const beganAt = performance.now();
      try {
        await this.gateway.expectSuccess(
          isRead
            ? { method: 'GET', path, timeoutMs }
            : { method: 'PUT', path: `${path}?ttl=${KEY_TTL}`, body: value, timeoutMs },
        );
        this.latencies.add(performance.now() - beganAt);
      } catch (error) {
        if (this.stop.aborted) return;
        const code = (error instanceof CommandFailure && error.code) || 'OTHER';
        this.errors.set(code, (this.errors.get(code) ?? 0) + 1);
        await delay(PAUSE_AFTER_ERROR_MS);
      }
    }
  }

  private path(client: number, i: number): string {
    return `/v1/kv/${this.options.keyPrefix}-${client}-${i}`;
  }
}
