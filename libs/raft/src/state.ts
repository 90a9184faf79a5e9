import { decodeConfiguration } from './configuration-codec.js';
import { ConfigurationHistory } from './configuration-history.js';
import { isMember, isVoter, type Configuration, type ConfigurationAt } from './configuration.js';
import { EntryType, type Entry, type HardState, type LogIndex, type NodeId, type Term } from './entry.js';
import { invariant } from './errors.js';
import { RaftLog, type RestoredLog } from './log.js';
import type { ExpulsionReason, SnapshotMetadata } from './messages.js';
import type { Progress } from './progress.js';

/**
 * How much this node wants to lead, as its driver sees it:
 * - `reluctant`: it could, but its disk is full or slow: it waits several election timeouts longer than others before it campaigns, and
 *   nobody can hand the leadership to it;
 * - `never`: its state is not to be trusted. It still votes and stores entries, for its log is as good as any.
 */
export type Candidacy = 'ready' | 'reluctant' | 'never';

export type Role = 'follower' | 'preCandidate' | 'candidate' | 'leader';

/** What a node finds on its disk when it starts. */
export interface RestoredState {
  readonly hardState: HardState;
  readonly log: RestoredLog;
  /**
   * The one that the durable state machine (or the snapshot, or the operator who started the cluster) names, then those of all later
   * entries of the log, in order.
   */
  readonly configurations: readonly ConfigurationAt[];
  /** The index of the last entry that the state machine has applied. */
  readonly appliedIndex: LogIndex;
}

/**
 * Everything that the parts of the core share: figure 2 of the paper, in one place. Election writes
 * term, vote and role; Replication and Snapshots write log, progress and commit index; nobody else does.
 */
export class RaftState {
  currentTerm: Term;
  /** Kept while the term lasts, whatever the role becomes: one vote per term. */
  votedFor: NodeId | undefined;
  readonly log: RaftLog;
  readonly configurations: ConfigurationHistory;
  /** Why this node must not campaign, and what its driver should tell the operator. */
  expulsion: ExpulsionReason | undefined;
  /** On a leader: to whom it is handing over, since which tick, and whether the successor has been told. */
  transfer: { readonly to: NodeId; readonly since: number; isSent: boolean } | undefined;
  /** This leader has asked someone to campaign over the heads of its followers: its lease is worth nothing for the rest of the term. */
  timeoutNowSent = false;
  /** The incarnations under which members were first heard by this process. */
  readonly heard = new Map<NodeId, string>();

  candidacy: Candidacy = 'ready';
  role: Role = 'follower';
  leaderId: NodeId | undefined;
  /** Never goes back; never passes what a quorum has synced. */
  commitIndex: LogIndex;
  /** `appliedIndex <= handedToApply <= commitIndex`. */
  appliedIndex: LogIndex;
  handedToApply: LogIndex;
  /** On a follower: the snapshot that has replaced the log and that the disk has not been given yet. */
  unpersistedSnapshot: SnapshotMetadata | undefined;

  /** Ticks since this node started. */
  now = 0;
  /** The tick at which this node last heard its leader, or at which it started, for it may have heard one before. */
  leaderHeardTick: number;
  /** The tick at which the election timer was last reset. */
  electionTimerStart = 0;
  /** The votes received in the current campaign. */
  votes = new Map<NodeId, boolean>();
  /** On a leader: all other members. Empty on everyone else. */
  progress = new Map<NodeId, Progress>();
  /** Bytes that this leader has appended and not yet committed. */
  uncommittedBytes = 0;
  /** The latest ReadIndex round begun in this term. */
  readContext = 0;
  /** The hard state that the disk holds, or that it will hold before anything that depends on it leaves. */
  persistedTerm: Term;
  persistedVote: NodeId | undefined;
  /** The commit index of the last hard state that the disk was given: the next one is not lower. */
  recordedCommitIndex: LogIndex;
  /** The tick at which the disk was given the batch that it is writing; undefined while it is writing none. */
  writingSince: number | undefined;

  constructor(
    readonly id: NodeId,
    restored: RestoredState,
  ) {
    this.currentTerm = restored.hardState.currentTerm;
    this.votedFor = restored.hardState.votedFor;
    this.persistedTerm = this.currentTerm;
    // In term 0 there was no leader.
    this.leaderHeardTick = this.currentTerm > 0 ? 0 : -Infinity;
    this.persistedVote = this.votedFor;
    this.log = new RaftLog(restored.log);
    invariant(
      this.currentTerm >= this.log.lastTerm,
      () => `the log ends in term ${this.log.lastTerm}, the hard state is of term ${this.currentTerm}`,
    );
    invariant(
      restored.appliedIndex >= this.log.base.index && restored.appliedIndex <= this.log.lastIndex,
      () => `${restored.appliedIndex} is applied, the log holds (${this.log.base.index}, ${this.log.lastIndex}]`,
    );
    this.configurations = new ConfigurationHistory(restored.configurations);
    this.appliedIndex = restored.appliedIndex;
    this.handedToApply = restored.appliedIndex;
    this.recordedCommitIndex = Math.min(restored.hardState.commitIndex, this.log.lastIndex);
    this.commitIndex = Math.max(Math.min(restored.hardState.commitIndex, this.log.lastIndex), restored.appliedIndex);
  }

  /** The one in force. */
  get configuration(): Configuration {
    return this.configurations.current;
  }

  /** Adds entries to the log; a configuration among them is in force at once (section 6). */
  append(entries: readonly Entry[]): void {
    this.log.append(entries);
    for (const { type, index, data } of entries) {
      if (type !== EntryType.Configuration) continue;
      const configuration = decodeConfiguration(data);
      invariant(configuration !== undefined, () => `entry ${index} is no configuration`);
      this.configurations.append(index, configuration);
      // Who is added again later may have another data directory.
      for (const id of this.heard.keys()) if (!isMember(configuration, id)) this.heard.delete(id);
    }
  }

  /** A snapshot replaces the log and, once it is on the disk, the state machine. */
  restore(snapshot: SnapshotMetadata): void {
    this.log.restore({ index: snapshot.index, term: snapshot.term });
    this.configurations.restore(snapshot.configuration);
    // Between the log that is given up and the snapshot a node may have been removed, and added with another data directory.
    this.heard.clear();
    this.commitIndex = snapshot.index;
    this.handedToApply = snapshot.index;
    this.unpersistedSnapshot = snapshot;
  }

  truncateFrom(index: LogIndex): void {
    this.log.truncateFrom(index);
    this.configurations.truncateFrom(index);
  }

  get isVoter(): boolean {
    return isVoter(this.configuration, this.id);
  }

  /**
   * A voter may. So may one that an uncommitted entry leaves out: that entry can be on so few nodes that only this one can win, and
   * it commits it without counting itself (dissertation 4.2.2). After a restart the commit index may lag behind the change that made it
   * a voter, so any configuration counts that could still be the committed one.
   */
  get mayCampaign(): boolean {
    if (this.expulsion !== undefined || this.candidacy === 'never') return false;
    const { configurations, commitIndex } = this;
    if (isVoter(configurations.current, this.id)) return true;
    return configurations.currentIndex > commitIndex && configurations.hasVoterSince(commitIndex, this.id);
  }

  /** Whether an entry of the current term is committed: only then does a leader know what is (section 8). */
  get hasCommittedInTerm(): boolean {
    return this.log.termAt(this.commitIndex) === this.currentTerm;
  }

  get electionElapsedTicks(): number {
    return this.now - this.electionTimerStart;
  }
}
