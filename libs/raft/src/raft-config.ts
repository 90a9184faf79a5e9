import type { NodeId } from './entry.js';

/** What one node is told about its timing and its bounds. Time is counted in ticks; the driver decides how long one lasts. */
export interface RaftConfig {
  readonly id: NodeId;

  /**
   * Names the data directory of this node: another one after the disk was lost. With it, and with the peers' in `step`, a cluster refuses
   * a node that has come back without what it had promised. Visible ASCII, at most 255 characters.
   */
  readonly incarnation?: string;

  /**
   * A follower that hears nothing for this many ticks, plus a random share of as many again, asks for votes
   * (section 5.2). Must exceed `heartbeatTicks` several times; all nodes of a cluster must agree on it.
   */
  readonly electionTimeoutTicks: number;

  /** Ticks between two heartbeats of a leader. */
  readonly heartbeatTicks: number;

  /** Ask before raising the term (dissertation 9.6): a node that was cut off does not depose a working leader when it returns. */
  readonly preVote: boolean;

  /**
   * A leader that has not heard from a quorum within an election timeout steps down, and nodes that hear
   * from a leader ignore candidates (dissertation 6.2 and 4.2.3).
   */
  readonly checkQuorum: boolean;

  /**
   * Ticks, counted from the sending of a round of messages that a quorum has answered, for which a leader may answer `lease` reads from
   * its own state; 0 turns such reads into ReadIndex reads. Needs check-quorum, and a value above 0, on all nodes: without it a voter
   * does not wait after a restart. Sound while no voter's ticks are faster than the leader's by
   * `(electionTimeoutTicks - 1) / leaseTicks` or more, and while every driver, before it hands over a read or a message, has handed over
   * every tick that is due.
   */
  readonly leaseTicks: number;

  /** Bytes of entries in one AppendEntries; one entry goes out even when it is larger. */
  readonly appendBytesMax: number;

  /** AppendEntries with entries that may be unanswered per follower; at the bound new entries wait and travel together. */
  readonly inflightMessagesMax: number;

  /** Bytes of entries that may be unanswered per follower; behaves like `inflightMessagesMax`. */
  readonly inflightBytesMax: number;

  /** Bytes that a leader holds appended and uncommitted; above it proposals are rejected with `uncommitted_limit`. */
  readonly uncommittedBytesMax: number;

  /** Reads that wait for their quorum round; above it they are rejected with `read_limit`. */
  readonly pendingReadsMax: number;

  /** Bytes of committed entries handed out by one `Ready`; one entry is handed out even when it is larger. */
  readonly applyBytesMax: number;

  /** Entries that compaction leaves behind the durable state, so that a follower which lags a little needs no snapshot. */
  readonly retainedEntries: number;

  /** Bytes of applied entries kept in memory for followers that lag; older ones are read back from the disk. */
  readonly cacheBytesMax: number;
}
