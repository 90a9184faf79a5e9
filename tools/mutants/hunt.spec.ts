import { unfinishedReport, type SeedReport } from '../sim/seed-report.js';
import { Control, hunt } from './hunt.js';

/** A program that fails at some seeds. */
function failingAt(...seeds: number[]) {
  const ran: number[] = [];
  return {
    ran,
    run: ({ seed }: { readonly seed: number }): Promise<SeedReport> => {
      ran.push(seed);
      const { failure, ...clean } = unfinishedReport(seed, 'check', '', 1);
      return Promise.resolve(seeds.includes(seed) ? { ...clean, failure } : clean);
    },
    close: () => undefined,
  };
}

const never = (): boolean => false;

describe('hunt', () => {
  it('finds a bug at the first seed that fails', async () => {
    const control = new Control(failingAt());
    const verdict = await hunt(failingAt(4, 5), (seed) => control.fails(seed), 10, never);
    expect(verdict).toMatchObject({ found: { seed: 4 }, seeds: 4, unsound: [] });
  });

  it('does not count a seed that fails without the bug, too', async () => {
    const program = failingAt(4);
    const control = new Control(program);
    const verdict = await hunt(failingAt(4, 7), (seed) => control.fails(seed), 10, never);
    expect(verdict).toMatchObject({ found: { seed: 7 }, seeds: 7, unsound: [4] });
    expect(program.ran).toEqual([4, 7]);
  });

  it('gives up after the last seed', async () => {
    const mutated = failingAt(11);
    expect(await hunt(mutated, () => Promise.resolve(false), 10, never)).toMatchObject({ found: undefined, seeds: 10 });
    expect(mutated.ran).toHaveLength(10);
  });

  it('runs each seed of the control once', async () => {
    const program = failingAt(2);
    const control = new Control(program);
    expect(await Promise.all([control.fails(2), control.fails(1), control.fails(2)])).toEqual([true, false, true]);
    expect(program.ran).toEqual([2, 1]);
  });
});
