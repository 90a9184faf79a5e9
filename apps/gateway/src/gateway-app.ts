import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { NestLog, type Log } from '@app/platform';
import type { GatewayConfig } from './gateway.config.js';
import { GatewayModule } from './gateway.module.js';
import { serveApiDocumentation } from './http/api-documentation.js';
import { createHttpAdapter, watchRequests } from './http/http-adapter.js';
import { KvController } from './http/kv.controller.js';
import { LeaveTaking } from './http/leave-taking.js';
import { ProblemFilter } from './http/problem.filter.js';
import { RequestWatch } from './http/request-watch.js';
import { RouteTable } from './http/route-table.js';
import { GatewayMetrics } from './ops/gateway-metrics.js';
import { RequestLog } from './ops/request-log.js';

/** A whole gateway that does not listen yet. */
export async function createGateway(config: GatewayConfig, log: Log, version: string): Promise<NestFastifyApplication> {
  const routes = new RouteTable();
  const { adapter, directRoute } = createHttpAdapter(config, routes);
  const app = await NestFactory.create<NestFastifyApplication>(GatewayModule.forRoot(config, log), adapter, {
    logger: new NestLog(log),
    bodyParser: false,
  });
  const metrics = app.get(GatewayMetrics);
  const problems = new ProblemFilter(config, log, routes, metrics);
  const watch = new RequestWatch(metrics, app.get(RequestLog));
  const leaveTaking = app.get(LeaveTaking);
  app.useGlobalFilters(problems);
  watchRequests(adapter, watch);
  leaveTaking.announceOn(adapter);
  directRoute.open({ kv: app.get(KvController), problems, watch, leaveTaking, log });
  serveApiDocumentation(app, version);
  app.getHttpServer().maxConnections = config.connectionsMax;
  return app;
}
