import { operationsOf, type HistoryEvent, type JsonValue, type Operation } from '../history.js';
import type { SequentialObject } from './sequential-objects.js';

interface Tried {
  readonly memory: Set<string> | undefined;
}

/**
 * Linearizability by its definition, for one key: tries all orders of the operations that keep the order in time, with
 * any of those of unknown outcome. `shouldRemember` skips what it has tried already, for histories beyond ten operations.
 */
export function isLinearizableByBruteForce(
  events: readonly HistoryEvent[],
  object: SequentialObject,
  { shouldRemember }: { readonly shouldRemember: boolean },
): boolean {
  const operations = operationsOf(events);
  const known = operations.flatMap(({ argument, answer }) => [
    ...revisionsIn(argument),
    ...revisionsIn(answer ?? null),
  ]);
  const limit = Math.max(0, ...known) + operations.filter(({ answer }) => answer === undefined).length + 1;
  return canFinish(operations, object, object.initial, limit, { memory: shouldRemember ? new Set() : undefined });
}

function canFinish(
  left: readonly Operation[],
  object: SequentialObject,
  state: unknown,
  limit: number,
  tried: Tried,
): boolean {
  if (left.every(({ answer }) => answer === undefined)) return true;
  if (tried.memory !== undefined) {
    const key = JSON.stringify([left.map(({ invokedAt }) => invokedAt), state]);
    if (tried.memory.has(key)) return false;
    tried.memory.add(key);
  }
  return left.some((operation) => {
    const others = left.filter((other) => other !== operation);
    if (others.some(({ completedAt }) => completedAt < operation.invokedAt)) return false;
    return object
      .outcomes(state, operation.f, operation.argument, limit)
      .filter(({ answer }) => operation.answer === undefined || agrees(operation, answer))
      .some((outcome) => canFinish(others, object, outcome.state, limit, tried));
  });
}

/** What a completed operation answers is what the object does; for changes, an answer may leave fields out. */
function agrees({ f, answer }: Operation, actual: JsonValue): boolean {
  if (f === 'delete' || f === 'write') {
    if (!isObject(answer ?? null)) return !isObject(actual) || !('refused' in actual);
  }
  if (f === 'read' || !isObject(answer ?? null) || !isObject(actual)) {
    return JSON.stringify(answer) === JSON.stringify(actual);
  }
  const given = answer as Readonly<Record<string, JsonValue>>;
  if ('refused' in given !== 'refused' in actual) return false;
  return Object.entries(given).every(([field, value]) => actual[field] === value);
}

function isObject(value: JsonValue): value is Readonly<Record<string, JsonValue>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function revisionsIn(value: JsonValue): number[] {
  if (!isObject(value)) return [];
  return [value['revision'], value['ifRevision']].filter((revision) => typeof revision === 'number');
}
