import { HistoryError, type EventType, type HistoryEvent, type JsonValue } from './history.js';

const FIELDS = ['process', 'type', 'f', 'key', 'value', 'time'] as const;
const TYPES: readonly EventType[] = ['invoke', 'ok', 'fail', 'info'];

/** One line of JSON for each event, without line ends. Throws a `HistoryError` for what the format cannot hold. */
export function* toJsonLines(events: Iterable<HistoryEvent>): Generator<string> {
  let count = 0;
  for (const event of events) {
    const { process, type, f, key, value, time } = checkedEvent(event, `event ${++count}`);
    yield JSON.stringify({ process, type, f, key, value, time });
  }
}

/**
 * The events of lines of JSON, with or without their line ends; blank lines are skipped. Throws a `HistoryError` that
 * names the line, the field and what is allowed. Whether the events fit together is `operationsOf`'s to say.
 */
export function fromJsonLines(lines: Iterable<string>): HistoryEvent[] {
  const events: HistoryEvent[] = [];
  let count = 0;
  for (const line of lines) {
    const where = `line ${++count}`;
    if (line.trim() === '') continue;
    events.push(checkedEvent(parse(line, where), where));
  }
  return events;
}

function parse(line: string, where: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw new HistoryError(where, '', `is no JSON: ${(error as Error).message}`);
  }
}

function checkedEvent(candidate: unknown, where: string): HistoryEvent {
  if (!isObject(candidate)) throw new HistoryError(where, '', `must be an object of ${FIELDS.join(', ')}`);
  for (const field of FIELDS) {
    if (!Object.hasOwn(candidate, field)) throw new HistoryError(where, field, 'is missing');
  }
  const extra = Object.keys(candidate).find((field) => !FIELDS.some((known) => known === field));
  if (extra !== undefined) throw new HistoryError(where, extra, `is no field; there are ${FIELDS.join(', ')}`);

  const { process, type, f, key, value, time } = candidate;
  const refuse = (field: string, is: unknown, allowed: string): HistoryError =>
    new HistoryError(where, field, `is ${JSON.stringify(is) ?? String(is)}, must be ${allowed}`);
  if (!isWhole(process) || process < 0) throw refuse('process', process, 'a whole number from 0');
  if (!TYPES.some((known) => known === type)) throw refuse('type', type, `one of ${TYPES.join(', ')}`);
  if (typeof f !== 'string' || f === '') throw refuse('f', f, 'the name of a function');
  if (typeof key !== 'string') throw refuse('key', key, 'text');
  if (!isJsonValue(value)) throw refuse('value', value, 'a JSON value with exact numbers (beyond 2^53 - 1 as text)');
  if (!isWhole(time)) throw refuse('time', time, 'a whole number');
  return { process, type: type as EventType, f, key, value, time };
}

function isJsonValue(value: unknown): value is JsonValue {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value));
    case 'object':
      if (value === null) return true;
      if (Array.isArray(value)) return value.every(isJsonValue);
      return isObject(value) && Object.values(value).every(isJsonValue);
    default:
      return false;
  }
}

/** Not an array, nor an instance of a class, which JSON would change. */
function isObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value);
}
