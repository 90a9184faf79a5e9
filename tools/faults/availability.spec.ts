import { Availability, quantile } from './availability.js';

describe('Availability', () => {
  it('knows the longest time between two successes of one cluster, the beginning and the end included', () => {
    const availability = new Availability(['a', 'b'], 1000);
    availability.succeeded('a', 1000, 1100);
    availability.succeeded('b', 1000, 1150);
    availability.succeeded('a', 1100, 1300);
    expect(availability.longestGapMs).toBe(200);
    availability.finish(1400);
    expect(availability.longestGapMs).toBe(250);
    availability.succeeded('a', 9000, 9000);
    expect(availability.longestGapMs).toBe(250);
  });

  it('counts a failover from the kill to the success of what was asked later', () => {
    const availability = new Availability(['a', 'b'], 0);
    availability.leaderKilled('a', 100);
    availability.succeeded('a', 99, 150);
    availability.succeeded('b', 160, 170);
    expect(availability.failoversMs).toEqual([]);
    availability.succeeded('a', 120, 400);
    availability.succeeded('a', 410, 500);
    expect(availability.failoversMs).toEqual([300]);
  });

  it('counts a failover that has not ended at the end', () => {
    const availability = new Availability(['a'], 0);
    availability.leaderKilled('a', 100);
    availability.finish(3000);
    expect(availability.failoversMs).toEqual([2900]);
  });
});

describe('quantile', () => {
  it('is the smallest value that so many do not exceed', () => {
    const values = [5, 1, 4, 2, 3];
    expect([0.2, 0.5, 0.99, 1].map((share) => quantile(values, share))).toEqual([1, 3, 5, 5]);
    expect(quantile([], 0.99)).toBe(0);
  });
});
