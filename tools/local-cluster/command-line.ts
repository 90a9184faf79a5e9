import { Command, Option, type OutputConfiguration } from 'commander';
import { wholeNumber } from '../argument-parsers.js';

export interface ClusterCommand {
  readonly clusters: number;
  readonly nodes: number;
  readonly gateways: number;
  readonly port: number;
  readonly grpcPort: number;
  readonly opsPort: number;
  readonly dataDir: string;
  readonly fresh: boolean;
  readonly logLevel: string;
}

/** Each process takes 100 MB or so; more than this on one machine is a mistake. */
const PROCESSES_MAX = 100;

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'];

/**
 * The flags of `npm start --`. For `--help`, `--version` and for what is wrong it prints and throws a `CommanderError`
 * with the exit code.
 */
export function parseCommandLine(
  argv: readonly string[],
  version: string,
  output: OutputConfiguration = {},
): ClusterCommand {
  const command = new Command('npm start --')
    .description('Starts a whole Ringraft system on this machine: raft-node processes in clusters, and gateways.')
    .version(version)
    .option('--clusters <count>', 'how many clusters', wholeNumber(1, PROCESSES_MAX), 3)
    .option('--nodes <count>', 'nodes per cluster; an odd number, as a majority must agree', wholeNumber(1, 9), 3)
    .option('--gateways <count>', 'how many gateways', wholeNumber(1, 10), 1)
    .option('--port <port>', 'HTTP port of the first gateway', port, 8080)
    .option('--grpc-port <port>', 'gRPC port of the first node; the others take the next ones', port, 7001)
    .option('--ops-port <port>', 'HTTP port of the first node, for health and metrics', port, 7101)
    .option('--data-dir <path>', 'where everything is kept, logs included', 'data')
    .option('--fresh', 'wipe the data directory first', false)
    .addOption(new Option('--log-level <level>', 'of all processes').choices(LOG_LEVELS).default('info'))
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput(output)
    .showHelpAfterError('(--help lists all options)');
  command.parse([...argv], { from: 'user' });
  const options = command.opts<ClusterCommand>();
  const { clusters, nodes, gateways } = options;
  if (clusters * nodes > PROCESSES_MAX) {
    command.error(`error: ${clusters} clusters of ${nodes} are ${clusters * nodes} nodes: at most ${PROCESSES_MAX}`);
  }
  const ranges = [
    { flag: '--port', first: options.port, count: gateways },
    { flag: '--grpc-port', first: options.grpcPort, count: clusters * nodes },
    { flag: '--ops-port', first: options.opsPort, count: clusters * nodes },
  ];
  for (const { flag, first, count } of ranges) {
    if (first + count > 65_536) command.error(`error: ${flag} ${first} leaves no room for ${count} ports`);
  }
  ranges.forEach((a, i) => {
    for (const b of ranges.slice(i + 1)) {
      if (a.first < b.first + b.count && b.first < a.first + a.count) {
        command.error(`error: ${a.flag} ${a.first} (${a.count} ports) and ${b.flag} ${b.first} (${b.count}) overlap`);
      }
    }
  });
  return options;
}

function port(text: string): number {
  return wholeNumber(1, 65_535)(text);
}
