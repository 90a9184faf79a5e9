import { Command, type OutputConfiguration } from 'commander';
import { wholeNumber } from '../argument-parsers.js';

export interface MutantsCommand {
  readonly seeds: number;
  readonly control: number;
  readonly workers: number;
  readonly only?: readonly string[];
  readonly json?: string;
  readonly list: boolean;
}

/** The flags of `npm run sim:mutants --`; errors as in `tools/sim/command-line.ts`. */
export function parseCommandLine(
  argv: readonly string[],
  { names, workers }: { readonly names: readonly string[]; readonly workers: number },
  output: OutputConfiguration = {},
): MutantsCommand {
  const command = new Command('npm run sim:mutants --')
    .description(
      'Puts known bugs into a copy of the program, one at a time, and shows how many seeds it takes to find each.',
    )
    .option('--seeds <count>', 'give up on a bug after so many', wholeNumber(1, 1_000_000), 1000)
    .option(
      '--control <count>',
      'seeds of the program without a bug, which must all pass',
      wholeNumber(0, 1_000_000),
      200,
    )
    .option('--workers <count>', 'processes', wholeNumber(1, 256), workers)
    .option('--only <names>', 'just these, with commas between', (text) => text.split(',').map((name) => name.trim()))
    .option('--json <file>', 'write the result there as well')
    .option('--list', 'print the bugs and run nothing', false)
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput(output)
    .showHelpAfterError('(--help lists all options)');
  command.parse([...argv], { from: 'user' });
  const options = command.opts<MutantsCommand>();
  const unknown = options.only?.find((name) => !names.includes(name));
  if (unknown !== undefined) command.error(`error: no bug is called "${unknown}"; there are ${names.join(', ')}`);
  return options;
}
