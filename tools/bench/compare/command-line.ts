import { Command, InvalidArgumentError, type OutputConfiguration } from 'commander';
import { listOf, wholeNumber } from '../../argument-parsers.js';
import { KEY_CHOICES, type KeyChoice, WORKS, type Work } from './load.js';
import { SUITES, type Suite } from './suites.js';

export interface BenchCommand {
  readonly suite: readonly Suite[];
  readonly targets: readonly string[];
  readonly turns: number;
  readonly seconds: number;
  readonly warmUp: number;
  readonly work: readonly Work[];
  readonly connections: readonly number[];
  readonly valueBytes: readonly number[];
  readonly keys: readonly KeyChoice[];
  readonly kills: number;
  readonly minutes: number;
  readonly count: number;
  readonly dataDir: string;
  readonly out: string;
}

const OTHER_TARGETS = ['etcd', 'redis', 'echo'];
const CONNECTIONS_MAX = 1_000;
const VALUE_BYTES_MAX = 1024 * 1024;

/** The flags of `npm run bench --`. For `--help` and for what is wrong it prints and throws a `CommanderError`. */
export function parseCommandLine(argv: readonly string[], output: OutputConfiguration = {}): BenchCommand {
  const command = new Command('npm run bench --')
    .description(
      'Starts Ringraft and, where they are installed, etcd, Redis and a bare HTTP echo, asks them the same in turns (A B A B ...) and ' +
        'prints ratios with their spread next to absolute figures. Needs wrk; Debian has it as wrk, the others as etcd-server and redis-server.',
    )
    .option('--suite <names>', `with commas between: ${SUITES.join(', ')}`, listOf(SUITES), ['load'])
    .option(
      '--targets <names>',
      `of the load: ringraft-CxN (C clusters of N nodes), ${OTHER_TARGETS.join(', ')}`,
      targets,
      ['ringraft-1x3', 'ringraft-3x3', ...OTHER_TARGETS],
    )
    .option('--turns <count>', 'how often each is asked', wholeNumber(1, 100), 5)
    .option('--seconds <count>', 'of each turn', wholeNumber(1, 3_600), 3)
    .option(
      '--warm-up <seconds>',
      'of load before the first turn of each system with a kind of work',
      wholeNumber(1, 3_600),
      60,
    )
    .option('--work <names>', `of the load: ${WORKS.join(', ')} (95 reads to 5 writes)`, listOf(WORKS), [...WORKS])
    .option('--connections <counts>', 'of the load', listOfNumbers(1, CONNECTIONS_MAX), [1, 16, 64, 256])
    .option('--value-bytes <counts>', 'of the load', listOfNumbers(1, VALUE_BYTES_MAX), [128])
    .option('--keys <names>', `of the load: ${KEY_CHOICES.join(', ')}`, listOf(KEY_CHOICES), ['uniform'])
    .option('--kills <count>', 'of a leader, to measure failover', wholeNumber(1, 1_000), 50)
    .option('--minutes <count>', 'of load, to look for slow requests', wholeNumber(1, 600), 5)
    .option('--count <keys>', 'with which memory and recovery are measured', wholeNumber(1_000, 10_000_000), 1_000_000)
    .option('--data-dir <path>', 'a directory in it holds all data, and is removed', 'test-results')
    .option('--out <file>', 'where the results go as JSON', 'test-results/bench.json')
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput(output)
    .showHelpAfterError('(--help lists all options)');
  command.parse([...argv], { from: 'user' });
  return command.opts<BenchCommand>();
}

function targets(text: string): string[] {
  const names = text.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !OTHER_TARGETS.includes(name) && !/^ringraft-[1-9]x[1-9]$/.test(name));
  if (unknown !== undefined) {
    throw new InvalidArgumentError(`"${unknown}" is neither ringraft-CxN nor ${OTHER_TARGETS.join(', ')}.`);
  }
  return names;
}

function listOfNumbers(least: number, most: number): (text: string) => number[] {
  return (text) => text.split(',').map((part) => wholeNumber(least, most)(part.trim()));
}
