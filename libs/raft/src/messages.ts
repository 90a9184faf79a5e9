/** What nodes of a cluster say to each other (figure 2 of the paper, with the additions that docs/raft.md lists). */
import { EntryType, type Entry, type LogIndex, type NodeId, type Term } from './entry.js';

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

export type Message = RequestVote | RequestVoteResponse | AppendEntries | AppendEntriesResponse;

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
    lastTerm = entry.term;
  }
  return lastTerm <= term;
}
