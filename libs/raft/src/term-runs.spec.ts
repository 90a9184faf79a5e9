import fc from 'fast-check';
import { TermRuns } from './term-runs.js';

/** Terms that never fall along the log. */
const logs = fc.array(fc.nat(2), { maxLength: 30 }).map((steps) => {
  let term = 1;
  return steps.map((step) => (term += step));
});

const runsOf = (terms: readonly number[]) => {
  const runs = new TermRuns([]);
  for (const [i, term] of terms.entries()) runs.append(i + 1, term);
  return runs;
};

const expectSame = (runs: TermRuns, terms: readonly number[]) => {
  for (const [i, term] of terms.entries()) {
    expect(runs.termAt(i + 1)).toBe(term);
    expect(runs.firstIndexOfTermAt(i + 1)).toBe(terms.indexOf(term) + 1);
  }
  for (let term = 0; term <= (terms.at(-1) ?? 0) + 1; term++) {
    const last = terms.lastIndexOf(term);
    expect(runs.lastIndexOfTerm(term, terms.length)).toBe(last === -1 ? undefined : last + 1);
  }
};

describe('TermRuns', () => {
  it('answers for every index what a list of all terms would', () => {
    fc.assert(fc.property(logs, (terms) => expectSame(runsOf(terms), terms)));
  });

  it('has forgotten exactly what a truncation cut off, and goes on from there', () => {
    fc.assert(
      fc.property(logs, logs, fc.nat(30), (terms, more, at) => {
        const kept = terms.slice(0, at);
        const all = [...kept, ...more.map((term) => term + (kept.at(-1) ?? 0))];
        const runs = runsOf(terms);
        runs.truncateFrom(at + 1);
        for (const [i, term] of all.slice(kept.length).entries()) runs.append(kept.length + i + 1, term);
        expectSame(runs, all);
      }),
    );
  });

  it('knows no term before its first run', () => {
    const runs = new TermRuns([{ firstIndex: 5, term: 3 }]);
    expect([runs.termAt(4), runs.firstIndexOfTermAt(4), runs.termAt(5)]).toEqual([0, 0, 3]);
  });

  it('does not change the list that it was made from', () => {
    const restored = [{ firstIndex: 1, term: 1 }];
    new TermRuns(restored).append(2, 2);
    expect(restored).toHaveLength(1);
  });
});
