/** Names a node within its cluster; stable over restarts, never used again for another data directory. */
export type NodeId = string;

/**
 * Flavoured numbers: a plain number fits, but a term is not taken for an index by mistake.
 * Both are counted from 1; 0 means "before the first".
 */
export type Term = number & { readonly flavour?: 'term' };
export type LogIndex = number & { readonly flavour?: 'index' };

export const EntryType = {
  /** Bytes for the state machine. */
  Normal: 1,
  /** The empty entry that a leader appends at the start of its term (section 8). */
  Noop: 2,
  /** A cluster configuration. */
  Configuration: 3,
} as const;
export type EntryType = (typeof EntryType)[keyof typeof EntryType];

/** One entry of the log. Index and term together name it for ever (section 5.3, log matching). */
export interface Entry {
  readonly index: LogIndex;
  readonly term: Term;
  readonly type: EntryType;
  readonly data: Uint8Array;
}

/** What must be on disk before a promise leaves the node (figure 2, "persistent state"). */
export interface HardState {
  readonly currentTerm: Term;
  readonly votedFor: NodeId | undefined;
  /** A hint that speeds up a restart; it may lag behind, it never leads. */
  readonly commitIndex: LogIndex;
}
