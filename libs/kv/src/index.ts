/**
 * The replicated state machine of a cluster: commands and answers with their binary codecs, and the state
 * machine that turns one into the other over a `KeySpace`. It is a function of the log: the same entries give
 * the same rows, byte for byte, on every replica. It knows no clock (time is what the entries carry), no
 * configuration, and nothing of Raft beyond the index of an entry.
 */
export { CONTENT_TYPE_LENGTH_MAX } from './commands.js';
export type {
  Command,
  Condition,
  DeleteCommand,
  ExpireCommand,
  GetQuery,
  IncrementCommand,
  OpenSession,
  Query,
  Request,
  SessionStamp,
  SetCommand,
} from './commands.js';
export type {
  Answer,
  DeleteAnswer,
  ExpireAnswer,
  FailureAnswer,
  FailureCode,
  GetAnswer,
  IncrementAnswer,
  SessionOpened,
  SetAnswer,
  VisibleRecord,
} from './answers.js';
export { DecodeError, UnsupportedVersionError } from './decode-error.js';
export { decodeCommand, encodeCommand } from './command-codec.js';
export { decodeAnswer, encodeAnswer } from './answer-codec.js';
export { decodeBatch, encodeBatch } from './command-batch.js';
export type { CommandBatch } from './command-batch.js';
export { checkLimits } from './limits.js';
export type { LimitError, Limits } from './limits.js';
export type { KeySpace, Row, RowChange } from './key-space.js';
export { MemoryKeySpace } from './memory-key-space.js';
export { StateMachine } from './state-machine.js';
export type { AppliedEntry } from './state-machine.js';
export { ContentHash } from './content-hash.js';
export type { HashTrail, StateHashes } from './hash-trail.js';
export { StateCheck } from './state-check.js';
export type { StateVerdict } from './state-check.js';
export { SUMMARY_ROW_KEY, decodeStateSummary } from './state-summary.js';
export type { StateSummary } from './state-summary.js';
export { SESSION_ANSWERS_MAX, SESSION_IDLE_MS, SESSIONS_MAX } from './sessions.js';
export { RESTORE_RANGES, decodeExpiryRow, expiryRange, userRange } from './rows.js';
export type { KeyRange } from './rows.js';
export { decodeUserRow } from './record.js';
