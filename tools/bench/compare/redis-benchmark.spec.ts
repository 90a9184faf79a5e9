import { canRun, parseRedisBenchmark } from './redis-benchmark.js';

const OUTPUT = `"test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"
"SET","5000.00","12.1","1.5","11.2","20.4","31.3","41.7"
`;

describe('parseRedisBenchmark', () => {
  it('reads the columns by what they are', () => {
    expect(parseRedisBenchmark(OUTPUT, 10_000)).toMatchObject({
      requests: 10_000,
      perSecond: 5000,
      p50Ms: 11.2,
      p99Ms: 31.3,
      p999Ms: undefined,
      maxMs: 41.7,
      seconds: 2,
      errors: {},
    });
  });

  it('says what was printed when there is no result', () => {
    expect(() => parseRedisBenchmark('Could not connect', 1)).toThrow('Could not connect');
  });
});

describe('canRun', () => {
  it('is for what redis-benchmark knows: evenly drawn keys, one kind of request', () => {
    const load = { connections: 1, valueBytes: 16 };
    expect(canRun({ ...load, work: 'get', keys: 'uniform' })).toBe(true);
    expect(canRun({ ...load, work: 'get', keys: 'zipf' })).toBe(false);
    expect(canRun({ ...load, work: 'mixed', keys: 'uniform' })).toBe(false);
  });
});
