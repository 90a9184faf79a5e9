import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import {
  NestLog,
  VERSION,
  configOrExit,
  createLog,
  exitOnFatalErrors,
  exitWithParent,
  parseHostPort,
  stopOnSignals,
} from '@app/platform';
import { grpcServerOptions } from './grpc-server.js';
import { RaftNodeConfig } from './raft-node.config.js';
import { RaftNodeModule } from './raft-node.module.js';

const config = configOrExit(RaftNodeConfig, {
  name: 'raft-node',
  describe: 'One node of a Ringraft cluster: a Raft member with its log and its state machine.',
  version: VERSION,
});
const log = createLog({ level: config.logLevel, fields: { cluster: config.clusterId, node: config.nodeId } });
exitOnFatalErrors(log);

function fatal(error: unknown): void {
  log.fatal({ err: error }, 'the node stops for good');
  process.exit(1);
}

try {
  const app = await NestFactory.create<NestFastifyApplication>(
    RaftNodeModule.forConfig(config, log, fatal),
    new FastifyAdapter({ forceCloseConnections: true }),
    { logger: new NestLog(log), abortOnError: false },
  );
  app.connectMicroservice(grpcServerOptions(config.listen));
  stopOnSignals(app, log, config.shutdownTimeoutMs);
  if (config.exitWithParent) exitWithParent();

  await app.startAllMicroservices();
  await app.listen(parseHostPort(config.opsListen));
  log.info({ listen: config.listen, opsListen: config.opsListen, version: VERSION }, 'node started');
} catch (error) {
  fatal(error);
}
