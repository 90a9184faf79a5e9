import { Backoff } from './backoff.js';

describe('Backoff', () => {
  it('doubles, with jitter in the upper half, up to its bound', () => {
    for (let run = 0; run < 200; run += 1) {
      const backoff = new Backoff(10, 75);
      for (const delayMs of [10, 20, 40, 75, 75, 75]) {
        const actual = backoff.nextMs();
        expect(actual).toBeGreaterThanOrEqual(delayMs / 2);
        expect(actual).toBeLessThanOrEqual(delayMs);
      }
    }
  });

  it('does not give all callers the same pause', () => {
    expect(new Set(Array.from({ length: 100 }, () => new Backoff(10, 75).nextMs())).size).toBeGreaterThan(50);
  });
});
