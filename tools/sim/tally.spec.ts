import { describeTally } from './report.js';
import type { SeedReport } from './seed-report.js';
import { Tally } from './tally.js';

const report = (seed: number, extra: Partial<SeedReport> = {}): SeedReport => ({
  seed,
  ticks: 2000,
  events: 50_000,
  operations: { ok: 90, fail: 7, info: 3 },
  faultsInjected: { crash: 2, partition: 0 },
  traceHash: 'ab',
  elapsedMs: 20,
  ...extra,
});

describe('Tally', () => {
  const tally = new Tally();
  tally.add(report(9, { failure: { check: 'log-matching', message: 'n1 and n2 differ', time: 5 } }));
  tally.add(report(3, { failure: { check: 'one-vote', message: 'n1 voted twice', time: 5 } }));
  tally.add(report(5, { faultsInjected: { crash: 1, 'full disk': 1 } }));

  it('counts time that was spent on runs, not time that passed', () => {
    expect(tally.ticksPerSecondPerCore).toBe(100_000);
    expect(tally.seedsPerHour(30)).toBe(360_000);
  });

  it('keeps failures by seed', () => expect(tally.failures.map(({ seed }) => seed)).toEqual([3, 9]));

  it('does not keep quiet about histories without a verdict', () => {
    const one = new Tally();
    one.add(report(1, { isUndecided: true }));
    expect(describeTally(one, 30, 2)).toContain('  undecided   1 (too long');
  });

  it('is described line by line', () => {
    expect(describeTally(tally, 30, 2)).toBe(
      [
        '  seeds       3 in 0.0 s, 2 processes: 360,000/h',
        '  ticks       6,000: 100,000/s/core',
        '  events      150,000',
        '  operations  270 ok, 21 refused, 9 with unknown outcome',
        '  faults      6 (crash 5, full disk 1)',
        '  failed      2',
      ].join('\n'),
    );
  });
});
