import { explain } from './explain.js';
import { operationsOf, type HistoryEvent, type Operation } from './history.js';
import type { Model } from './model.js';
import { OrderSearch, type DeadEnd } from './order-search.js';

export interface LinearizabilityOptions {
  /**
   * How often the model may be asked what an operation would do, for each key; the check of that key ends as
   * 'unknown' there. A history of 1,000 operations mostly takes fewer than 10,000.
   */
  readonly stepsMax?: number;
}

export const STEPS_MAX_DEFAULT = 5_000_000;

export interface Counterexample extends DeadEnd {
  /** Several lines for people. */
  readonly explanation: string;
}

/** `steps` counts, over all keys, how often a model was asked what an operation would do. */
export type LinearizabilityResult =
  | { readonly isLinearizable: true; readonly steps: number }
  | {
      readonly isLinearizable: false;
      readonly steps: number;
      readonly key: string;
      readonly counterexample: Counterexample;
    }
  /** No key was found wrong, and `key` took more than `stepsMax`. */
  | { readonly isLinearizable: 'unknown'; readonly steps: number; readonly key: string };

/**
 * Whether the history could have come from a database that does one operation after the other, each at some moment
 * between its invocation and its completion. Keys do not depend on each other, and a history is linearizable exactly
 * if it is for each key (Herlihy and Wing, theorem 1): they are checked one by one, in the order of their first
 * event, up to the first that is wrong. Operations that failed took no effect; those of unknown outcome may have taken
 * it at any moment after their invocation, or never.
 *
 * `model` is that of all keys, or gives each key its own. Throws a `HistoryError` for a history that is none, and for
 * functions and values that the model does not know.
 */
export function checkLinearizability(
  events: Iterable<HistoryEvent>,
  model: Model | ((key: string) => Model),
  { stepsMax = STEPS_MAX_DEFAULT }: LinearizabilityOptions = {},
): LinearizabilityResult {
  let steps = 0;
  let undecided: string | undefined;
  for (const [key, operations] of byKey(operationsOf(events))) {
    const modelOfKey = typeof model === 'function' ? model(key) : model;
    const result = new OrderSearch(modelOfKey, operations).run(stepsMax);
    steps += result.steps;
    if (result.kind === 'none') {
      const explanation = explain(key, modelOfKey.name, result.deadEnd);
      return { isLinearizable: false, steps, key, counterexample: { ...result.deadEnd, explanation } };
    }
    if (result.kind === 'gave up') undecided ??= key;
  }
  return undecided === undefined
    ? { isLinearizable: true, steps }
    : { isLinearizable: 'unknown', steps, key: undecided };
}

function byKey(operations: readonly Operation[]): Map<string, Operation[]> {
  const keys = new Map<string, Operation[]>();
  for (const operation of operations) {
    const ofKey = keys.get(operation.key);
    if (ofKey === undefined) keys.set(operation.key, [operation]);
    else ofKey.push(operation);
  }
  return keys;
}
