import type { Command, Option } from 'commander';

/** One place in a command line: what may stand there. */
export interface CommandWords {
  /** Without the program's own name: `['member', 'add']`; empty for what comes first. */
  readonly path: readonly string[];
  readonly commands: readonly Word[];
  readonly options: readonly OptionWord[];
}

export interface Word {
  readonly word: string;
  /** A line. */
  readonly description: string;
}

export interface OptionWord extends Word {
  /** `-o` beside `--output`. */
  readonly short: string | undefined;
  readonly takesValue: boolean;
  /** All that its value may be; empty when it may be anything. */
  readonly choices: readonly string[];
}

/** The places of a whole program, its options at each of them. */
export function wordsOf(program: Command): CommandWords[] {
  const everywhere = program.options.map(optionWord);
  const visit = (command: Command, path: readonly string[]): CommandWords[] => {
    const own = command === program ? [] : command.options.map(optionWord);
    const commands = command.commands.map((child) => ({
      word: child.name(),
      description: firstSentence(child.description()),
    }));
    return [
      { path, commands, options: [...own, ...everywhere, HELP] },
      ...command.commands.flatMap((child) => visit(child, [...path, child.name()])),
    ];
  };
  return visit(program, []);
}

const HELP: OptionWord = {
  word: '--help',
  short: '-h',
  description: 'what can be said here',
  takesValue: false,
  choices: [],
};

function optionWord({ long, short, description, required, optional, argChoices }: Option): OptionWord {
  return {
    word: long ?? short ?? '',
    short: short ?? undefined,
    description: firstSentence(description),
    takesValue: required || optional,
    choices: argChoices ?? [],
  };
}

function firstSentence(text: string): string {
  return text.split(/[.;\n]/)[0]!.trim();
}
