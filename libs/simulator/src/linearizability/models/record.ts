import type { Operation } from '../history.js';
import { NEVER_SEEN, type Model } from '../model.js';
import { badValue, fieldsOf, isCount, unknownFunction } from '../operation-values.js';

/** What is known of a key. */
export interface RecordState {
  /** `null`: absent. */
  readonly value: string | null;
  /** Present: the key's revision. Absent: a revision that the cluster has reached, so later ones are greater. */
  readonly revision: number;
  /** Otherwise `revision` is only the least that it can be. Never of an absent key. */
  readonly isExact: boolean;
}

type Condition =
  | { readonly kind: 'ifRevision'; readonly revision: number }
  | { readonly kind: 'ifAbsent' }
  | { readonly kind: 'ifPresent' };

type ReadStep = {
  readonly kind: 'read';
  readonly answer: { readonly value: string; readonly revision: number } | null;
};

/** Every part of an answer is `undefined` if it is not known. */
type WriteStep = {
  readonly kind: 'write';
  readonly value: string;
  readonly condition?: Condition;
  readonly revision?: number;
  readonly created?: boolean;
};

type DeleteStep = {
  readonly kind: 'delete';
  readonly condition?: Condition;
  readonly revision?: number;
  readonly deleted?: boolean;
};

type IncrementStep = {
  readonly kind: 'increment';
  readonly delta: bigint;
  readonly condition?: Condition;
  readonly revision?: number;
  readonly sum?: string;
};

/** The database answered that it did nothing, and why: that tells something about the key at that time. */
type RefusedStep = {
  readonly kind: 'refused';
  readonly refused: Refusal;
  readonly condition?: Condition;
  /** With `PRECONDITION_FAILED`: of the key, 0 if it was absent. Otherwise 0. */
  readonly revision: number;
  /** Of an increment; otherwise 0. */
  readonly delta: bigint;
};

type RecordStep = ReadStep | WriteStep | DeleteStep | IncrementStep | RefusedStep;

const REFUSALS = ['PRECONDITION_FAILED', 'NOT_AN_INTEGER', 'OVERFLOW'] as const;
type Refusal = (typeof REFUSALS)[number];

/**
 * A key of Ringraft: a value with a revision. Revisions come from one counter of the whole cluster, so those of one key
 * grow, with gaps. The model holds for a key that never expires.
 *
 * | f         | invoke                        | ok                                    |
 * | --------- | ----------------------------- | ------------------------------------- |
 * | read      | null                          | {value, revision}, or null if absent  |
 * | write     | {value, condition}            | {revision?, created?}, or a refusal   |
 * | delete    | {condition}, or null          | {revision?, deleted?}, or a refusal   |
 * | increment | {delta, condition}            | {value?, revision?}, or a refusal     |
 *
 * A condition is at most one of `ifRevision: n`, `ifAbsent: true`, `ifPresent: true`. A refusal is
 * `{refused: 'PRECONDITION_FAILED', revision}` (of the key, 0 if absent), `{refused: 'NOT_AN_INTEGER'}` or `{refused: 'OVERFLOW'}`.
 * A delta is a whole number or the text of one; the sum is text. What an answer leaves out is not checked.
 */
export const recordModel: Model<RecordState, RecordStep> = {
  name: 'record',
  initial: { value: null, revision: 0, isExact: false },
  compile,
  isRead: ({ kind }) => kind === 'read' || kind === 'refused',
  apply,
  observes,
  blurred,
  covers: (a, b) =>
    a.value === b.value && (a.isExact ? b.isExact && a.revision === b.revision : a.revision <= b.revision),
  keyOf: ({ value, revision, isExact }) =>
    value === null ? `-${revision}` : `${isExact ? '=' : '+'}${revision}:${value}`,
  show: ({ value, revision, isExact }) =>
    value === null
      ? `absent, next revision > ${revision}`
      : `${JSON.stringify(value)} at revision ${isExact ? '' : '>= '}${revision}`,
};

function apply(state: RecordState, step: RecordStep): RecordState | undefined {
  switch (step.kind) {
    case 'read':
      if (step.answer === null) return state.value === null ? state : undefined;
      return state.value === step.answer.value ? withRevision(state, step.answer.revision) : undefined;
    case 'refused':
      return refuse(state, step);
    case 'write': {
      const before = satisfying(state, step.condition);
      if (before === undefined || differs(step.created, before.value === null)) return undefined;
      return advance(before, step.value, step.revision);
    }
    case 'delete': {
      const before = satisfying(state, step.condition);
      if (before === undefined || differs(step.deleted, before.value !== null)) return undefined;
      if (before.value !== null) return advance(before, null, step.revision);
      // Nothing was deleted: the answer is the revision that the cluster had.
      if (step.revision === undefined || step.revision === before.revision) return before;
      return step.revision > before.revision ? { ...before, revision: step.revision } : undefined;
    }
    case 'increment': {
      const before = satisfying(state, step.condition);
      const sum = before && sumOf(before, step.delta);
      if (before === undefined || typeof sum !== 'bigint' || differs(step.sum, String(sum))) return undefined;
      return advance(before, String(sum), step.revision);
    }
  }
}

function observes(later: RecordStep, earlier: RecordStep): boolean {
  if (earlier.kind === 'read' || earlier.kind === 'refused') return false;
  const isLeftPresent = earlier.kind !== 'delete';
  if (later.kind === 'read') {
    if (later.answer === null || !isLeftPresent) return later.answer === null && !isLeftPresent;
    return earlier.kind === 'increment' || earlier.value === later.answer.value;
  }
  if (later.kind === 'refused' || later.kind === 'increment' || later.condition !== undefined) return true;
  // Otherwise it replaces or removes whatever is there; it is only told whether something was.
  return later.kind === 'write' ? later.created === !isLeftPresent : later.deleted === isLeftPresent;
}

function blurred(steps: readonly RecordStep[]): readonly RecordStep[] {
  const seen = new Set(steps.map((step) => (step.kind === 'read' ? step.answer?.value : undefined)));
  const isCounted = steps.some(
    (step) => step.kind === 'increment' || (step.kind === 'refused' && step.refused !== 'PRECONDITION_FAILED'),
  );
  if (seen.has(NEVER_SEEN)) return steps;
  return steps.map((step) =>
    step.kind !== 'write' || seen.has(step.value) || (isCounted && integerOf(step.value) !== undefined)
      ? step
      : { ...step, value: NEVER_SEEN },
  );
}

function refuse(state: RecordState, { refused, condition, revision, delta }: RefusedStep): RecordState | undefined {
  if (refused === 'PRECONDITION_FAILED') {
    if (state.value === null) {
      return condition !== undefined && condition.kind !== 'ifAbsent' && revision === 0 ? state : undefined;
    }
    switch (condition?.kind) {
      case 'ifAbsent':
        return withRevision(state, revision);
      case 'ifRevision':
        return revision === condition.revision ? undefined : withRevision(state, revision);
      default:
        return undefined;
    }
  }
  const before = satisfying(state, condition);
  return before !== undefined && sumOf(before, delta) === refused ? before : undefined;
}

/** The state if the condition holds of it: what was not known of the revision is known then. */
function satisfying(state: RecordState, condition: Condition | undefined): RecordState | undefined {
  switch (condition?.kind) {
    case undefined:
      return state;
    case 'ifAbsent':
      return state.value === null ? state : undefined;
    case 'ifPresent':
      return state.value === null ? undefined : state;
    case 'ifRevision':
      return state.value === null ? undefined : withRevision(state, condition.revision);
  }
}

/** The present key if it can have this revision. */
function withRevision(state: RecordState, revision: number): RecordState | undefined {
  if (state.isExact) return state.revision === revision ? state : undefined;
  return revision >= state.revision ? { value: state.value, revision, isExact: true } : undefined;
}

function advance(before: RecordState, value: string | null, revision: number | undefined): RecordState | undefined {
  const least = before.revision + 1;
  if (revision === undefined) return { value, revision: least, isExact: false };
  return revision >= least ? { value, revision, isExact: value !== null } : undefined;
}

function sumOf({ value }: RecordState, delta: bigint): bigint | 'NOT_AN_INTEGER' | 'OVERFLOW' {
  const current = value === null ? 0n : integerOf(value);
  if (current === undefined) return 'NOT_AN_INTEGER';
  return isInt64(current + delta) ? current + delta : 'OVERFLOW';
}

function differs<T>(answered: T | undefined, actual: T): boolean {
  return answered !== undefined && answered !== actual;
}

const CONDITIONS = ['ifRevision', 'ifAbsent', 'ifPresent'];

function compile(operation: Operation): RecordStep {
  switch (operation.f) {
    case 'read':
      return { kind: 'read', answer: compileReadAnswer(operation) };
    case 'write': {
      const { value, ...condition } = fieldsOf(operation, 'argument', ['value', ...CONDITIONS]);
      if (typeof value !== 'string') throw badValue(operation, 'argument', '{value, condition} with a text as value');
      return compileChange(operation, { kind: 'write', value, ...conditionOf(operation, condition) });
    }
    case 'delete':
      return compileChange(operation, {
        kind: 'delete',
        ...conditionOf(operation, fieldsOf(operation, 'argument', CONDITIONS)),
      });
    case 'increment': {
      const { delta, ...condition } = fieldsOf(operation, 'argument', ['delta', ...CONDITIONS]);
      const amount = typeof delta === 'number' || typeof delta === 'string' ? integerOf(`${delta}`) : undefined;
      if (amount === undefined) throw badValue(operation, 'argument', '{delta, condition} with a signed 64-bit delta');
      return compileChange(operation, { kind: 'increment', delta: amount, ...conditionOf(operation, condition) });
    }
    default:
      throw unknownFunction(operation, 'record', ['read', 'write', 'delete', 'increment']);
  }
}

function compileReadAnswer(operation: Operation): ReadStep['answer'] {
  if (operation.argument !== null) throw badValue(operation, 'argument', 'null');
  if (operation.answer === null || operation.answer === undefined) return null;
  const { value, revision } = fieldsOf(operation, 'answer', ['value', 'revision']);
  if (typeof value !== 'string' || !isCount(revision)) {
    throw badValue(operation, 'answer', '{value, revision} with a text and a whole number, or null');
  }
  return { value, revision };
}

function conditionOf(
  operation: Operation,
  { ifRevision, ifAbsent, ifPresent }: ReturnType<typeof fieldsOf>,
): { condition?: Condition } {
  const given = [ifRevision, ifAbsent, ifPresent].filter((condition) => condition !== undefined);
  if (given.length === 0) return {};
  if (given.length === 1) {
    if (ifAbsent === true) return { condition: { kind: 'ifAbsent' } };
    if (ifPresent === true) return { condition: { kind: 'ifPresent' } };
    if (isCount(ifRevision)) return { condition: { kind: 'ifRevision', revision: ifRevision } };
  }
  throw badValue(operation, 'argument', 'at most one of ifRevision: n, ifAbsent: true, ifPresent: true');
}

/** The change with what its answer says. */
function compileChange(operation: Operation, change: WriteStep | DeleteStep | IncrementStep): RecordStep {
  if (operation.answer === undefined) return change;
  const extra = { write: 'created', delete: 'deleted', increment: 'value' }[change.kind];
  const fields = fieldsOf(operation, 'answer', ['revision', 'refused', extra]);
  const { revision, refused } = fields;
  const detail = fields[extra];
  if (revision !== undefined && !isCount(revision)) throw badValue(operation, 'answer', 'one with a whole revision');
  if (refused !== undefined) {
    const code = REFUSALS.find((refusal) => refusal === refused);
    const isOfCode = code === 'PRECONDITION_FAILED' ? revision !== undefined : change.kind === 'increment';
    if (code === undefined || !isOfCode || detail !== undefined) {
      throw badValue(operation, 'answer', `a refusal of ${change.kind}, one of ${REFUSALS.join(', ')}`);
    }
    const delta = change.kind === 'increment' ? change.delta : 0n;
    return { kind: 'refused', refused: code, condition: change.condition, revision: revision ?? 0, delta };
  }
  const type = change.kind === 'increment' ? 'string' : 'boolean';
  if (detail !== undefined && typeof detail !== type)
    throw badValue(operation, 'answer', `one with a ${type} ${extra}`);
  switch (change.kind) {
    case 'write':
      return { ...change, revision, created: detail as boolean | undefined };
    case 'delete':
      return { ...change, revision, deleted: detail as boolean | undefined };
    case 'increment':
      return { ...change, revision, sum: detail as string | undefined };
  }
}

const INTEGER = /^(?:0|-?[1-9][0-9]{0,18})$/;

/** The signed 64-bit integer of which this is the decimal text, without a plus sign or leading zeros. */
function integerOf(text: string): bigint | undefined {
  if (!INTEGER.test(text)) return undefined;
  const value = BigInt(text);
  return isInt64(value) ? value : undefined;
}

function isInt64(value: bigint): boolean {
  return BigInt.asIntN(64, value) === value;
}
