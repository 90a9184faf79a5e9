import { Latencies } from './latencies.js';
import { verdictOn, type LoadResult } from './verdict.js';

const RESULT: LoadResult = {
  seconds: 10,
  operations: 9_999,
  errors: {},
  throughput: 999.9,
  p50Ms: 2,
  p99Ms: 20,
  maxMs: 30,
};
const THRESHOLDS = { throughputMin: 500, p99MsMax: 20, errorShareMax: 0.001 };

describe('the verdict on a load', () => {
  it.each([
    [{}, []],
    [{ throughput: 499.9 }, ['throughput']],
    [{ p99Ms: 20.1 }, ['p99']],
    [{ errors: { INVALID_LEADER: 10 } }, []],
    [{ errors: { INVALID_LEADER: 6, OUTCOME_UNKNOWN: 6 } }, ['errors']],
    [{ operations: 0, throughput: 0, p99Ms: 0, errors: { X: 1 } }, ['throughput', 'p99', 'errors']],
  ])('%j fails by %j', (facts, failing) => {
    const { passed, lines } = verdictOn({ ...RESULT, ...facts }, THRESHOLDS);
    expect(lines.filter((line) => !line.passed).map(({ text }) => text.split(' ')[0])).toEqual(failing);
    expect(passed).toBe(failing.length === 0);
  });

  it('names what was measured and what was wanted', () => {
    expect(verdictOn({ ...RESULT, errors: { X: 1 } }, THRESHOLDS).lines.map(({ text }) => text)).toEqual([
      'throughput 1000/s, at least 500/s wanted',
      'p99 20.0 ms, at most 20 ms wanted',
      'errors 0.01%, at most 0.10% wanted',
    ]);
  });
});

describe('latencies', () => {
  it('gives percentiles within a thousandth, and 0 of none', () => {
    const latencies = new Latencies();
    expect([latencies.count, latencies.percentile(99), latencies.max]).toEqual([0, 0, 0]);
    for (let ms = 1; ms <= 1_000; ms++) latencies.add(ms);
    expect(latencies.count).toBe(1_000);
    expect(latencies.percentile(50) / 500).toBeCloseTo(1, 2);
    expect(latencies.percentile(99) / 990).toBeCloseTo(1, 2);
    expect(latencies.max / 1_000).toBeCloseTo(1, 2);
  });
});
