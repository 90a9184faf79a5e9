import { HistoryHash } from './history-hash.js';
import { ascii } from './testing/bytes.js';

type Step = readonly [index: number, logTimeMs: number, ...answers: string[]];

function historyOf(...steps: readonly Step[]): string {
  const history = new HistoryHash();
  for (const [index, logTimeMs, ...answers] of steps) history.add(index, logTimeMs, answers.map(ascii));
  return history.toString();
}

describe('HistoryHash', () => {
  it('keeps its values, as they are stored', () => {
    expect(historyOf()).toBe('486973746f727931');
    expect(historyOf([1, 0])).toBe('4a181f826ad88500');
    expect(historyOf([1, 5, 'answer', ''], [2, 5])).toBe('cb7d31a2b4a2c6d0');
  });

  it('is another one for every other history', () => {
    const histories = [
      historyOf(),
      historyOf([1, 5]),
      historyOf([2, 5]),
      historyOf([2 ** 32 + 1, 5]),
      historyOf([1, 6]),
      historyOf([1, 2 ** 32 + 5]),
      historyOf([1, 5, '']),
      historyOf([1, 5, '', '']),
      historyOf([1, 5, 'ab']),
      historyOf([1, 5, 'ba']),
      historyOf([1, 5, 'a', 'b']),
      historyOf([1, 5, 'b', 'a']),
      historyOf([1, 5, 'ab', '']),
      historyOf([1, 5, '', 'ab']),
      historyOf([1, 5, 'ab\0']),
      historyOf([1, 5, 'a'], [2, 5, 'b']),
      historyOf([2, 5, 'b'], [1, 5, 'a']),
      historyOf([1, 5], [2, 5]),
      historyOf([1, 5], [2, 5], [3, 5]),
    ];
    expect(new Set(histories).size).toBe(histories.length);
  });

  it('never forgets a difference', () => {
    const same: Step[] = Array.from({ length: 2_000 }, (_, i) => [i + 2, 5, 'same']);
    expect(historyOf([1, 5, 'one'], ...same)).not.toBe(historyOf([1, 5, 'two'], ...same));
  });

  it('goes on from a chain that was kept, or from the start', () => {
    const kept = new HistoryHash();
    kept.add(1, 5, [ascii('a')]);
    const history = new HistoryHash();
    history.restore({ high: kept.high, low: kept.low });
    history.add(2, 5, [ascii('b')]);
    expect(history.toString()).toBe(historyOf([1, 5, 'a'], [2, 5, 'b']));
    history.clear();
    expect(history.toString()).toBe(historyOf());
  });
});
