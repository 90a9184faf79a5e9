import { DeadlineWheel, type Expiring } from './deadline-wheel.js';

describe('DeadlineWheel', () => {
  beforeEach(() => jest.useFakeTimers({ now: 1_000_003 }));
  afterEach(() => jest.useRealTimers());

  const TICK_MS = 10;
  function item(log: string[], name: string): Expiring {
    return { expiryTick: 0, expire: () => log.push(`${name} at ${performance.now() - start}`) };
  }
  let start = 0;
  beforeEach(() => (start = performance.now()));

  it('expires each item at its deadline or up to one tick later, never before', () => {
    const wheel = new DeadlineWheel(TICK_MS);
    const expiredAt = new Map<number, number>();
    for (const timeoutMs of [1, 9, 10, 11, 25, 100, 101, 999]) {
      wheel.add({ expiryTick: 0, expire: () => expiredAt.set(timeoutMs, performance.now() - start) }, timeoutMs);
    }
    jest.advanceTimersByTime(2_000);
    expect(expiredAt.size).toBe(8);
    for (const [timeoutMs, atMs] of expiredAt) {
      expect(atMs).toBeGreaterThanOrEqual(timeoutMs);
      expect(atMs).toBeLessThan(timeoutMs + 2 * TICK_MS);
    }
  });

  it('does not expire what was removed', () => {
    const wheel = new DeadlineWheel(TICK_MS);
    const log: string[] = [];
    const [kept, removed] = [item(log, 'kept'), item(log, 'removed')];
    wheel.add(kept, 50);
    wheel.add(removed, 50);
    wheel.remove(removed);
    jest.advanceTimersByTime(100);
    expect(log).toHaveLength(1);
    expect(log[0]).toMatch(/^kept/);
  });

  it('keeps no timer when it is empty, and starts again', () => {
    const wheel = new DeadlineWheel(TICK_MS);
    const log: string[] = [];
    wheel.add(item(log, 'a'), 20);
    jest.advanceTimersByTime(100);
    expect(jest.getTimerCount()).toBe(0);
    jest.advanceTimersByTime(10_000);
    wheel.add(item(log, 'b'), 20);
    jest.advanceTimersByTime(100);
    expect(log).toHaveLength(2);
    wheel.add(item(log, 'c'), 20);
    wheel.clear();
    expect(jest.getTimerCount()).toBe(0);
  });

  it('lets an item that expires remove another of the same tick', () => {
    const wheel = new DeadlineWheel(TICK_MS);
    const log: string[] = [];
    const second = item(log, 'second');
    wheel.add({ expiryTick: 0, expire: () => wheel.remove(second) }, 20);
    wheel.add(second, 20);
    expect(() => jest.advanceTimersByTime(100)).not.toThrow();
    expect(second.expiryTick).toBe(0);
  });
});
