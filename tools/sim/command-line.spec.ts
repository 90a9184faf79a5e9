import { CommanderError } from 'commander';
import { parseCommandLine, type SimCommand } from './command-line.js';

const DEFAULTS = { out: 'corpus', workers: 2, faultKinds: ['crash', 'partition'], models: ['record', 'register'] };

function parse(text: string): SimCommand {
  return parseCommandLine(text.split(' '), DEFAULTS, { writeErr: () => undefined });
}

/** What is printed about flags that are refused. */
function complaint(text: string): string {
  let said = '';
  try {
    parseCommandLine(text.split(' ').filter(Boolean), DEFAULTS, { writeErr: (line) => (said += line) });
  } catch (error) {
    expect(error).toBeInstanceOf(CommanderError);
    expect((error as CommanderError).exitCode).not.toBe(0);
    return said;
  }
  throw new Error(`accepted: ${text}`);
}

describe('the flags of npm run sim', () => {
  it('run one seed', () => {
    expect(parse('--seed 7 --trace --ticks 500')).toMatchObject({ mode: 'seed', seed: 7, trace: true, ticks: 500 });
  });

  it('run many seeds, from 1 on all cores by default', () => {
    expect(parse('--seeds 1000')).toMatchObject({ mode: 'seeds', from: 1, seeds: 1000, workers: 2, out: 'corpus' });
  });

  it('run a stored script', () => {
    expect(parse('--scenario a.json')).toEqual({ mode: 'scenario', scenario: 'a.json', trace: false });
  });

  it('check a history, as that of the database by default', () => {
    expect(parse('--check a.jsonl')).toEqual({ mode: 'check', check: 'a.jsonl', model: 'record' });
    expect(parse('--check a.jsonl --model register')).toMatchObject({ model: 'register' });
  });

  it('name faults, or none', () => {
    expect(parse('--seed 1 --faults crash,partition')).toMatchObject({ faults: ['crash', 'partition'] });
    expect(parse('--seed 1 --faults none')).toMatchObject({ faults: [] });
    expect(parse('--seed 1')).toMatchObject({ faults: undefined });
  });

  it.each([
    ['', 'say what to run: --seed <seed>, --seeds <count>, --scenario <file> or --check <file>'],
    ['--seed 1 --seeds 2', '--seed and --seeds exclude each other'],
    ['--seed 1.5', 'a whole number from 0 to 2147483647'],
    ['--seed 1 --nodes 10', 'a whole number from 1 to 9'],
    ['--seed 1 --faults crash,fire', '"fire" is no fault; there are crash, partition, or none'],
    ['--seed 1 --workers 2', '--workers does not go with --seed'],
    ['--seeds 2 --trace', '--trace does not go with --seeds'],
    ['--scenario a.json --ticks 5', '--ticks does not go with --scenario'],
    ['--scenario a.json --out x', '--out does not go with --scenario'],
    ['--seed 1 --model record', '--model does not go with --seed'],
    ['--check a.jsonl --model queue', 'Allowed choices are record, register'],
    ['--seeds 2 --from 2147483647', 'the highest seed is 2147483647'],
    ['--sneed 1', "unknown option '--sneed'"],
  ])('refuse %s and say what is allowed', (text, reason) => {
    expect(complaint(text)).toContain(reason);
  });
});
