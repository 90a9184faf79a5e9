import fc from 'fast-check';
import { checkLinearizability } from './check-linearizability.js';
import type { HistoryEvent } from './history.js';
import { isLinearizableByBruteForce } from './testing/brute-force.js';
import { subjects, type Subject } from './testing/calls.js';
import { linearizableHistory, mutated } from './testing/history-arbitrary.js';

/** Compares the verdicts, and says how often each was given. */
function compareVerdicts(
  { model, object }: Subject,
  history: fc.Arbitrary<HistoryEvent[]>,
  { numRuns, shouldRemember }: { readonly numRuns: number; readonly shouldRemember: boolean },
): { good: number; bad: number } {
  const counts = { good: 0, bad: 0 };
  fc.assert(
    fc.property(history, (events) => {
      const isLinearizable = isLinearizableByBruteForce(events, object, { shouldRemember });
      expect(checkLinearizability(events, model).isLinearizable).toBe(isLinearizable);
      counts[isLinearizable ? 'good' : 'bad']++;
    }),
    { numRuns },
  );
  return counts;
}

describe.each(subjects)('the verdict on a $model.name', (subject) => {
  const { model, object, call } = subject;

  it('is that of all permutations, for small histories', () => {
    const small = linearizableHistory(object, call, { minLength: 3, maxLength: 7, unknownPercent: 25 });
    const counts = compareVerdicts(subject, mutated(small), { numRuns: 4000, shouldRemember: false });
    expect(counts.good).toBeGreaterThan(300);
    expect(counts.bad).toBeGreaterThan(300);
  });

  it('is that of a search without any short cut, for longer ones', () => {
    const longer = linearizableHistory(object, call, { minLength: 8, maxLength: 14, unknownPercent: 25 });
    const counts = compareVerdicts(subject, mutated(longer), { numRuns: 1000, shouldRemember: true });
    expect(counts.good).toBeGreaterThan(100);
    expect(counts.bad).toBeGreaterThan(100);
  });

  it('is good for every history that was made by operations one after the other', () => {
    const long = linearizableHistory(object, call, { minLength: 50, maxLength: 200, unknownPercent: 10 });
    fc.assert(
      fc.property(long, (events) => {
        expect(checkLinearizability(events, model)).toMatchObject({ isLinearizable: true });
      }),
      { numRuns: 100 },
    );
  });
});
