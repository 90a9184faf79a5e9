import { FRESH_SEEDS_TIMEOUT_MS, runFreshSeeds } from '../support/fresh-seeds.js';

// Jest runs files side by side: with this one and its twin, two cores work.
it(
  'finds nothing in seeds that nobody has run before',
  () => {
    expect(() => runFreshSeeds(0)).not.toThrow();
  },
  FRESH_SEEDS_TIMEOUT_MS,
);
