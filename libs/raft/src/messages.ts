/** What nodes of a cluster say to each other (figure 2 of the paper, with the additions that docs/raft.md lists). */
import type { Entry, LogIndex, NodeId, Term } from './entry.js';

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
