import { Controller, UseFilters, type OnModuleDestroy } from '@nestjs/common';
import type { ServerWritableStream } from '@grpc/grpc-js';
import { GrpcMethod, GrpcStreamCall } from '@nestjs/microservices';
import { Health } from '@app/platform';
import { RingraftError, ServingStatus, type HealthCheckRequest, type HealthCheckResponse } from '@app/rpc';
import { RpcErrorFilter } from '../rpc-error.filter.js';

/** What the standard health checking protocol may ask about here; the empty name stands for the whole server. */
const SERVICES = ['', 'kv.v1.KeyValue', 'raft.v1.Election', 'raft.v1.Replication', 'admin.v1.Membership'];
const WATCH_INTERVAL_MS = 250;

type Watch = ServerWritableStream<HealthCheckRequest, HealthCheckResponse>;

/** grpc.health.v1.Health: the same truth as `/readyz`. */
@Controller()
@UseFilters(RpcErrorFilter)
export class GrpcHealthController implements OnModuleDestroy {
  private readonly timers = new Set<NodeJS.Timeout>();

  constructor(private readonly health: Health) {}

  @GrpcMethod('Health', 'Check')
  check({ service }: HealthCheckRequest): HealthCheckResponse {
    if (!SERVICES.includes(service)) throw new RingraftError('NOT_FOUND', `no service is called ${service}`);
    return { status: this.status() };
  }

  /** Sends the status now and whenever it changes, until the caller leaves. */
  @GrpcStreamCall('Health', 'Watch')
  watch(call: Watch): void {
    if (!SERVICES.includes(call.request.service)) {
      call.write({ status: ServingStatus.SERVICE_UNKNOWN });
      return;
    }
    let last: ServingStatus | undefined;
    const report = () => {
      const status = this.status();
      if (status !== last) call.write({ status });
      last = status;
    };
    report();
    const timer = setInterval(report, WATCH_INTERVAL_MS);
    this.timers.add(timer);
    const stop = () => {
      clearInterval(timer);
      this.timers.delete(timer);
    };
    call.on('cancelled', stop);
    call.on('error', stop);
  }

  onModuleDestroy(): void {
    for (const timer of this.timers) clearInterval(timer);
  }

  private status(): ServingStatus {
    return this.health.isReady ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
  }
}
