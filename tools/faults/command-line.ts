import { Command, Option, type OutputConfiguration } from 'commander';
import { listOf, wholeNumber } from '../argument-parsers.js';

export interface FaultsCommand {
  readonly seconds: number;
  readonly workload: readonly string[];
  readonly nemesis: readonly string[];
  readonly seed: number;
  readonly clients: number;
  readonly out: string;
  readonly keep: boolean;
  /** Instead of the table: so many kills. */
  readonly crashCycles?: number;
  /** A kill takes with it what was not synced. */
  readonly powerLoss: boolean;
}

export interface Choices {
  readonly workloads: readonly string[];
  readonly nemeses: readonly string[];
  /** A new one each time, unless one is given. */
  readonly seed: number;
}

/** The flags of `npm run test:faults --`. For `--help` and for what is wrong it prints and throws a `CommanderError`. */
export function parseCommandLine(
  argv: readonly string[],
  { workloads, nemeses, seed }: Choices,
  output: OutputConfiguration = {},
): FaultsCommand {
  const command = new Command('npm run test:faults --')
    .description(
      'Runs a real system of three clusters and two gateways behind TCP proxies, breaks links, processes and disks while ' +
        'clients work, and checks what they were told. A seed gives the same decisions, not the same run.',
    )
    .option('--seconds <count>', 'how long each workload is attacked by each nemesis', wholeNumber(1, 3_600), 15)
    .option(
      '--workload <names>',
      `only these, with commas between: ${workloads.join(', ')}`,
      listOf(workloads),
      workloads,
    )
    .option('--nemesis <names>', `only these, with commas between: ${nemeses.join(', ')}`, listOf(nemeses), nemeses)
    .addOption(new Option('--seed <seed>', 'of all decisions').argParser(wholeNumber(0, 2 ** 31 - 1)).default(seed))
    .option('--clients <count>', 'clients that work at once', wholeNumber(1, 1_000), 48)
    .option('--out <dir>', 'where histories go', 'test-results/faults')
    .option('--keep', 'keep the data and the logs of all processes, and say where they are', false)
    .option(
      '--crash-cycles <count>',
      'instead: kill -9 a random node and start it again, so often, under load',
      wholeNumber(1, 1_000_000),
    )
    .option('--power-loss', 'with --crash-cycles: what a node has not synced is gone with it', false)
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput(output)
    .showHelpAfterError('(--help lists all options)');
  command.parse([...argv], { from: 'user' });
  return command.opts<FaultsCommand>();
}
