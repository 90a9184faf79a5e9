import type { EventType, HistoryEvent, JsonValue } from '../history.js';

/** A short form: process, type, f, value (null if left out), key ('x' if left out). The time is the row's number. */
export type EventRow = readonly [process: number, type: EventType, f: string, value?: JsonValue, key?: string];

export function historyOf(...rows: readonly EventRow[]): HistoryEvent[] {
  return rows.map(([process, type, f, value = null, key = 'x'], time) => ({ process, type, f, key, value, time }));
}

/** One operation after the other: each is completed by `ok` before the next is invoked. */
export function sequentialHistory(
  ...operations: readonly (readonly [f: string, argument: JsonValue, answer: JsonValue])[]
): HistoryEvent[] {
  return historyOf(
    ...operations.flatMap(([f, argument, answer]): EventRow[] => [
      [0, 'invoke', f, argument],
      [0, 'ok', f, answer],
    ]),
  );
}
