import { percentile, ratios, spreadOf } from './statistics.js';

describe('spreadOf', () => {
  it('gives the middle one of an odd number, between two of an even one', () => {
    expect(spreadOf([9, 1, 5])).toEqual({ median: 5, min: 1, max: 9 });
    expect(spreadOf([4, 1, 2, 9])).toEqual({ median: 3, min: 1, max: 9 });
  });

  it('does not change what it is given', () => {
    const values = [3, 1, 2];
    spreadOf(values);
    expect(values).toEqual([3, 1, 2]);
  });
});

describe('ratios', () => {
  it('compares turn by turn: a slow moment of the machine that meets both changes nothing', () => {
    expect(ratios([300, 30, 300], [100, 10, 100])).toEqual({ median: 3, min: 3, max: 3 });
  });

  it('refuses to compare different numbers of turns', () => {
    expect(() => ratios([1, 2], [1])).toThrow('2 turns');
  });
});

describe('percentile', () => {
  it('lies on the line between two values', () => {
    expect(percentile([10, 20], 75)).toBe(17.5);
    expect(percentile([1, 2, 3, 4, 5], 100)).toBe(5);
  });

  it('needs a value', () => {
    expect(() => percentile([], 50)).toThrow('no value');
  });
});
