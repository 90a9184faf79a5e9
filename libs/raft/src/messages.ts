/** What nodes of a cluster say to each other (figure 2 of the paper, with the additions that docs/raft.md lists). */
import { decodeConfiguration } from './configuration-codec.js';
import type { ConfigurationAt } from './configuration.js';
import { EntryType, type Entry, type LogIndex, type NodeId, type Term } from './entry.js';

/** Why a read was not confirmed. None of them says anything about the data. */
export type ReadRejection = 'not_leader' | 'leadership_lost' | 'read_limit' | 'unanswered';

interface Envelope {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly term: Term;
}

export interface RequestVote extends Envelope {
  readonly type: 'RequestVote';
  readonly lastLogIndex: LogIndex;
  readonly lastLogTerm: Term;
  /** Only asks "would you?", in the term that the sender would raise its own to. Changes nothing at the voter. */
  readonly preVote: boolean;
  /** The leader has asked for this campaign with `TimeoutNow`: whoever hears that leader answers all the same (dissertation 4.2.3). */
  readonly isTransfer: boolean;
}

export interface RequestVoteResponse extends Envelope {
  readonly type: 'RequestVoteResponse';
  readonly voteGranted: boolean;
  /** A granted pre-vote carries the term that was asked about, everything else the voter's own. */
  readonly preVote: boolean;
}

export interface AppendEntries extends Envelope {
  readonly type: 'AppendEntries';
  readonly prevLogIndex: LogIndex;
  readonly prevLogTerm: Term;
  /** Empty in a heartbeat. */
  readonly entries: readonly Entry[];
  readonly leaderCommit: LogIndex;
  /** The latest ReadIndex round of this leader in this term; the follower repeats it. */
  readonly readContext: number;
}

export interface AppendEntriesResponse extends Envelope {
  readonly type: 'AppendEntriesResponse';
  readonly success: boolean;
  /** With success: stored on the follower's disk, and equal to the leader's log, up to here. */
  readonly matchIndex: LogIndex;
  /** Without: the `prevLogIndex` that the follower did not have. */
  readonly rejectedIndex: LogIndex;
  /** The term of the follower's entry at `rejectedIndex`; 0 when its log is shorter. */
  readonly conflictTerm: Term;
  /** The first index of `conflictTerm` in the follower's log, or one past its end. */
  readonly conflictIndex: LogIndex;
  readonly readContext: number;
}

/** What a snapshot stands for: the log up to `index`. It fully names the state, for logs that match do so up to any index. */
export interface SnapshotMetadata {
  readonly index: LogIndex;
  readonly term: Term;
  /** The one in force at `index`. */
  readonly configuration: ConfigurationAt;
}

/**
 * Delivered with the state itself, which travels beside the messages: the core never sees it. Answered with an
 * `AppendEntriesResponse`.
 */
export interface InstallSnapshot extends Envelope {
  readonly type: 'InstallSnapshot';
  readonly snapshot: SnapshotMetadata;
}

/** "Campaign now" (dissertation 3.10). Names the end of the leader's log at that time, so that a late one is recognized. */
export interface TimeoutNow extends Envelope {
  readonly type: 'TimeoutNow';
  readonly lastLogIndex: LogIndex;
  readonly lastLogTerm: Term;
}

/** A follower asks for an index to read at (dissertation 6.4). */
export interface ReadIndexRequest extends Envelope {
  readonly type: 'ReadIndexRequest';
  /** Never used again by this node, restarts included. */
  readonly requestId: number;
}

export interface ReadIndexResponse extends Envelope {
  readonly type: 'ReadIndexResponse';
  readonly requestId: number;
  /** Safe to read at; 0 in a rejection. */
  readonly index: LogIndex;
  readonly rejection: ReadRejection | undefined;
}

/**
 * Tells a node that it does not belong to the cluster (any more). It says so whatever the terms are, and promises nothing.
 * - `removed`: a committed configuration, set by the entry at `configurationIndex`, is without it;
 * - `other_incarnation`: the member of that name has another data directory.
 */
export interface MembershipNotice extends Envelope {
  readonly type: 'MembershipNotice';
  readonly reason: ExpulsionReason;
  readonly configurationIndex: LogIndex;
}

export type ExpulsionReason = 'removed' | 'other_incarnation';

export type Message =
  | RequestVote
  | RequestVoteResponse
  | AppendEntries
  | AppendEntriesResponse
  | InstallSnapshot
  | TimeoutNow
  | ReadIndexRequest
  | ReadIndexResponse
  | MembershipNotice;

/**
 * Whether a correct node could have sent this. What is not is refused before it changes anything: a gap between
 * entries, or a term from the future of its own message, would otherwise end up in the log.
 */
export function isWellFormed(message: Message): boolean {
  if (!isCount(message.term)) return false;
  switch (message.type) {
    case 'RequestVote':
      return isPosition(message.lastLogIndex, message.lastLogTerm, message.term);
    case 'RequestVoteResponse':
      return true;
    case 'AppendEntries':
      return (
        isPosition(message.prevLogIndex, message.prevLogTerm, message.term) &&
        isCount(message.leaderCommit) &&
        isCount(message.readContext) &&
        areConsecutive(message)
      );
    case 'AppendEntriesResponse':
      return (
        isCount(message.matchIndex) &&
        isCount(message.rejectedIndex) &&
        isCount(message.conflictIndex) &&
        isCount(message.conflictTerm) &&
        message.conflictTerm <= message.term &&
        isCount(message.readContext)
      );
    case 'InstallSnapshot':
      return isSnapshot(message);
    case 'TimeoutNow':
      return isPosition(message.lastLogIndex, message.lastLogTerm, message.term);
    case 'ReadIndexRequest':
      return isCount(message.requestId);
    case 'ReadIndexResponse':
      return isCount(message.requestId) && isCount(message.index);
    case 'MembershipNotice':
      return isCount(message.configurationIndex);
    default:
      return false;
  }
}

const entryTypes: ReadonlySet<number> = new Set(Object.values(EntryType));

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;

const isPosition = (index: LogIndex, logTerm: Term, currentTerm: Term): boolean =>
  isCount(index) && isCount(logTerm) && logTerm <= currentTerm && (index === 0) === (logTerm === 0);

function areConsecutive({ prevLogIndex, prevLogTerm, entries, term }: AppendEntries): boolean {
  let index = prevLogIndex;
  let lastTerm = prevLogTerm;
  for (const entry of entries) {
    index += 1;
    const isNext = entry.index === index && isCount(entry.term) && entry.term >= lastTerm && entry.term > 0;
    if (!isNext || !entryTypes.has(entry.type)) return false;
    if (entry.type === EntryType.Configuration && decodeConfiguration(entry.data) === undefined) return false;
    lastTerm = entry.term;
  }
  return lastTerm <= term;
}

function isSnapshot({ snapshot: { index, term, configuration }, term: currentTerm }: InstallSnapshot): boolean {
  const isInside = isCount(configuration.index) && configuration.index <= index;
  return index > 0 && isPosition(index, term, currentTerm) && isInside;
}
