import { Global, Module } from '@nestjs/common';
import { GatewayMetrics } from './gateway-metrics.js';
import { RequestLog } from './request-log.js';

/** What the gateway tells about itself. Global: whoever does something may count it. */
@Global()
@Module({ providers: [GatewayMetrics, RequestLog], exports: [GatewayMetrics, RequestLog] })
export class OpsModule {}
