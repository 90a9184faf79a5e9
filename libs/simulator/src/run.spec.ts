import { drawPlan } from './plan/draw-plan.js';
import { runSeed, type RunOptions } from './run.js';
import { replayScenario, shrink } from './shrink.js';

describe('a run', () => {
  it('is the same from the same seed, also from its plan after it was written down', () => {
    const options = { seed: 5, ticks: 200 };
    const first = runSeed(options);
    expect(first.failure).toBeUndefined();
    expect(first.operations.ok).toBeGreaterThan(0);
    expect(runSeed(options).traceHash).toBe(first.traceHash);
    const plan = JSON.parse(JSON.stringify(first.plan)) as typeof first.plan;
    expect(plan).toEqual(first.plan);
    const again = replayScenario({ name: '', check: '', seed: 5, plan });
    expect(again.traceHash).toBe(first.traceHash);
  });

  it('draws only the faults that are allowed', () => {
    for (let seed = 1; seed < 30; seed++) {
      const { faults, cluster } = drawPlan({ seed, faults: ['crash', 'cut'], nodes: 5 });
      expect(faults.every(({ kind }) => kind === 'crash' || kind === 'cut')).toBe(true);
      expect(cluster.voters).toHaveLength(5);
    }
  });

  it('shrinks to the fault that the failure needs', () => {
    const plan = { ...drawPlan({ seed: 3, ticks: 400 }) };
    const needed = { kind: 'pause', at: 17, duration: 100, node: 'n1' } as const;
    const failing = { ...plan, faults: [...plan.faults.filter(({ kind }) => kind !== 'pause'), needed] };
    const failure = { check: 'made_up', message: '', time: 0 };
    const run = ({ plan: given }: RunOptions) =>
      given!.faults.some(({ kind }) => kind === 'pause') ? { failure } : {};
    const scenario = shrink({ seed: 3, plan: failing, failure }, { run });
    expect(scenario.plan.faults.map(({ kind }) => kind)).toEqual(['pause']);
    expect(scenario.plan.ticks).toBeLessThan(20);
    expect(scenario).toMatchObject({ name: 'made_up-3', check: 'made_up', seed: 3 });
    expect(() => shrink({ seed: 3, plan: failing })).toThrow(RangeError);
  });
});
