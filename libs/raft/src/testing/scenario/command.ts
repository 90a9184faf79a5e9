import { ScenarioError } from './scenario-error.js';
import type { Stage } from './stage.js';

/** One word that a script may begin a line with. */
export interface Command {
  /** With its arguments, as the documentation and errors show it. */
  readonly usage: string;
  /** Also allowed before the group exists; all others bring it to life. */
  readonly isSetup?: boolean;
  run(stage: Stage, args: readonly string[]): void;
}

export function wholeNumber(word: string | undefined, least = 0): number {
  const number = /^\d+$/.test(word ?? '') ? Number(word) : NaN;
  if (!(number >= least)) throw new ScenarioError(`"${word ?? ''}" is no whole number of at least ${least}`);
  return number;
}

/** Exactly `count` words, or the command's usage as an error. */
export function exactly(count: number, args: readonly string[]): readonly string[] {
  if (args.length !== count) throw new ScenarioError(`${args.length} arguments where ${count} are expected`);
  return args;
}
