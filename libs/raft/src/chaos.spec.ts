import { runSeed } from './testing/chaos.js';

const STEPS = 1000;

describe('random schedules of messages, faults and clients', () => {
  it.each([
    [3, 250],
    [4, 100],
    [5, 100],
  ])('keep every invariant on %i nodes and recover once the faults end', (size, seeds) => {
    for (let seed = 1; seed <= seeds; seed++) expect(() => runSeed({ seed, size }, STEPS)).not.toThrow();
  });

  it('are the same for the same seed', () => {
    const [first, second] = [1, 2].map(() => runSeed({ seed: 1, size: 3 }, STEPS).group.sent);
    expect(first).toEqual(second);
  });
});
