import { LogBudget } from './log-budget.js';

describe('LogBudget', () => {
  it('lets so many lines through in a second, and tells the next one how many it left out', () => {
    const budget = new LogBudget(2);
    expect([0, 10, 20, 999].map((ms) => budget.spend(ms))).toEqual([0, 0, undefined, undefined]);
    expect([1_000, 1_001, 1_002].map((ms) => budget.spend(ms))).toEqual([2, 0, undefined]);
    expect(budget.spend(5_000)).toBe(1);
  });
});
