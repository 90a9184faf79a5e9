import type { HistoryEvent, JsonValue } from '../linearizability/history.js';
import { checkOf } from '../testing/fake-cluster.js';
import { checkRevisionOrder } from './revision-order.js';

const invoke = (process: number, key: string): HistoryEvent => ({
  process,
  type: 'invoke',
  f: 'write',
  key,
  value: { value: 'x' },
  time: 0,
});
const ok = (process: number, key: string, value: JsonValue): HistoryEvent => ({
  process,
  type: 'ok',
  f: 'write',
  key,
  value,
  time: 1,
});
const verdict = (...events: HistoryEvent[]): string => checkOf(() => checkRevisionOrder(events));

describe('checkRevisionOrder', () => {
  it('revision_order: two keys are given one revision', () => {
    const [one, other] = [ok(1, 'k', { revision: 3, created: true }), ok(2, 'l', { revision: 3, created: true })];
    expect(verdict(invoke(1, 'k'), invoke(2, 'l'), one, other)).toBe('revision_order');
  });

  it('revision_order: a later write of another key gets a lower one', () => {
    const first = [invoke(1, 'k'), ok(1, 'k', { revision: 5, created: true })];
    expect(verdict(...first, invoke(2, 'l'), ok(2, 'l', { revision: 4, created: true }))).toBe('revision_order');
    expect(verdict(...first, invoke(2, 'l'), ok(2, 'l', { revision: 6, created: true }))).toBe('nothing');
  });

  it('leaves writes alone that overlap, and those that changed nothing', () => {
    const overlapping = [
      invoke(1, 'k'),
      invoke(2, 'l'),
      ok(1, 'k', { revision: 5, created: true }),
      ok(2, 'l', { revision: 4, created: true }),
    ];
    expect(verdict(...overlapping)).toBe('nothing');
    const idle = [
      invoke(3, 'k'),
      ok(3, 'k', { refused: 'PRECONDITION_FAILED', revision: 5 }),
      invoke(3, 'l'),
      ok(3, 'l', { deleted: false, revision: 5 }),
    ];
    expect(verdict(...overlapping, ...idle)).toBe('nothing');
  });
});
