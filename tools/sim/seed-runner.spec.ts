import { join } from 'node:path';
import { PROCESS_CHECKS, type SeedReport } from './seed-report.js';
import { SeedRunner } from './seed-runner.js';

const WORKER = join(import.meta.dirname, 'testing/dummy-worker.cjs');

describe('SeedRunner', () => {
  let runner: SeedRunner;

  function withPatience(stuckAfterMs: number): SeedRunner {
    runner = new SeedRunner(WORKER, stuckAfterMs);
    return runner;
  }

  const pidOf = (report: SeedReport): unknown => (report as unknown as { pid: number }).pid;

  afterEach(() => runner.close());

  it('runs one seed after the other in the same process', async () => {
    withPatience(30_000);
    const first = await runner.run({ seed: 1 });
    const second = await runner.run({ seed: 4 });
    expect([first.seed, second.seed]).toEqual([1, 4]);
    expect(pidOf(first)).toBe(pidOf(second));
  });

  it('fails a run that ends the process, with what it said last, and goes on in a new one', async () => {
    withPatience(30_000);
    const report = await runner.run({ seed: 3 });
    expect(report.failure).toEqual({ check: PROCESS_CHECKS.died, message: 'ended with code 7 out of luck', time: 0 });
    expect((await runner.run({ seed: 4 })).seed).toBe(4);
  });

  it('fails a run that does not end, and goes on in a new process', async () => {
    withPatience(500);
    const report = await runner.run({ seed: 2 });
    expect(report.failure?.check).toBe(PROCESS_CHECKS.stuck);
    runner.close();
    expect((await withPatience(30_000).run({ seed: 4 })).seed).toBe(4);
  });
});
