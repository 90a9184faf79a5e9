import type { JsonValue, Operation } from '../history.js';
import type { Model } from '../model.js';
import { badValue, unknownFunction } from '../operation-values.js';

/** What a register holds; `null` while it is absent. */
export type RegisterValue = string | number | boolean | null;

export type RegisterStep =
  { readonly kind: 'read'; readonly answer: RegisterValue } | { readonly kind: 'write'; readonly value: RegisterValue };

/**
 * A value that is read, replaced and removed.
 *
 * | f      | invoke          | ok              |
 * | ------ | --------------- | --------------- |
 * | read   | null            | value, or null  |
 * | write  | value           | anything        |
 * | delete | null            | anything        |
 */
export const registerModel: Model<RegisterValue, RegisterStep> = {
  name: 'register',
  initial: null,
  compile: (operation) => compileRegisterStep(operation, 'register', ['read', 'write', 'delete']),
  isRead: ({ kind }) => kind === 'read',
  apply: applyRegisterStep,
  observes: (later, earlier) => later.kind === 'read' && earlier.kind === 'write' && later.answer === earlier.value,
  covers: (a, b) => a === b,
  keyOf: registerKey,
  show: (state) => (state === null ? 'absent' : JSON.stringify(state)),
};

/** For models that add functions to these three: `known` names all of theirs. */
export function compileRegisterStep(operation: Operation, model: string, known: readonly string[]): RegisterStep {
  const { f, argument, answer } = operation;
  switch (f) {
    case 'read':
      if (argument !== null) throw badValue(operation, 'argument', 'null');
      if (!isRegisterValue(answer ?? null)) throw badValue(operation, 'answer', 'text, a number, a boolean or null');
      return { kind: 'read', answer: (answer ?? null) as RegisterValue };
    case 'write':
      if (argument === null || !isRegisterValue(argument)) {
        throw badValue(operation, 'argument', 'text, a number or a boolean');
      }
      return { kind: 'write', value: argument };
    case 'delete':
      if (argument !== null) throw badValue(operation, 'argument', 'null');
      return { kind: 'write', value: null };
    default:
      throw unknownFunction(operation, model, known);
  }
}

export function applyRegisterStep(state: RegisterValue, step: RegisterStep): RegisterValue | undefined {
  if (step.kind === 'write') return step.value;
  return state === step.answer ? state : undefined;
}

/** A number and the text of it are two values. */
export function registerKey(state: RegisterValue): string {
  return typeof state === 'string' ? `"${state}` : String(state);
}

export function isRegisterValue(value: JsonValue): value is RegisterValue {
  return typeof value !== 'object' || value === null;
}
