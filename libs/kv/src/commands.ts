/**
 * What a client can ask of a cluster. A `Command` changes the state and goes through the log; a `Query`
 * only reads and never enters it. Numbers are integers from 0 to 2^53 - 1; byte strings may hold any byte.
 */
export type Request = Command | Query;

export type Command = OpenSession | SetCommand | DeleteCommand | IncrementCommand | ExpireCommand;

export type Query = GetQuery;

/** Asks for a new client id. Sent twice, it opens two sessions; one that is never used ends by being idle. */
export interface OpenSession {
  readonly kind: 'openSession';
}

export interface GetQuery {
  readonly kind: 'get';
  readonly key: Uint8Array;
}

export interface SetCommand {
  readonly kind: 'set';
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  /** Visible ASCII and spaces, at most `CONTENT_TYPE_LENGTH_MAX`; '' is none. */
  readonly contentType: string;
  /** Log time from now until the key expires; 0 keeps it for ever, also when the old record had a time to live. */
  readonly ttlMs: number;
  readonly condition?: Condition;
  readonly session?: SessionStamp;
}

export interface DeleteCommand {
  readonly kind: 'delete';
  readonly key: Uint8Array;
  readonly condition?: Condition;
  readonly session?: SessionStamp;
}

/** Adds to a signed 64-bit integer, kept as the decimal text of an ordinary value. A missing key counts as 0. */
export interface IncrementCommand {
  readonly kind: 'increment';
  readonly key: Uint8Array;
  /** From -2^63 to 2^63 - 1. */
  readonly delta: bigint;
  readonly condition?: Condition;
  readonly session?: SessionStamp;
}

/** Removes those of `keys` that have expired by log time. Proposed by the leader's sweeper, not by clients. */
export interface ExpireCommand {
  readonly kind: 'expire';
  readonly keys: readonly Uint8Array[];
}

/** What must hold of the key when the command is applied; an expired key is absent. */
export type Condition =
  /** The key must exist with exactly this revision. */
  | { readonly kind: 'ifRevision'; readonly revision: number }
  | { readonly kind: 'ifAbsent' }
  | { readonly kind: 'ifPresent' };

/**
 * Makes a retry safe: the state machine applies each `(clientId, sequence)` once and repeats the first
 * answer after that. The client must send the same command under the same sequence.
 */
export interface SessionStamp {
  /** From the answer to `openSession`. */
  readonly clientId: number;
  readonly sequence: number;
  /** The client has every answer below this sequence and will never ask for one of them again. */
  readonly acknowledgedBelow: number;
}

export const CONTENT_TYPE_LENGTH_MAX = 255;
