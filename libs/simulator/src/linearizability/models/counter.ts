import type { Operation } from '../history.js';
import type { Model } from '../model.js';
import { badValue, unknownFunction } from '../operation-values.js';

type CounterStep =
  | { readonly kind: 'read'; readonly answer: number }
  /** `answer` is `undefined` if it is not known. */
  | { readonly kind: 'increment'; readonly delta: number; readonly answer: number | undefined };

/**
 * A number that starts at 0. Each increment answers with the sum, so one that is applied twice is seen at once. All
 * sums must be exact: within 2^53 - 1. (For 64-bit counters, absence and revisions: see the record model.)
 *
 * | f         | invoke        | ok             |
 * | --------- | ------------- | -------------- |
 * | read      | null          | whole number   |
 * | increment | whole number  | the new number |
 */
export const counterModel: Model<number, CounterStep> = {
  name: 'counter',
  initial: 0,
  compile,
  isRead: ({ kind }) => kind === 'read',
  apply: (state, step) => {
    if (step.kind === 'read') return state === step.answer ? state : undefined;
    const sum = state + step.delta;
    return step.answer === undefined || step.answer === sum ? sum : undefined;
  },
  observes: () => true,
  covers: (a, b) => a === b,
  keyOf: String,
  show: String,
};

function compile(operation: Operation): CounterStep {
  const { f, argument, answer } = operation;
  if (f !== 'read' && f !== 'increment') throw unknownFunction(operation, 'counter', ['read', 'increment']);
  if (answer !== undefined && !isWhole(answer)) throw badValue(operation, 'answer', 'a whole number');
  if (f === 'read') {
    if (argument !== null) throw badValue(operation, 'argument', 'null');
    return { kind: 'read', answer: answer ?? 0 };
  }
  if (!isWhole(argument)) throw badValue(operation, 'argument', 'a whole number');
  return { kind: 'increment', delta: argument, answer };
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value);
}
