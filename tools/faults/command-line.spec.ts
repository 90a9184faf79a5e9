import { CommanderError } from 'commander';
import { parseCommandLine } from './command-line.js';

const CHOICES = { workloads: ['register', 'set'], nemeses: ['none', 'mixed'], seed: 42 };

function parse(...argv: string[]) {
  return parseCommandLine(argv, CHOICES, { writeErr: () => undefined, writeOut: () => undefined });
}

describe('the flags of npm run test:faults', () => {
  it('runs everything with a new seed by default', () => {
    expect(parse()).toEqual({
      seconds: 15,
      workload: ['register', 'set'],
      nemesis: ['none', 'mixed'],
      seed: 42,
      clients: 48,
      out: 'test-results/faults',
      keep: false,
      powerLoss: false,
    });
  });

  it('takes a choice', () => {
    const chosen = parse(
      '--workload',
      'set',
      '--nemesis',
      'mixed, none',
      '--seed=7',
      '--crash-cycles=1000',
      '--power-loss',
    );
    expect(chosen).toMatchObject({
      workload: ['set'],
      nemesis: ['mixed', 'none'],
      seed: 7,
      crashCycles: 1000,
      powerLoss: true,
    });
  });

  it.each([[['--workload', 'sets']], [['--seconds', '0']], [['--seed', '-1']], [['more']]])('refuses %j', (argv) => {
    expect(() => parse(...argv)).toThrow(CommanderError);
  });
});
