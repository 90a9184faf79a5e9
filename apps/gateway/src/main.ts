import 'reflect-metadata';
import {
  VERSION,
  configOrExit,
  createLog,
  exitOnFatalErrors,
  exitWithParent,
  parseHostPort,
  stopOnSignals,
} from '@app/platform';
import { createGateway } from './gateway-app.js';
import { GatewayConfig } from './gateway.config.js';

const config = configOrExit(GatewayConfig, {
  name: 'gateway',
  describe: 'The HTTP front of the clusters.',
  version: VERSION,
});
const log = createLog({ level: config.logLevel, fields: { process: 'gateway' } });
exitOnFatalErrors(log);

// Not awaited at the top level, which a bundle in CommonJS cannot do.
void run();

async function run(): Promise<void> {
  const app = await createGateway(config, log, VERSION);
  stopOnSignals(app, log, config.shutdownTimeoutMs);
  if (config.exitWithParent) exitWithParent();

  const { host, port } = parseHostPort(config.listen);
  try {
    await app.listen({ host, port });
  } catch (error) {
    log.fatal({ address: config.listen, err: error }, 'cannot listen');
    process.exit(1);
  }
  log.info({ address: await app.getUrl() }, 'listening');
}
