import { Command, InvalidArgumentError, Option, type OutputConfiguration } from 'commander';
import { wholeNumber } from '../argument-parsers.js';

export interface RunOptions {
  readonly ticks?: number;
  readonly nodes?: number;
  readonly faults?: readonly string[];
}

/** What one run leaves beside its summary. */
interface Shown {
  readonly trace: boolean;
  readonly history?: string;
}

export type SimCommand =
  | (RunOptions & Shown & { readonly mode: 'seed'; readonly seed: number; readonly out: string })
  | (Shown & { readonly mode: 'scenario'; readonly scenario: string })
  | (RunOptions & {
      readonly mode: 'seeds';
      readonly from: number;
      readonly seeds: number;
      readonly workers: number;
      readonly failures: number;
      readonly out: string;
    })
  | { readonly mode: 'check'; readonly check: string; readonly model: string };

export interface CommandLineDefaults {
  readonly out: string;
  readonly workers: number;
  readonly faultKinds: readonly string[];
  /** The first is the default. */
  readonly models: readonly string[];
}

const SEED_MAX = 2 ** 31 - 1;

interface Flags extends RunOptions {
  readonly seed?: number;
  readonly seeds?: number;
  readonly from: number;
  readonly workers: number;
  readonly failures: number;
  readonly scenario?: string;
  readonly trace: boolean;
  readonly history?: string;
  readonly out: string;
  readonly check?: string;
  readonly model: string;
}

const MODES = ['seed', 'seeds', 'scenario', 'check'] as const;
/** With which of them a flag goes; the modes' own flags go alone. */
const GOES_WITH: Readonly<Record<Exclude<keyof Flags, (typeof MODES)[number]>, readonly (typeof MODES)[number][]>> = {
  from: ['seeds'],
  workers: ['seeds'],
  failures: ['seeds'],
  ticks: ['seed', 'seeds'],
  nodes: ['seed', 'seeds'],
  faults: ['seed', 'seeds'],
  trace: ['seed', 'scenario'],
  history: ['seed', 'scenario'],
  out: ['seed', 'seeds'],
  model: ['check'],
};

/**
 * The flags of `npm run sim --`. For `--help` and for what is wrong it prints and throws a `CommanderError`; its exit code is 0 only
 * for the former.
 */
export function parseCommandLine(
  argv: readonly string[],
  defaults: CommandLineDefaults,
  output: OutputConfiguration = {},
): SimCommand {
  const command: Command = new Command('npm run sim --')
    .description(
      'Runs whole Raft clusters in one process, breaks everything around them, and checks what must hold after every step. ' +
        'The same seed gives the same run, bit for bit.',
    )
    .option('--seed <seed>', 'run this one', wholeNumber(0, SEED_MAX))
    .option('--seeds <count>', 'run so many, on all cores', wholeNumber(1, SEED_MAX))
    .option('--scenario <file>', 'run a stored fault script')
    .addOption(
      new Option('--from <seed>', 'with --seeds: the first one').argParser(wholeNumber(0, SEED_MAX)).default(1),
    )
    .addOption(
      new Option('--workers <count>', 'with --seeds: processes')
        .argParser(wholeNumber(1, 256))
        .default(defaults.workers),
    )
    .addOption(
      new Option('--failures <count>', 'with --seeds: stop after so many that failed')
        .argParser(wholeNumber(1, SEED_MAX))
        .default(10),
    )
    .option('--ticks <count>', 'how long a run lasts, in ticks of a right clock', wholeNumber(1, 10_000_000))
    .option('--nodes <count>', 'nodes that the cluster starts with', wholeNumber(1, 9))
    .option(
      '--faults <kinds>',
      `only these, with commas between, or none: ${defaults.faultKinds.join(', ')}`,
      faultList(defaults.faultKinds),
    )
    .option('--trace', 'print what happens, line by line', false)
    .option('--history <file>', 'write what the clients saw, as JSON lines')
    .option('--out <dir>', 'where the shrunk script of a failure goes', defaults.out)
    .option('--check <file>', 'run nothing; say whether a history, as JSON lines, is linearizable')
    .addOption(
      new Option('--model <name>', 'with --check: what a key is').choices(defaults.models).default(defaults.models[0]),
    )
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput(output)
    .showHelpAfterError('(--help lists all options)');
  command.parse([...argv], { from: 'user' });
  const flags = command.opts<Flags>();
  const modes = MODES.filter((name) => flags[name] !== undefined);
  const [mode] = modes;
  if (mode === undefined) {
    command.error('error: say what to run: --seed <seed>, --seeds <count>, --scenario <file> or --check <file>');
  }
  if (modes.length > 1) command.error(`error: --${modes.join(' and --')} exclude each other`);
  for (const [name, allowed] of Object.entries(GOES_WITH)) {
    if (command.getOptionValueSource(name) !== 'cli' || allowed.includes(mode)) continue;
    command.error(`error: --${name} does not go with --${mode}`);
  }
  const { ticks, nodes, faults, out, trace, history } = flags;
  switch (mode) {
    case 'seed':
      return { mode, ticks, nodes, faults, out, seed: flags.seed!, trace, history };
    case 'scenario':
      return { mode, scenario: flags.scenario!, trace, history };
    case 'check':
      return { mode, check: flags.check!, model: flags.model };
    case 'seeds': {
      const { from, workers, failures } = flags;
      if (from + flags.seeds! - 1 > SEED_MAX) command.error(`error: the highest seed is ${SEED_MAX}`);
      return { mode, ticks, nodes, faults, out, from, seeds: flags.seeds!, workers, failures };
    }
  }
}

function faultList(kinds: readonly string[]): (text: string) => readonly string[] {
  return (text) => {
    if (text === 'none') return [];
    const faults = text.split(',').map((kind) => kind.trim());
    const unknown = faults.find((kind) => !kinds.includes(kind));
    if (unknown !== undefined) {
      throw new InvalidArgumentError(`"${unknown}" is no fault; there are ${kinds.join(', ')}, or none.`);
    }
    return faults;
  };
}
