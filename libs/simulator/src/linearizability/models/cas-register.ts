import type { Operation } from '../history.js';
import { NEVER_SEEN, type Model } from '../model.js';
import { badValue } from '../operation-values.js';
import {
  applyRegisterStep,
  compileRegisterStep,
  isRegisterValue,
  registerModel,
  type RegisterStep,
  type RegisterValue,
} from './register.js';

type CasRegisterStep =
  | RegisterStep
  | {
      readonly kind: 'cas';
      readonly expected: RegisterValue;
      readonly value: RegisterValue;
      /** `false`: it answered that the register held something else. */
      readonly hasSwapped: boolean;
    };

/**
 * A register that can also be replaced on condition that it holds an expected value; `null` stands for absent. By
 * expected *revision*: see the record model.
 *
 * | f                   | invoke            | ok                                                          |
 * | ------------------- | ----------------- | ----------------------------------------------------------- |
 * | read, write, delete | as for a register | as for a register                                           |
 * | cas                 | [expected, value] | the same (swapped), or false (it held another value then)   |
 *
 * A cas that found another value may also be completed by `fail`; then nothing is concluded from it.
 */
export const casRegisterModel: Model<RegisterValue, CasRegisterStep> = {
  ...registerModel,
  name: 'cas-register',
  compile: (operation) =>
    operation.f === 'cas'
      ? compileCas(operation)
      : compileRegisterStep(operation, 'cas-register', ['read', 'write', 'delete', 'cas']),
  isRead: (step) => step.kind === 'read' || (step.kind === 'cas' && !step.hasSwapped),
  apply: (state, step) => {
    if (step.kind !== 'cas') return applyRegisterStep(state, step);
    if ((state === step.expected) !== step.hasSwapped) return undefined;
    return step.hasSwapped ? step.value : state;
  },
  observes: (later, earlier) => {
    const left = earlier.kind === 'read' ? undefined : earlier.value;
    if (later.kind === 'write' || left === undefined) return false;
    if (later.kind === 'read') return later.answer === left;
    return (later.expected === left) === later.hasSwapped;
  },
  blurred: (steps) => {
    const seen = new Set(
      steps.map((step) => (step.kind === 'read' ? step.answer : step.kind === 'cas' ? step.expected : undefined)),
    );
    if (seen.has(NEVER_SEEN)) return steps;
    return steps.map((step) =>
      step.kind === 'read' || step.value === null || seen.has(step.value) ? step : { ...step, value: NEVER_SEEN },
    );
  },
};

function compileCas(operation: Operation): CasRegisterStep {
  const [expected, value] = pairOf(operation, 'argument');
  if (operation.answer === false) return { kind: 'cas', expected, value, hasSwapped: false };
  if (operation.answer !== undefined) {
    const answered = pairOf(operation, 'answer');
    if (answered[0] !== expected || answered[1] !== value) throw badValue(operation, 'answer', PAIR_AGAIN);
  }
  return { kind: 'cas', expected, value, hasSwapped: true };
}

function pairOf(operation: Operation, part: 'argument' | 'answer'): readonly [RegisterValue, RegisterValue] {
  const pair = operation[part];
  if (Array.isArray(pair) && pair.length === 2 && pair.every(isRegisterValue)) {
    return pair as unknown as readonly [RegisterValue, RegisterValue];
  }
  throw badValue(operation, part, part === 'argument' ? '[expected, value]' : PAIR_AGAIN);
}

const PAIR_AGAIN = '[expected, value] as invoked, or false';
