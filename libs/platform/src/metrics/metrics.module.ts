import {
  Controller,
  type DynamicModule,
  Get,
  Header,
  Injectable,
  Module,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { VERSION } from '../version.js';

/** How often the event loop is asked how late it is. What holds it up for longer is always seen. */
const LAG_INTERVAL_MS = 250;

const LAG_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

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
export class ProcessMetrics implements OnModuleInit, OnModuleDestroy {
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly registry: Registry) {}

  onModuleInit(): void {
    // Its timer wakes the process up: of the default, every 10 ms, an idle node would feel little but that.
    collectDefaultMetrics({
      register: this.registry,
      prefix: 'ringraft_',
      eventLoopMonitoringPrecision: LAG_INTERVAL_MS,
    });
    const registers = [this.registry];
    const lag = new Histogram({
      name: 'ringraft_event_loop_lag_seconds',
      help: 'How late a timer comes that is due four times a second',
      buckets: LAG_SECONDS,
      registers,
    });
    let dueMs = performance.now() + LAG_INTERVAL_MS;
    this.timer = setInterval(() => {
      const nowMs = performance.now();
      lag.observe(Math.max(0, nowMs - dueMs) / 1_000);
      dueMs = nowMs + LAG_INTERVAL_MS;
    }, LAG_INTERVAL_MS);
    this.timer.unref();
    new Gauge({
      name: 'ringraft_build_info',
      help: 'Always 1; the version of this process and of its Node.js are in the labels',
      labelNames: ['version', 'node_version'],
      registers,
    }).set({ version: VERSION, node_version: process.version }, 1);
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
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
