import { EventQueue } from './event-queue.js';
import { SeededRandom } from './seeded-random.js';

const drain = (queue: EventQueue, until: number): void => {
  for (let event = queue.take(until); event !== undefined; event = queue.take(until)) event.run();
};

describe('EventQueue', () => {
  it('takes events by time, and those of one time in the order of scheduling, near and far', () => {
    const random = new SeededRandom(3, 'times');
    const queue = new EventQueue();
    const expected: { time: number; sequence: number }[] = [];
    const seen: { time: number; sequence: number }[] = [];
    let sequence = 0;
    const schedule = (time: number): void => {
      const event = { time, sequence: sequence++ };
      expected.push(event);
      queue.schedule(time, {
        run: () => {
          expect(queue.now).toBe(time);
          seen.push(event);
          if (sequence < 5000) schedule(queue.now + random.nextInt(0, random.nextInt(0, 1) === 0 ? 20 : 3000));
        },
      });
    };
    for (let i = 0; i < 500; i++) schedule(random.nextInt(0, 5000));
    drain(queue, 1_000_000);
    expected.sort((a, b) => a.time - b.time || a.sequence - b.sequence);
    expect(seen).toEqual(expected);
  });

  it('stands still at the time it was asked for', () => {
    const queue = new EventQueue();
    let isRun = false;
    queue.schedule(2000, { run: () => (isRun = true) });
    expect(queue.take(1999)).toBeUndefined();
    expect([queue.now, isRun]).toEqual([1999, false]);
    drain(queue, 2000);
    expect([queue.now, isRun]).toEqual([2000, true]);
  });

  it('refuses the past and fractions', () => {
    const queue = new EventQueue();
    expect(queue.take(10)).toBeUndefined();
    const event = { run: () => undefined };
    for (const time of [9, 10.5, NaN, Infinity]) expect(() => queue.schedule(time, event)).toThrow(RangeError);
  });
});
