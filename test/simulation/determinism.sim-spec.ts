import { join } from 'node:path';
import type { SeedReport } from '../../tools/sim/seed-report.js';
import { SeedRunner } from '../../tools/sim/seed-runner.js';

const WORKER = join(import.meta.dirname, '../../dist/tools/sim/seed-worker.js');
const STUCK_AFTER_MS = 60_000;

describe('the same seed in two processes', () => {
  const [one, other] = [new SeedRunner(WORKER, STUCK_AFTER_MS), new SeedRunner(WORKER, STUCK_AFTER_MS)];

  afterAll(() => {
    one.close();
    other.close();
  });

  const comparable = ({ traceHash, ticks, events, operations, faultsInjected }: SeedReport): object => {
    expect(traceHash).toMatch(/^[0-9a-f]{16}$/);
    return { traceHash, ticks, events, operations, faultsInjected };
  };

  it.each([1, 7, 333, 1285, 40_007])('is the same run: %i', async (seed) => {
    // What a process has run before leaves no trace in what it runs now.
    const [first] = await Promise.all([one.run({ seed }), other.run({ seed: seed + 1 })]);
    const second = await other.run({ seed });
    expect(comparable(second)).toEqual(comparable(first));
  });

  it('is another run for another seed', async () => {
    const hashes = new Set<string>();
    for (let seed = 1; seed <= 10; seed += 1) hashes.add((await one.run({ seed })).traceHash);
    expect(hashes.size).toBe(10);
  });
});
