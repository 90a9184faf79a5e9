/**
 * The Raft consensus algorithm, pure and deterministic: no I/O, no clock, no chance of its own. `Raft` takes ticks,
 * messages, proposals and completions, and says in `Ready` what is to be sent, synced, applied and answered, in a stated
 * order. Its parts follow the paper's sections: `Election` (5.2, 5.4.1), `Replication` (5.3, 5.4.2) and `ReadIndex`
 * (dissertation 6.4), over one `RaftState`.
 */
export { simpleConfiguration, membersOf, type Configuration } from './configuration.js';
export { Election } from './election.js';
export { EntryType, type Entry, type HardState, type LogIndex, type NodeId, type Term } from './entry.js';
export { InvariantViolationError } from './errors.js';
export { type LogBase, type RestoredLog } from './log.js';
export {
  type AppendEntries,
  type AppendEntriesResponse,
  type Message,
  type RequestVote,
  type RequestVoteResponse,
} from './messages.js';
export { Raft, type ProposeResult, type RaftStatus } from './raft.js';
export { type RaftConfig } from './raft-config.js';
export { type Random } from './random.js';
export { ReadIndex } from './read-index.js';
export {
  type ConfirmedReads,
  type EntryFetch,
  type PersistBatch,
  type ProposalRejection,
  type Ready,
  type ReadRejection,
} from './ready.js';
export { Replication } from './replication.js';
export { RaftState, type RestoredState, type Role } from './state.js';
export { type TermRun } from './term-runs.js';
