import { checkLinearizability } from './check-linearizability.js';
import { counterModel } from './models/counter.js';
import { recordModel } from './models/record.js';
import { registerModel } from './models/register.js';
import { historyOf, type EventRow } from './testing/event-rows.js';

const lostWrites = (count: number): EventRow[] =>
  Array.from({ length: count }, (_, i): EventRow[] => [
    [100 + i, 'invoke', 'write', 1000 + i],
    [100 + i, 'info', 'write'],
  ]).flat();

/** Five processes write and read at once; what is read is what was written last. */
const rounds = (count: number, lastRead: number | undefined): EventRow[] =>
  Array.from({ length: count }, (_, round): EventRow[] => {
    const writers = [0, 1, 2, 3, 4];
    const isLast = round === count - 1;
    return [
      ...writers.map((process): EventRow => [process, 'invoke', 'write', 10 * round + process]),
      ...writers.map((process): EventRow => [process, 'ok', 'write']),
      ...writers.map((process): EventRow => [process, 'invoke', 'read']),
      ...writers.map((process): EventRow => [process, 'ok', 'read', (isLast ? lastRead : undefined) ?? 10 * round + 3]),
    ];
  }).flat();

describe('the cost of a search', () => {
  it('stays small in spite of many writes of unknown outcome, in good histories', () => {
    const result = checkLinearizability(historyOf(...lostWrites(60), ...rounds(50, undefined)), registerModel);
    expect(result).toMatchObject({ isLinearizable: true });
    expect(result.steps).toBeLessThan(50_000);
  });

  it('stays small in spite of many writes of unknown outcome, in bad histories', () => {
    const result = checkLinearizability(historyOf(...lostWrites(60), ...rounds(50, -1)), registerModel);
    expect(result).toMatchObject({ isLinearizable: false });
    expect(result.steps).toBeLessThan(1_000_000);
  });

  it('stays small if each of many writes of unknown outcome is seen', () => {
    const seen = Array.from({ length: 60 }, (_, i): EventRow[] => [
      [0, 'invoke', 'read'],
      [0, 'ok', 'read', 1000 + ((i * 7) % 60)],
    ]).flat();
    const good = checkLinearizability(historyOf(...lostWrites(60), ...seen), registerModel);
    expect(good).toMatchObject({ isLinearizable: true });
    const twice: EventRow[] = [
      [0, 'invoke', 'read'],
      [0, 'ok', 'read', 1000],
    ];
    const bad = checkLinearizability(historyOf(...lostWrites(60), ...seen, ...twice), registerModel);
    expect(bad).toMatchObject({ isLinearizable: false });
    expect(good.steps + bad.steps).toBeLessThan(100_000);
  });

  it('stays small with many increments of unknown outcome', () => {
    const lost = Array.from({ length: 100 }, (_, i): EventRow[] => [
      [100 + i, 'invoke', 'increment', 1 + (i % 2)],
      [100 + i, 'info', 'increment'],
    ]).flat();
    const read = (sum: number): EventRow[] => [
      [0, 'invoke', 'read'],
      [0, 'ok', 'read', sum],
    ];
    const good = checkLinearizability(historyOf(...lost, ...read(40), ...read(149)), counterModel);
    expect(good).toMatchObject({ isLinearizable: true });
    const bad = checkLinearizability(historyOf(...lost, ...read(40), ...read(151)), counterModel);
    expect(bad).toMatchObject({ isLinearizable: false });
    expect(good.steps + bad.steps).toBeLessThan(100_000);
  });

  it('stays small with many writes and deletes of unknown outcome that only say whether a record is there', () => {
    const lost = Array.from({ length: 40 }, (_, i): EventRow[] => [
      [100 + i, 'invoke', 'write', { value: `lost ${i}` }],
      [200 + i, 'invoke', 'delete'],
    ]).flat();
    const writes = (createdLast: boolean): EventRow[] =>
      Array.from({ length: 30 }, (_, i): EventRow[] => [
        [0, 'invoke', 'write', { value: `known ${i}` }],
        [0, 'ok', 'write', { revision: 10 * (i + 1), created: i === 29 ? createdLast : i % 3 === 0 }],
      ]).flat();
    const stale: EventRow[] = [
      [0, 'invoke', 'read'],
      [0, 'ok', 'read', { value: 'known 3', revision: 40 }],
    ];
    const good = checkLinearizability(historyOf(...lost, ...writes(false)), recordModel);
    expect(good).toMatchObject({ isLinearizable: true });
    const bad = checkLinearizability(historyOf(...lost, ...writes(true), ...stale), recordModel);
    expect(bad).toMatchObject({ isLinearizable: false });
    expect(good.steps + bad.steps).toBeLessThan(100_000);
  });

  it('is bounded: then the answer is that nothing is known', () => {
    const events = historyOf(...rounds(50, -1));
    expect(checkLinearizability(events, registerModel, { stepsMax: 100 })).toMatchObject({
      isLinearizable: 'unknown',
      key: 'x',
    });
    expect(checkLinearizability(events, registerModel)).toMatchObject({ isLinearizable: false });
  });

  it('does not keep a later key from being found wrong', () => {
    const wrong: EventRow[] = [
      [0, 'invoke', 'read', null, 'y'],
      [0, 'ok', 'read', 1, 'y'],
    ];
    const result = checkLinearizability(historyOf(...rounds(50, -1), ...wrong), registerModel, { stepsMax: 100 });
    expect(result).toMatchObject({ isLinearizable: false, key: 'y' });
  });
});
