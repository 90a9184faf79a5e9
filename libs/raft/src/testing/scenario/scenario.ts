import type { Command } from './command.js';
import { expectCommand } from './expectations.js';
import { membershipCommands } from './membership-commands.js';
import { networkCommands } from './network-commands.js';
import { nodeCommands } from './node-commands.js';
import { nodeTable } from './node-table.js';
import { ExpectationError, ScenarioError } from './scenario-error.js';
import { parseScript, renderScript, type RecordedLine } from './script.js';
import { setupCommands } from './setup-commands.js';
import { Stage } from './stage.js';

const commands: Readonly<Record<string, Command>> = {
  ...setupCommands,
  ...networkCommands,
  ...nodeCommands,
  ...membershipCommands,
  expect: expectCommand,
};

/** Where a script can return to: what has to happen again to get there. */
interface Mark {
  readonly history: readonly (readonly string[])[];
}

/**
 * Runs a script and gives it back with what each command has led to, recorded behind it: equal to the text, if the text has been
 * recorded before and nothing has changed. Throws a `ScenarioError` with file and line where a command makes no sense, an expectation is not met
 * or an invariant is broken.
 */
export function runScenario(file: string, text: string): string {
  const run = new ScenarioRun();
  const recorded: RecordedLine[] = [];
  for (const line of parseScript(text)) {
    try {
      recorded.push({ text: line.text, output: line.words.length === 0 ? [] : run.perform(line.words) });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const before = renderScript(recorded.slice(-LINES_BEFORE_ERROR));
      throw new ScenarioError(`${file}:${line.number}: ${line.text}\n${message}\n\nbefore that:\n${before}`, {
        cause: error,
      });
    }
  }
  if (!run.endsWithExpectation) throw new ScenarioError(`${file}: the last part does not end with an expectation`);
  return renderScript(recorded);
}

/** Lines of the script that an error repeats, with what they have led to. */
const LINES_BEFORE_ERROR = 6;

/** One pass through a script. It consists of parts, each of which begins with `nodes` and ends with an expectation. */
class ScenarioRun {
  private stage = new Stage();
  private history: (readonly string[])[] = [];
  private marks = new Map<string, Mark>();

  perform(words: readonly string[]): string[] {
    const [name, ...args] = words;
    if (name === 'nodes') this.begin();
    if (name === 'mark') return this.mark(args);
    if (name === 'return') return this.returnTo(args);
    const output = this.carryOut(words);
    this.history.push(words);
    return output;
  }

  /** A part that expects nothing would show nothing: a wrong record of it could pass unnoticed. */
  get endsWithExpectation(): boolean {
    return this.history.at(-1)?.[0] === 'expect';
  }

  private begin(): void {
    if (this.history.length > 0) this.requireExpectation();
    this.stage = new Stage();
    this.history = [];
    this.marks = new Map();
  }

  private mark(args: readonly string[]): string[] {
    const [name, ...rest] = args;
    if (name === undefined || rest.length > 0) throw new ScenarioError('a mark has one name: mark NAME');
    if (this.marks.has(name)) throw new ScenarioError(`there is a mark "${name}" already`);
    this.marks.set(name, { history: [...this.history] });
    return [];
  }

  private returnTo(args: readonly string[]): string[] {
    const [to, name, ...rest] = args;
    if (to !== 'to' || name === undefined || rest.length > 0)
      throw new ScenarioError('return to which mark? return to NAME');
    const mark = this.marks.get(name);
    if (mark === undefined) throw new ScenarioError(`there is no mark "${name}"`);
    this.requireExpectation();
    this.stage = new Stage();
    this.history = [...mark.history];
    for (const words of mark.history) this.carryOut(words);
    return [];
  }

  private requireExpectation(): void {
    if (!this.endsWithExpectation) throw new ScenarioError('the part before does not end with an expectation');
  }

  private carryOut(words: readonly string[]): string[] {
    const { stage } = this;
    const isQuiet = words[0] === 'quietly';
    const [name, ...args] = isQuiet ? words.slice(1) : words;
    const command = name !== undefined && Object.hasOwn(commands, name) ? commands[name]! : undefined;
    if (command === undefined) {
      throw new ScenarioError(`"${name ?? ''}" is no command; there are ${Object.keys(commands).sort().join(', ')}`);
    }
    try {
      stage.isQuiet = isQuiet;
      const before = stage.hasBegun ? stage.describeNetwork() : '';
      if (command.isSetup !== true) stage.settle();
      command.run(stage, args);
      const after = stage.hasBegun ? stage.describeNetwork() : '';
      if (after !== before && after !== '') stage.tell(`on its way: ${after}`);
      return stage.takeLines();
    } catch (error) {
      if (error instanceof ExpectationError) {
        throw new ScenarioError([error.message, ...stage.takeLines(), ...nodeTable(stage.views)].join('\n'));
      }
      if (error instanceof ScenarioError) throw new ScenarioError(`${error.message}\nusage: ${command.usage}`);
      throw error;
    }
  }
}
