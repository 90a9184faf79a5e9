import type { HistoryEvent } from '@app/simulator';
import { keyFaults } from './key-check.js';

/** One operation after the other, each of a process of its own. */
function history(
  ...rows: readonly (readonly [f: string, key: string, argument: object | null, answer: object | null])[]
) {
  return rows.flatMap(([f, key, argument, answer], process): HistoryEvent[] => [
    { process, type: 'invoke', f, key, value: argument as HistoryEvent['value'], time: 2 * process },
    { process, type: 'ok', f, key, value: answer as HistoryEvent['value'], time: 2 * process + 1 },
  ]);
}

describe('keyFaults', () => {
  const good = history(
    ['write', 'a', { value: '1' }, { revision: 1, created: true }],
    ['write', 'b', { value: '2', ifAbsent: true }, { revision: 2, created: true }],
    ['increment', 'c', { delta: 2 }, { value: '2', revision: 3 }],
    ['write', 'b', { value: '3', ifRevision: 1 }, { refused: 'PRECONDITION_FAILED', revision: 2 }],
    ['read', 'a', null, { value: '1', revision: 1 }],
    ['delete', 'b', {}, {}],
    ['read', 'b', null, null],
  );

  it('finds nothing wrong with what is right', async () => {
    expect(await keyFaults(good)).toEqual([]);
  });

  it.each([
    ['a lost write', 4, null],
    ['a stale read', 6, { value: '2', revision: 2 }],
    ['a write that was applied twice', 2, { value: '4', revision: 4 }],
    ['a condition that was not kept', 3, { revision: 4, created: false }],
  ])('finds %s in a doctored history, and names the key', async (_what, operation, answer) => {
    const doctored = good.map((event, i) => (i === 2 * operation + 1 ? { ...event, value: answer } : event));
    const faults = await keyFaults(doctored);
    expect(faults).toEqual([expect.stringContaining(`key "${good[2 * operation]!.key}" is not linearizable`)]);
  });
});
