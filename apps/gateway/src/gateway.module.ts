import { Module, type DynamicModule } from '@nestjs/common';
import { HealthModule, LoggingModule, MetricsModule, type Log } from '@app/platform';
import { GatewayConfig } from './gateway.config.js';
import { HttpModule } from './http/http.module.js';
import { OpsModule } from './ops/ops.module.js';
import { ClusterWatch } from './routing/cluster-watch.js';
import { RoutingModule } from './routing/routing.module.js';

@Module({})
class ConfigModule {
  static forRoot(config: GatewayConfig): DynamicModule {
    return {
      module: ConfigModule,
      global: true,
      providers: [{ provide: GatewayConfig, useValue: config }],
      exports: [GatewayConfig],
    };
  }
}

@Module({})
export class GatewayModule {
  static forRoot(config: GatewayConfig, log: Log): DynamicModule {
    return {
      module: GatewayModule,
      imports: [
        ConfigModule.forRoot(config),
        LoggingModule.forRoot(log),
        MetricsModule.forRoot(),
        OpsModule,
        HealthModule.forRoot({ imports: [RoutingModule], readiness: [ClusterWatch] }),
        HttpModule,
      ],
    };
  }
}
