import { checkLinearizability } from './check-linearizability.js';
import type { HistoryEvent } from './history.js';
import type { Model } from './model.js';
import { casRegisterModel } from './models/cas-register.js';
import { counterModel } from './models/counter.js';
import { registerModel } from './models/register.js';
import { historyOf, type EventRow } from './testing/event-rows.js';

function verdict(model: Model, ...rows: readonly EventRow[]): boolean | 'unknown' {
  return checkLinearizability(historyOf(...rows), model).isLinearizable;
}

function counterexampleOf(events: readonly HistoryEvent[], model: Model) {
  const result = checkLinearizability(events, model);
  if (result.isLinearizable !== false) throw new Error('the history is linearizable');
  return result;
}

describe('a register', () => {
  const is = (...rows: readonly EventRow[]) => verdict(registerModel, ...rows);

  it('is absent before the first write', () => {
    expect(is()).toBe(true);
    expect(is([0, 'invoke', 'read'], [0, 'ok', 'read', null])).toBe(true);
    expect(is([0, 'invoke', 'read'], [0, 'ok', 'read', 1])).toBe(false);
  });

  it('does not take the text of a number for the number', () => {
    const write: EventRow[] = [
      [0, 'invoke', 'write', 1],
      [0, 'ok', 'write', 1],
      [0, 'invoke', 'read'],
    ];
    expect(is(...write, [0, 'ok', 'read', 1])).toBe(true);
    expect(is(...write, [0, 'ok', 'read', '1'])).toBe(false);
  });

  it('tries both orders of writes whose values differ in nothing but the type', () => {
    const writes: EventRow[] = [
      [0, 'invoke', 'write', 1],
      [1, 'invoke', 'write', '1'],
      [0, 'ok', 'write'],
      [1, 'ok', 'write'],
      [0, 'invoke', 'read'],
    ];
    expect(is(...writes, [0, 'ok', 'read', 1])).toBe(true);
    expect(is(...writes, [0, 'ok', 'read', '1'])).toBe(true);
  });

  it('is absent again after a delete', () => {
    const rows: EventRow[] = [
      [0, 'invoke', 'write', 1],
      [0, 'ok', 'write', 1],
      [0, 'invoke', 'delete'],
      [0, 'ok', 'delete'],
      [0, 'invoke', 'read'],
    ];
    expect(is(...rows, [0, 'ok', 'read', null])).toBe(true);
    expect(is(...rows, [0, 'ok', 'read', 1])).toBe(false);
  });

  it('may answer with either value while a write is on its way', () => {
    for (const answer of [1, 2]) {
      const rows: EventRow[] = [
        [0, 'invoke', 'write', 1],
        [0, 'ok', 'write', 1],
        [0, 'invoke', 'write', 2],
        [1, 'invoke', 'read'],
        [1, 'ok', 'read', answer],
        [0, 'ok', 'write', 2],
      ];
      expect(is(...rows)).toBe(true);
    }
  });

  it('does not answer with the old value after it has answered with the new one', () => {
    const rows: EventRow[] = [
      [0, 'invoke', 'write', 1],
      [0, 'ok', 'write', 1],
      [0, 'invoke', 'write', 2],
      [1, 'invoke', 'read'],
      [1, 'ok', 'read', 2],
      [2, 'invoke', 'read'],
      [2, 'ok', 'read', 1],
      [0, 'ok', 'write', 2],
    ];
    expect(is(...rows)).toBe(false);
  });

  it('does not answer with a stale value', () => {
    const rows: EventRow[] = [
      [0, 'invoke', 'write', 1],
      [0, 'ok', 'write', 1],
      [0, 'invoke', 'write', 2],
      [0, 'ok', 'write', 2],
      [1, 'invoke', 'read'],
      [1, 'ok', 'read', 1],
    ];
    expect(is(...rows)).toBe(false);
  });

  it('does not answer with a value that nobody wrote', () => {
    expect(is([0, 'invoke', 'write', 1], [1, 'invoke', 'write', 2], [2, 'invoke', 'read'], [2, 'ok', 'read', 3])).toBe(
      false,
    );
  });

  it('orders concurrent writes as all readers saw them', () => {
    const writes: EventRow[] = [
      [0, 'invoke', 'write', 1],
      [1, 'invoke', 'write', 2],
      [0, 'ok', 'write', 1],
      [1, 'ok', 'write', 2],
      [2, 'invoke', 'read'],
      [3, 'invoke', 'read'],
    ];
    expect(is(...writes, [2, 'ok', 'read', 1], [3, 'ok', 'read', 1])).toBe(true);
    expect(is(...writes, [2, 'ok', 'read', 1], [3, 'ok', 'read', 2])).toBe(false);
  });
});

describe('an operation of unknown outcome', () => {
  const is = (...rows: readonly EventRow[]) => verdict(registerModel, ...rows);
  const written: readonly EventRow[] = [
    [0, 'invoke', 'write', 1],
    [0, 'ok', 'write', 1],
  ];
  const read = (process: number, value: number | null): EventRow[] => [
    [process, 'invoke', 'read'],
    [process, 'ok', 'read', value],
  ];

  it('may take effect much later, but once', () => {
    const lost: EventRow[] = [...written, [1, 'invoke', 'write', 2], [1, 'info', 'write']];
    expect(is(...lost, ...read(0, 1), ...read(0, 1), ...read(0, 2))).toBe(true);
    expect(is(...lost, ...read(0, 1), ...read(0, 2), ...read(0, 1))).toBe(false);
    const overwritten: EventRow[] = [
      [0, 'invoke', 'write', 3],
      [0, 'ok', 'write', 3],
    ];
    expect(is(...lost, ...read(0, 2), ...overwritten, ...read(0, 3))).toBe(true);
    expect(is(...lost, ...read(0, 1), ...overwritten, ...read(0, 2))).toBe(true);
    expect(is(...lost, ...read(0, 2), ...overwritten, ...read(0, 2))).toBe(false);
  });

  it('may never take effect', () => {
    expect(is(...written, [1, 'invoke', 'write', 2], [1, 'info', 'write'], ...read(0, 1))).toBe(true);
  });

  it('is the same if it is never completed', () => {
    const open: EventRow[] = [...written, [1, 'invoke', 'write', 2]];
    expect(is(...open, ...read(0, 1))).toBe(true);
    expect(is(...open, ...read(0, 1), ...read(0, 2))).toBe(true);
    expect(is(...open, ...read(0, 2), ...read(0, 1))).toBe(false);
  });

  it('does not take effect before it is invoked', () => {
    expect(is(...written, ...read(0, 2), [1, 'invoke', 'write', 2], [1, 'info', 'write'])).toBe(false);
  });

  it('may take effect after its process has gone on', () => {
    const lost: EventRow[] = [...written, [0, 'invoke', 'write', 2], [0, 'info', 'write']];
    expect(is(...lost, ...read(0, 1), ...read(0, 2))).toBe(true);
  });

  it('says nothing if it is a read', () => {
    expect(is(...written, [1, 'invoke', 'read'], [1, 'info', 'read'], ...read(0, 1))).toBe(true);
  });

  it('takes effect as often as it was invoked, also if the invocations are alike', () => {
    const increments = (count: number): EventRow[] =>
      Array.from({ length: count }, (_, i): EventRow[] => [
        [10 + i, 'invoke', 'increment', 1],
        [10 + i, 'info', 'increment'],
      ]).flat();
    for (const sum of [0, 1, 2, 3]) {
      expect(verdict(counterModel, ...increments(3), ...read(0, sum))).toBe(true);
    }
    expect(verdict(counterModel, ...increments(3), ...read(0, 4))).toBe(false);
    expect(verdict(counterModel, ...increments(3), ...read(0, 2), ...read(0, 1))).toBe(false);
  });
});

describe('a failed operation', () => {
  it('surely took no effect', () => {
    const failed: EventRow[] = [
      [0, 'invoke', 'write', 1],
      [0, 'fail', 'write', 1],
      [0, 'invoke', 'read'],
    ];
    expect(verdict(registerModel, ...failed, [0, 'ok', 'read', null])).toBe(true);
    expect(verdict(registerModel, ...failed, [0, 'ok', 'read', 1])).toBe(false);
  });
});

describe('a compare-and-set register', () => {
  const is = (...rows: readonly EventRow[]) => verdict(casRegisterModel, ...rows);
  const written: readonly EventRow[] = [
    [0, 'invoke', 'write', 1],
    [0, 'ok', 'write', 1],
  ];

  it('lets one of two that expect the same value win', () => {
    const both: EventRow[] = [...written, [1, 'invoke', 'cas', [1, 2]], [2, 'invoke', 'cas', [1, 3]]];
    expect(is(...both, [1, 'ok', 'cas', [1, 2]], [2, 'ok', 'cas', false])).toBe(true);
    expect(is(...both, [1, 'ok', 'cas', false], [2, 'ok', 'cas', [1, 3]])).toBe(true);
    expect(is(...both, [1, 'ok', 'cas', [1, 2]], [2, 'fail', 'cas', [1, 3]])).toBe(true);
    expect(is(...both, [1, 'ok', 'cas', [1, 2]], [2, 'ok', 'cas', [1, 3]])).toBe(false);
    expect(is(...both, [1, 'ok', 'cas', false], [2, 'ok', 'cas', false])).toBe(false);
  });

  it('concludes nothing from one that failed', () => {
    expect(is(...written, [1, 'invoke', 'cas', [1, 2]], [1, 'fail', 'cas', [1, 2]])).toBe(true);
  });

  it('creates and removes by null', () => {
    const rows: EventRow[] = [
      [0, 'invoke', 'cas', [null, 'a']],
      [0, 'ok', 'cas', [null, 'a']],
      [0, 'invoke', 'cas', ['a', null]],
      [0, 'ok', 'cas', ['a', null]],
      [0, 'invoke', 'read'],
    ];
    expect(is(...rows, [0, 'ok', 'read', null])).toBe(true);
    expect(is(...rows, [0, 'ok', 'read', 'a'])).toBe(false);
  });

  it('may have swapped or not if its outcome is unknown, and then another one after it', () => {
    const lost: EventRow[] = [
      ...written,
      [1, 'invoke', 'cas', [1, 2]],
      [1, 'info', 'cas'],
      [2, 'invoke', 'cas', [2, 3]],
      [2, 'info', 'cas'],
      [0, 'invoke', 'read'],
    ];
    for (const answer of [1, 2, 3]) expect(is(...lost, [0, 'ok', 'read', answer])).toBe(true);
    const third: EventRow[] = [...lost, [0, 'ok', 'read', 3], [0, 'invoke', 'read']];
    expect(is(...third, [0, 'ok', 'read', 2])).toBe(false);
  });
});

describe('a counter', () => {
  const is = (...rows: readonly EventRow[]) => verdict(counterModel, ...rows);

  it('counts each increment once', () => {
    const first: EventRow[] = [
      [0, 'invoke', 'increment', 1],
      [0, 'ok', 'increment', 1],
      [0, 'invoke', 'increment', 1],
    ];
    expect(is(...first, [0, 'ok', 'increment', 2])).toBe(true);
    expect(is(...first, [0, 'ok', 'increment', 3])).toBe(false);
  });

  it('loses no increment of two at once', () => {
    const both: EventRow[] = [
      [0, 'invoke', 'increment', 1],
      [1, 'invoke', 'increment', 1],
    ];
    expect(is(...both, [0, 'ok', 'increment', 2], [1, 'ok', 'increment', 1])).toBe(true);
    expect(is(...both, [0, 'ok', 'increment', 1], [1, 'ok', 'increment', 1])).toBe(false);
  });

  it('does not count one of unknown outcome twice', () => {
    const lost: EventRow[] = [
      [0, 'invoke', 'increment', 5],
      [0, 'info', 'increment'],
      [1, 'invoke', 'read'],
    ];
    expect(is(...lost, [1, 'ok', 'read', 0])).toBe(true);
    expect(is(...lost, [1, 'ok', 'read', 5])).toBe(true);
    expect(is(...lost, [1, 'ok', 'read', 10])).toBe(false);
  });
});

describe('several keys', () => {
  it('are checked one by one; the answer names the one that is wrong', () => {
    const events = historyOf(
      [0, 'invoke', 'write', 1, 'good'],
      [1, 'invoke', 'write', 1, 'bad'],
      [0, 'ok', 'write', 1, 'good'],
      [1, 'ok', 'write', 1, 'bad'],
      [0, 'invoke', 'read', null, 'bad'],
      [0, 'ok', 'read', null, 'bad'],
    );
    expect(counterexampleOf(events, registerModel)).toMatchObject({ key: 'bad' });
    expect(checkLinearizability(events.slice(0, 4), registerModel).isLinearizable).toBe(true);
  });

  it('may each have a model', () => {
    const events = historyOf(
      [0, 'invoke', 'increment', 2, 'counter'],
      [0, 'ok', 'increment', 2, 'counter'],
      [0, 'invoke', 'write', 'a', 'register'],
      [0, 'ok', 'write', 'a', 'register'],
    );
    const modelOf = (key: string): Model => (key === 'counter' ? counterModel : registerModel);
    expect(checkLinearizability(events, modelOf).isLinearizable).toBe(true);
  });
});

describe('a counterexample', () => {
  const events = historyOf(
    [0, 'invoke', 'write', 1],
    [3, 'invoke', 'write', 9],
    [3, 'info', 'write'],
    [0, 'ok', 'write', 1],
    [0, 'invoke', 'write', 2],
    [0, 'ok', 'write', 2],
    [1, 'invoke', 'read'],
    [1, 'ok', 'read', 1],
    [0, 'invoke', 'read'],
    [0, 'ok', 'read', 2],
  );

  it('has the longest order, and what cannot come next', () => {
    const { counterexample } = counterexampleOf(events, registerModel);
    expect(counterexample.placed.map(({ operation, state }) => [operation.f, operation.argument, state])).toEqual([
      ['write', 1, '1'],
      ['write', 2, '2'],
    ]);
    expect(counterexample.stuck).toEqual([expect.objectContaining({ process: 1, f: 'read', answer: 1 })]);
    expect(counterexample.unused).toEqual([expect.objectContaining({ process: 3, argument: 9 })]);
  });

  it('can be read', () => {
    expect(counterexampleOf(events, registerModel).counterexample.explanation).toBe(
      [
        'key "x" is not linearizable as a register',
        'the longest order found has 2 operations:',
        '  [0, 3] process 0: write(1) -> 1   then 1',
        '  [4, 5] process 0: write(2) -> 2   then 2',
        'the state is 2; none of these can come next:',
        '  [6, 7] process 1: read() -> 1',
        'of unknown outcome, and no help:',
        '  [1, ...] process 3: write(9) -> unknown',
      ].join('\n'),
    );
  });

  it('shows of a long order only the end', () => {
    const many = Array.from({ length: 40 }, (_, i): EventRow[] => [
      [0, 'invoke', 'increment', 1],
      [0, 'ok', 'increment', i + 1],
    ]).flat();
    const wrong = historyOf(...many, [0, 'invoke', 'read'], [0, 'ok', 'read', 39]);
    const { explanation } = counterexampleOf(wrong, counterModel).counterexample;
    expect(explanation).toContain('has 40 operations (the last 12 of 40):');
    expect(explanation.split('\n')).toHaveLength(2 + 12 + 2);
  });
});
