import { SeedPool, type Runner } from './seed-pool.js';
import { unfinishedReport, type SeedReport } from './seed-report.js';

const reportOf = (seed: number): SeedReport => unfinishedReport(seed, 'none', '', 1);

describe('SeedPool', () => {
  it('gives each runner one request at a time, all requests once, and closes them', async () => {
    let closed = 0;
    const create = (): Runner => {
      let isBusy = false;
      return {
        run: async ({ seed }) => {
          expect(isBusy).toBe(false);
          isBusy = true;
          await Promise.resolve();
          isBusy = false;
          return reportOf(seed);
        },
        close: () => (closed += 1),
      };
    };
    const seeds: number[] = [];
    await new SeedPool(3, create).run(
      [5, 6, 7, 8, 9, 10, 11].map((seed) => ({ seed })),
      ({ seed }) => seeds.push(seed),
    );
    expect(seeds.sort((a, b) => a - b)).toEqual([5, 6, 7, 8, 9, 10, 11]);
    expect(closed).toBe(3);
  });

  it('ends at once when it is stopped, and abandons what runs', async () => {
    const pool = new SeedPool(2, () => ({
      run: ({ seed }) => (seed === 1 ? Promise.resolve(reportOf(1)) : new Promise<never>(() => undefined)),
      close: () => undefined,
    }));
    const seeds: number[] = [];
    await pool.run([{ seed: 1 }, { seed: 2 }, { seed: 3 }], ({ seed }) => {
      seeds.push(seed);
      pool.stop();
    });
    expect(seeds).toEqual([1]);
  });
});
