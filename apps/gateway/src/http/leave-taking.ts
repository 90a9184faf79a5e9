import { setTimeout as delay } from 'node:timers/promises';
import { Injectable, type BeforeApplicationShutdown, type OnModuleDestroy } from '@nestjs/common';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import { GatewayConfig } from '../gateway.config.js';

/**
 * The time between the wish to stop and the end of the server. `/readyz` says 503 from the first moment on; for `shutdownGraceMs` everything
 * is served all the same, for those who have not noticed yet, and each answer asks its client to leave the connection.
 */
@Injectable()
export class LeaveTaking implements OnModuleDestroy, BeforeApplicationShutdown {
  private isLeaving = false;

  constructor(private readonly config: GatewayConfig) {}

  /** Each answer asks its client to leave the connection. */
  get hasBegun(): boolean {
    return this.isLeaving;
  }

  onModuleDestroy(): void {
    this.isLeaving = true;
  }

  beforeApplicationShutdown(): Promise<void> {
    return delay(this.config.shutdownGraceMs);
  }

  announceOn(adapter: FastifyAdapter): void {
    adapter.getInstance().addHook('onSend', (_request, reply, _payload, done) => {
      if (this.hasBegun) reply.header('Connection', 'close');
      done();
    });
  }
}
