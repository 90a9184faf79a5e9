/**
 * What the state machine answers: a success has the kind of the request that it belongs to, a refusal the
 * kind `failure`. A failure changed nothing.
 */
export type Answer =
  SessionOpened | GetAnswer | SetAnswer | DeleteAnswer | IncrementAnswer | ExpireAnswer | FailureAnswer;

export interface SessionOpened {
  readonly kind: 'openSession';
  /** Counted from 1 in each cluster and never given twice. */
  readonly clientId: number;
}

export type GetAnswer =
  | { readonly kind: 'get'; readonly found: false }
  | { readonly kind: 'get'; readonly found: true; readonly record: VisibleRecord };

/** A key's record as clients see it. */
export interface VisibleRecord {
  readonly value: Uint8Array;
  /** '' is none. */
  readonly contentType: string;
  readonly revision: number;
}

export interface SetAnswer {
  readonly kind: 'set';
  /** There was no such key before (or it had expired). */
  readonly created: boolean;
  /** The key's new revision. */
  readonly revision: number;
}

export interface DeleteAnswer {
  readonly kind: 'delete';
  readonly deleted: boolean;
  /** The cluster's revision after the command; it advanced only if something was deleted. */
  readonly revision: number;
}

export interface IncrementAnswer {
  readonly kind: 'increment';
  readonly value: bigint;
  /** The key's new revision. */
  readonly revision: number;
}

export interface ExpireAnswer {
  readonly kind: 'expire';
  readonly removed: number;
  /** The cluster's revision after the command; each removed key advanced it by one. */
  readonly revision: number;
}

export type FailureAnswer =
  | {
      readonly kind: 'failure';
      readonly code: 'PRECONDITION_FAILED';
      /** The key's revision now, 0 if it is absent. */
      readonly revision: number;
    }
  | {
      readonly kind: 'failure';
      /** The command could not be read, or is none that may be in the log. */
      readonly code: 'INVALID_COMMAND';
      readonly field: string;
      /** ASCII. */
      readonly reason: string;
    }
  | { readonly kind: 'failure'; readonly code: PlainFailureCode };

/**
 * - `NOT_AN_INTEGER`: the value is not the decimal text of a signed 64-bit integer.
 * - `OVERFLOW`: the sum would not fit 64 bits.
 * - `SESSION_EXPIRED`: the client id is unknown: never given, idle for too long, or displaced by newer sessions.
 *   Whether an earlier attempt under it was applied cannot be told any more.
 * - `SEQUENCE_FORGOTTEN`: the client itself has acknowledged this sequence; its answer is gone.
 * - `SESSION_FULL`: too many answers of this session are unacknowledged. The same sequence may be sent again later.
 */
type PlainFailureCode = 'NOT_AN_INTEGER' | 'OVERFLOW' | 'SESSION_EXPIRED' | 'SEQUENCE_FORGOTTEN' | 'SESSION_FULL';

export type FailureCode = FailureAnswer['code'];
