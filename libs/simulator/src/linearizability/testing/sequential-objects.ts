import type { JsonValue } from '../history.js';

export interface Outcome<State> {
  readonly answer: JsonValue;
  readonly state: State;
}

/**
 * What the models mean, said once more and in the plainest way: the real state of one key and all that an operation
 * may do to it. `limit` bounds the revisions that are tried.
 */
export interface SequentialObject<State = unknown> {
  readonly initial: State;
  outcomes(state: State, f: string, argument: JsonValue, limit: number): readonly Outcome<State>[];
}

export const sequentialRegister: SequentialObject<JsonValue> = {
  initial: null,
  outcomes: (state, f, argument) => {
    if (f === 'read') return [{ answer: state, state }];
    if (f === 'write') return [{ answer: argument, state: argument }];
    if (f === 'delete') return [{ answer: null, state: null }];
    const [expected, value] = argument as [JsonValue, JsonValue];
    return state === expected ? [{ answer: argument, state: value }] : [{ answer: false, state }];
  },
};

export const sequentialCounter: SequentialObject<number> = {
  initial: 0,
  outcomes: (state, f, argument) => {
    const sum = f === 'read' ? state : state + (argument as number);
    return [{ answer: sum, state: sum }];
  },
};

interface Record {
  readonly value: string | null;
  readonly revision: number;
  /** Of the whole cluster: other keys push it on at any time. */
  readonly clusterRevision: number;
}

/** Of an operation on a record. */
export interface RecordArgument {
  readonly value?: string;
  readonly delta?: number;
  readonly ifRevision?: number;
  readonly ifAbsent?: true;
  readonly ifPresent?: true;
}

export const sequentialRecord: SequentialObject<Record> = {
  initial: { value: null, revision: 0, clusterRevision: 0 },
  outcomes: (state, f, argument, limit) => {
    const { value, revision, clusterRevision } = state;
    if (f === 'read') return [{ answer: value === null ? null : { value, revision }, state }];
    const { ifRevision, ifAbsent, ifPresent, ...rest } = (argument ?? {}) as RecordArgument;
    if (
      (ifRevision !== undefined && (value === null || revision !== ifRevision)) ||
      (ifAbsent === true && value !== null) ||
      (ifPresent === true && value === null)
    ) {
      return [{ answer: { refused: 'PRECONDITION_FAILED', revision: value === null ? 0 : revision }, state }];
    }
    const revisions = Array.from({ length: Math.max(0, limit - clusterRevision) }, (_, i) => clusterRevision + 1 + i);
    const changeTo = (next: string | null, extra: (revision: number) => JsonValue): Outcome<Record>[] =>
      revisions.map((next_) => ({
        answer: extra(next_),
        state: { value: next, revision: next === null ? 0 : next_, clusterRevision: next_ },
      }));
    if (f === 'write') return changeTo(rest.value!, (at) => ({ revision: at, created: value === null }));
    if (f === 'delete') {
      if (value !== null) return changeTo(null, (at) => ({ revision: at, deleted: true }));
      return [clusterRevision, ...revisions].map((at) => ({
        answer: { revision: at, deleted: false },
        state: { ...state, clusterRevision: at },
      }));
    }
    if (!/^-?[0-9]+$/.test(value ?? '0')) return [{ answer: { refused: 'NOT_AN_INTEGER' }, state }];
    const sum = String(Number(value ?? '0') + rest.delta!);
    return changeTo(sum, (at) => ({ value: sum, revision: at }));
  },
};
