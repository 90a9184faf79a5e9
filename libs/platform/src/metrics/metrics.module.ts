import { Controller, type DynamicModule, Get, Header, Injectable, Module, type OnModuleInit } from '@nestjs/common';
import { collectDefaultMetrics, Registry } from 'prom-client';

/** `GET /metrics` in the text format of Prometheus. */
@Controller('metrics')
export class MetricsController {
  constructor(private readonly registry: Registry) {}

  @Get()
  @Header('Content-Type', Registry.PROMETHEUS_CONTENT_TYPE)
  @Header('Cache-Control', 'no-store')
  metrics(): Promise<string> {
    return this.registry.metrics();
  }
}

/** CPU, memory, file descriptors, garbage collection and event loop lag of this process, as `ringraft_process_*` and `ringraft_nodejs_*`. */
@Injectable()
export class ProcessMetrics implements OnModuleInit {
  constructor(private readonly registry: Registry) {}

  onModuleInit(): void {
    collectDefaultMetrics({ register: this.registry, prefix: 'ringraft_' });
  }
}

/**
 * The process's one `Registry` of prom-client, for every module to register its metrics in, and `GET /metrics`.
 * Names begin with `ringraft_` and end in `_seconds`, `_bytes` or `_total` where they count those.
 */
@Module({})
export class MetricsModule {
  /** `labels` stand on every sample: `{ node: 'c1-n1', cluster: 'c1' }`. */
  static forRoot(labels: Readonly<Record<string, string>> = {}): DynamicModule {
    return {
      module: MetricsModule,
      global: true,
      controllers: [MetricsController],
      providers: [
        ProcessMetrics,
        {
          provide: Registry,
          useFactory: () => {
            const registry = new Registry();
            registry.setDefaultLabels(labels);
            return registry;
          },
        },
      ],
      exports: [Registry],
    };
  }
}
