/** What JSON can hold. Whole numbers beyond 2^53 - 1 are refused: write them as text. */
export type JsonValue =
  null | boolean | number | string | readonly JsonValue[] | { readonly [field: string]: JsonValue };

/**
 * In the words of Jepsen and Knossos. Every operation begins with `invoke`; its process then learns that it
 * - `ok`: took effect, and what it answered;
 * - `fail`: surely did not and never will take effect;
 * - `info`: may take effect at any later time, or never. An invocation that is never completed means the same.
 */
export type EventType = 'invoke' | 'ok' | 'fail' | 'info';

/**
 * One event of a history. The order of a history's events is the order in which they happened: an operation that was
 * completed before another was invoked comes before it.
 */
export interface HistoryEvent {
  /** A client that waits for one answer at a time: a whole number from 0. */
  readonly process: number;
  readonly type: EventType;
  /** The function's name: one of those that the model knows. */
  readonly f: string;
  readonly key: string;
  /** The argument in an `invoke`, the answer in an `ok`; its form is the model's. Not looked at in `fail` and `info`. */
  readonly value: JsonValue;
  /** A whole number in any unit. It never falls; events at the same time happened in the order given. */
  readonly time: number;
}

/** An invocation with what became of it. Those that failed have no place in an order and are left out. */
export interface Operation {
  readonly process: number;
  readonly f: string;
  readonly key: string;
  readonly argument: JsonValue;
  /** `undefined` if the outcome is unknown. */
  readonly answer: JsonValue | undefined;
  /** Positions in the history; an unknown outcome is completed at `Infinity`. */
  readonly invokedAt: number;
  readonly completedAt: number;
  /** Times of the events; `completeTime` is `undefined` if the outcome is unknown. */
  readonly invokeTime: number;
  readonly completeTime: number | undefined;
}

/** The history is none: a line, an event or a value does not have the form that it must have. */
export class HistoryError extends Error {
  readonly code = 'INVALID_HISTORY';

  /**
   * @param where such as `line 3` or `event 3`, counted from 1
   * @param field the event's field at fault; '' if it is the whole
   * @param reason what is there and what is allowed
   */
  constructor(
    readonly where: string,
    readonly field: string,
    readonly reason: string,
  ) {
    super(`${where}: ${field === '' ? '' : `${field}: `}${reason}`);
    this.name = 'HistoryError';
  }
}

/**
 * Joins each invocation with its completion, in the order of invocation, without those that failed. Throws a
 * `HistoryError` if a process completes what it did not invoke, invokes before it has completed, or time runs back.
 */
export function operationsOf(events: Iterable<HistoryEvent>): Operation[] {
  const invoked: { invoke: HistoryEvent; at: number; completion?: HistoryEvent; completedAt: number }[] = [];
  const openOf = new Map<number, (typeof invoked)[number]>();
  let position = 0;
  let time = -Infinity;
  for (const event of events) {
    const at = position++;
    const where = `event ${position}`;
    if (event.time < time) throw new HistoryError(where, 'time', `${event.time} comes after ${time}: time never falls`);
    time = event.time;
    const open = openOf.get(event.process);
    if (event.type === 'invoke') {
      if (open !== undefined) {
        const reason = `process ${event.process} invokes before its operation of event ${open.at + 1} is completed`;
        throw new HistoryError(where, 'type', reason);
      }
      const operation = { invoke: event, at, completedAt: Infinity };
      invoked.push(operation);
      openOf.set(event.process, operation);
      continue;
    }
    if (open === undefined) {
      throw new HistoryError(where, 'type', `process ${event.process} completes an operation that it has not invoked`);
    }
    for (const field of ['f', 'key'] as const) {
      if (event[field] === open.invoke[field]) continue;
      const due = `${JSON.stringify(open.invoke[field])}, as in event ${open.at + 1}`;
      throw new HistoryError(where, field, `is ${JSON.stringify(event[field])}, must be ${due}`);
    }
    open.completion = event;
    open.completedAt = event.type === 'ok' ? at : Infinity;
    openOf.delete(event.process);
  }
  return invoked
    .filter(({ completion }) => completion?.type !== 'fail')
    .map(({ invoke, at, completion, completedAt }) => ({
      process: invoke.process,
      f: invoke.f,
      key: invoke.key,
      argument: invoke.value,
      answer: completion?.type === 'ok' ? completion.value : undefined,
      invokedAt: at,
      completedAt,
      invokeTime: invoke.time,
      completeTime: completion?.type === 'ok' ? completion.time : undefined,
    }));
}
