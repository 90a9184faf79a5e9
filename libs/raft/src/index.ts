/**
 * The Raft consensus algorithm, pure and deterministic: no I/O, no clock, no chance of its own. `Raft` takes ticks,
 * messages, proposals and completions, and says in `Ready` what is to be sent, synced, applied and answered, in a stated
 * order. Its parts follow the paper's sections: `Election` (5.2, 5.4.1), `Replication` (5.3, 5.4.2) and `ReadIndex`
 * (dissertation 6.4), over one `RaftState`.
 */
export { decodeConfiguration, encodeConfiguration } from './configuration-codec.js';
export {
  emptyConfiguration,
  isJoint,
  isMember,
  isVoter,
  membersOf,
  recordOf,
  simpleConfiguration,
  type Configuration,
  type ConfigurationAt,
} from './configuration.js';
export { Election } from './election.js';
export { EntryType, type Entry, type HardState, type LogIndex, type NodeId, type Term } from './entry.js';
export { InvariantViolationError } from './errors.js';
export { LeadershipTransfer, type TransferRejection } from './leadership-transfer.js';
export { type LogBase, type RestoredLog } from './log.js';
export {
  type AppendEntries,
  type AppendEntriesResponse,
  type ExpulsionReason,
  type InstallSnapshot,
  type MembershipNotice,
  type Message,
  type ReadIndexRequest,
  type ReadIndexResponse,
  type ReadRejection,
  type RequestVote,
  type RequestVoteResponse,
  type SnapshotMetadata,
  type TimeoutNow,
} from './messages.js';
export { Membership, type ChangeRejection, type ChangeResult } from './membership.js';
export { type MembershipChange } from './membership-change.js';
export { Raft, type ProposeResult, type RaftStatus } from './raft.js';
export { type RaftConfig } from './raft-config.js';
export { type Random } from './random.js';
export { ReadIndex, type ReadMode } from './read-index.js';
export {
  hasWork,
  type ConfirmedReads,
  type EntryFetch,
  type PersistBatch,
  type ProposalRejection,
  type Ready,
  type SnapshotRequest,
} from './ready.js';
export { Replication } from './replication.js';
export { Snapshots } from './snapshots.js';
export { RaftState, type Candidacy, type RestoredState, type Role } from './state.js';
export { type TermRun } from './term-runs.js';
