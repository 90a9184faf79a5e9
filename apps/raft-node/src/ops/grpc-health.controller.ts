import { Controller, UseFilters, type OnModuleDestroy } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import { NEVER, Subject, concat, distinctUntilChanged, map, of, takeUntil, timer, type Observable } from 'rxjs';
import { Health } from '@app/platform';
import { RingraftError, ServingStatus, type HealthCheckRequest, type HealthCheckResponse } from '@app/rpc';
import { SERVICE_NAMES } from '../grpc-server.js';
import { RpcErrorFilter } from '../rpc-error.filter.js';

/** What the standard health checking protocol may ask about here; the empty name stands for the whole server. */
const SERVICES: readonly string[] = ['', ...SERVICE_NAMES];
const WATCH_INTERVAL_MS = 250;

/** grpc.health.v1.Health: the same truth as `/readyz`. */
@Controller()
@UseFilters(RpcErrorFilter)
export class GrpcHealthController implements OnModuleDestroy {
  private readonly stopped = new Subject<void>();

  constructor(private readonly health: Health) {}

  @GrpcMethod('Health', 'Check')
  check({ service }: HealthCheckRequest): HealthCheckResponse {
    if (!SERVICES.includes(service)) throw new RingraftError('NOT_FOUND', `no service is called ${service}`);
    return { status: this.status() };
  }

  /** The status now and after each change, until the caller leaves or the node stops. */
  @GrpcMethod('Health', 'Watch')
  watch({ service }: HealthCheckRequest): Observable<HealthCheckResponse> {
    const statuses = SERVICES.includes(service)
      ? timer(0, WATCH_INTERVAL_MS).pipe(map(() => this.status()))
      : concat(of(ServingStatus.SERVICE_UNKNOWN), NEVER);
    return statuses.pipe(
      distinctUntilChanged(),
      map((status) => ({ status })),
      takeUntil(this.stopped),
    );
  }

  onModuleDestroy(): void {
    this.stopped.next();
  }

  private status(): ServingStatus {
    return this.health.isReady ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
  }
}
