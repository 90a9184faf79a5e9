import { loadPackage } from '@nestjs/common/utils/load-package.util.js';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import {
  NestLog,
  VERSION,
  createLog,
  exitOnFatalErrors,
  exitWithParent,
  parseHostPort,
  stopOnSignals,
} from '@app/platform';
import { Raft } from '@app/raft';
import { grpcServerOptions } from './grpc-server.js';
import type { NodeOptions } from './node-options.js';
import { RaftNodeConfig } from './raft-node.config.js';
import { RaftNodeModule } from './raft-node.module.js';

/**
 * Starts the node of this process, which ends with it: with code 0 after a graceful stop, with 1 when the node cannot start or must not go
 * on. Resolves when it listens.
 */
export async function startNode(config: RaftNodeConfig, options: NodeOptions = {}): Promise<void> {
  let raft: Raft | undefined;
  const log = createLog({
    level: config.logLevel,
    fields: { cluster: config.clusterId, node: config.nodeId },
    changing: () => (raft === undefined ? {} : { term: raft.status().term }),
  });
  exitOnFatalErrors(log);
  const fatal = (error: unknown): void => {
    log.fatal({ err: error }, 'the node stops for good');
    process.exit(1);
  };
  try {
    const app = await NestFactory.create<NestFastifyApplication>(
      RaftNodeModule.forConfig(config, log, fatal, options),
      new FastifyAdapter({ forceCloseConnections: true }),
      { logger: new NestLog(log), abortOnError: false },
    );
    raft = app.get(Raft);
    // Nest would look for them where a bundler does not see it: a bundle would load a second copy from node_modules.
    await loadPackage('@grpc/grpc-js', 'gRPC', () => import('@grpc/grpc-js'));
    await loadPackage('@grpc/proto-loader', 'gRPC', () => import('@grpc/proto-loader'));
    app.connectMicroservice(grpcServerOptions(config.listen));
    stopOnSignals(app, log, config.shutdownTimeoutMs);
    if (config.exitWithParent) exitWithParent();

    await app.startAllMicroservices();
    await app.listen(parseHostPort(config.opsListen));
    log.info({ listen: config.listen, opsListen: config.opsListen, version: VERSION }, 'node started');
  } catch (error) {
    fatal(error);
  }
}
