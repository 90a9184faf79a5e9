import { HistoryError, operationsOf, type HistoryEvent } from './history.js';
import { historyOf } from './testing/event-rows.js';

function errorOf(events: readonly HistoryEvent[]): HistoryError {
  try {
    operationsOf(events);
  } catch (error) {
    if (error instanceof HistoryError) return error;
    throw error;
  }
  throw new Error('no error');
}

describe('the operations of a history', () => {
  it('join an invocation with its completion, in the order of invocation', () => {
    const events = historyOf(
      [0, 'invoke', 'write', 1],
      [1, 'invoke', 'read'],
      [1, 'ok', 'read', 1],
      [0, 'ok', 'write', 2],
      [1, 'invoke', 'delete'],
    );
    expect(operationsOf(events)).toEqual([
      {
        process: 0,
        f: 'write',
        key: 'x',
        argument: 1,
        answer: 2,
        invokedAt: 0,
        completedAt: 3,
        invokeTime: 0,
        completeTime: 3,
      },
      expect.objectContaining({ process: 1, f: 'read', answer: 1, invokedAt: 1, completedAt: 2 }),
      expect.objectContaining({ process: 1, f: 'delete', answer: undefined, completedAt: Infinity }),
    ]);
  });

  it('are without those that failed; an info has no answer and never ends', () => {
    const events = historyOf(
      [0, 'invoke', 'write', 1],
      [1, 'invoke', 'write', 2],
      [0, 'fail', 'write', 1],
      [1, 'info', 'write', 2],
    );
    expect(operationsOf(events)).toEqual([
      expect.objectContaining({ argument: 2, answer: undefined, completedAt: Infinity, completeTime: undefined }),
    ]);
  });

  it('keep the order of events at the same time', () => {
    const events = historyOf([0, 'invoke', 'read'], [0, 'ok', 'read']).map((event) => ({ ...event, time: 7 }));
    expect(operationsOf(events)).toMatchObject([{ invokedAt: 0, completedAt: 1, invokeTime: 7, completeTime: 7 }]);
  });

  it('are none if a process completes what it has not invoked', () => {
    const error = errorOf(historyOf([0, 'invoke', 'read'], [1, 'ok', 'read']));
    expect(error).toMatchObject({ code: 'INVALID_HISTORY', where: 'event 2', field: 'type' });
    expect(error.message).toBe('event 2: type: process 1 completes an operation that it has not invoked');
    expect(errorOf(historyOf([0, 'invoke', 'read'], [0, 'ok', 'read'], [0, 'ok', 'read']))).toMatchObject({
      where: 'event 3',
    });
  });

  it('are none if a process invokes before it has completed', () => {
    const error = errorOf(historyOf([0, 'invoke', 'read'], [0, 'invoke', 'read']));
    expect(error.message).toBe('event 2: type: process 0 invokes before its operation of event 1 is completed');
  });

  it('are none if the completion is of something else', () => {
    expect(errorOf(historyOf([0, 'invoke', 'read'], [0, 'ok', 'write'])).message).toBe(
      'event 2: f: is "write", must be "read", as in event 1',
    );
    expect(errorOf(historyOf([0, 'invoke', 'read'], [0, 'ok', 'read', 1, 'y']))).toMatchObject({ field: 'key' });
  });

  it('are none if time runs back', () => {
    const [invoke, ok] = historyOf([0, 'invoke', 'read'], [0, 'ok', 'read']);
    expect(errorOf([invoke!, { ...ok!, time: -1 }]).message).toBe('event 2: time: -1 comes after 0: time never falls');
  });
});
