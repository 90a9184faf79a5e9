import { drawRequests } from './key-order.js';

const KEYS = 1_000;
const DRAWS = 100_000;

function countsOf(keys: 'uniform' | 'zipf'): number[] {
  const counts = new Array<number>(KEYS).fill(0);
  for (const { key } of drawRequests('get', keys, KEYS, DRAWS, 7)) counts[key]! += 1;
  return counts;
}

describe('drawRequests', () => {
  it('draws the same from the same seed', () => {
    expect(drawRequests('mixed', 'zipf', 50, 200, 1)).toEqual(drawRequests('mixed', 'zipf', 50, 200, 1));
    expect(drawRequests('mixed', 'zipf', 50, 200, 1)).not.toEqual(drawRequests('mixed', 'zipf', 50, 200, 2));
  });

  it('draws every key about equally often', () => {
    const counts = countsOf('uniform');
    expect(Math.min(...counts)).toBeGreaterThan(50);
    expect(Math.max(...counts)).toBeLessThan(150);
  });

  it('draws by Zipf: the second key half as often as the first, the tenth a tenth', () => {
    const counts = countsOf('zipf');
    expect(counts[1]! / counts[0]!).toBeCloseTo(0.5, 1);
    expect(counts[9]! / counts[0]!).toBeCloseTo(0.1, 1);
    expect(counts[KEYS - 1]!).toBeLessThan(100);
  });

  it('writes always, never, or in 5 of 100', () => {
    const share = (work: 'put' | 'get' | 'mixed') =>
      drawRequests(work, 'uniform', KEYS, DRAWS, 3).filter(({ isPut }) => isPut).length / DRAWS;
    expect(share('put')).toBe(1);
    expect(share('get')).toBe(0);
    expect(share('mixed')).toBeCloseTo(0.05, 2);
  });
});
