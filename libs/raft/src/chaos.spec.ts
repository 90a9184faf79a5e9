import { runSeed } from './testing/chaos.js';

describe('random schedules of messages, faults and clients', () => {
  it.each([
    [3, 200],
    [5, 100],
  ])('keep every invariant on %i nodes and recover once the faults end', (size, seeds) => {
    for (let seed = 1; seed <= seeds; seed++) expect(() => runSeed({ seed, size }, 400)).not.toThrow();
  });
});
