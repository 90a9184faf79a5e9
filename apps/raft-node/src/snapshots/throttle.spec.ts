import { Throttle } from './throttle.js';

describe('Throttle', () => {
  let nowMs = 1_000;
  beforeEach(() => (nowMs = 1_000));

  /** Sends pieces, each when its turn comes; returns when the last of them was sent. */
  function sendAll(throttle: Throttle, ...pieces: number[]): number {
    for (const bytes of pieces) nowMs += throttle.reserve(bytes);
    return nowMs;
  }

  it('spaces equal pieces evenly', () => {
    const throttle = new Throttle(1_000, () => nowMs);
    throttle.reserve(100);
    const times = [1, 2, 3].map(() => sendAll(throttle, 100));
    // A tenth of a second each, less the first 50 ms.
    expect(times).toEqual([1_050, 1_150, 1_250]);
  });

  it('makes the next one wait for a large piece, not the large one itself', () => {
    const throttle = new Throttle(1_000, () => nowMs);
    expect(throttle.reserve(8_000)).toBe(0);
    expect(throttle.reserve(1)).toBe(7_950);
  });

  it('keeps the rate when each turn comes a little late', () => {
    const throttle = new Throttle(1_000, () => nowMs);
    for (let i = 0; i < 100; i++) nowMs += throttle.reserve(100) + 7;
    // 10,000 bytes: 9.9 seconds from the first to the last, less the first 50 ms.
    expect(nowMs - 1_000).toBeGreaterThanOrEqual(9_850);
    expect(nowMs - 1_000).toBeLessThan(9_870);
  });

  it('saves nothing up in a long silence', () => {
    const throttle = new Throttle(1_000, () => nowMs);
    sendAll(throttle, 100);
    nowMs += 60_000;
    const start = nowMs;
    expect(sendAll(throttle, 100, 100, 100) - start).toBe(150);
  });

  it('shares the rate among all who ask at once', () => {
    const throttle = new Throttle(1_000, () => nowMs);
    expect([1, 2, 3, 4].map(() => throttle.reserve(100))).toEqual([0, 50, 150, 250]);
  });
});
