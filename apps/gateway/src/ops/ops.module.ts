import { Global, Module } from '@nestjs/common';
import { GatewayMetrics } from './gateway-metrics.js';

/** What the gateway tells about itself. Global: whoever does something may count it. */
@Global()
@Module({ providers: [GatewayMetrics], exports: [GatewayMetrics] })
export class OpsModule {}
