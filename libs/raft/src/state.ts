import { isVoter, type Configuration } from './configuration.js';
import type { HardState, LogIndex, NodeId, Term } from './entry.js';
import { invariant } from './errors.js';
import { RaftLog, type RestoredLog } from './log.js';
import type { Progress } from './progress.js';

export type Role = 'follower' | 'preCandidate' | 'candidate' | 'leader';

/** What a node finds on its disk when it starts. */
export interface RestoredState {
  readonly hardState: HardState;
  readonly log: RestoredLog;
  readonly configuration: Configuration;
  /** The index of the last entry that the state machine has applied. */
  readonly appliedIndex: LogIndex;
}

/**
 * Everything that the parts of the core share: figure 2 of the paper, in one place. Election writes
 * term, vote and role; Replication writes log, progress and commit index; nobody else does.
 */
export class RaftState {
  currentTerm: Term;
  /** Kept while the term lasts, whatever the role becomes: one vote per term. */
  votedFor: NodeId | undefined;
  readonly log: RaftLog;
  configuration: Configuration;

  role: Role = 'follower';
  leaderId: NodeId | undefined;
  /** Never goes back; never passes what a quorum has synced. */
  commitIndex: LogIndex;
  /** `appliedIndex <= handedToApply <= commitIndex`. */
  appliedIndex: LogIndex;
  handedToApply: LogIndex;

  /** Ticks since this node started. */
  now = 0;
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
  /** The tick at which the disk was given the batch that it is writing; undefined while it is writing none. */
  writingSince: number | undefined;

  constructor(
    readonly id: NodeId,
    restored: RestoredState,
  ) {
    this.currentTerm = restored.hardState.currentTerm;
    this.votedFor = restored.hardState.votedFor;
    this.persistedTerm = this.currentTerm;
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
    this.configuration = restored.configuration;
    this.appliedIndex = restored.appliedIndex;
    this.handedToApply = restored.appliedIndex;
    this.commitIndex = Math.max(Math.min(restored.hardState.commitIndex, this.log.lastIndex), restored.appliedIndex);
  }

  get isVoter(): boolean {
    return isVoter(this.configuration, this.id);
  }

  /** Whether an entry of the current term is committed: only then does a leader know what is (section 8). */
  get hasCommittedInTerm(): boolean {
    return this.log.termAt(this.commitIndex) === this.currentTerm;
  }

  get electionElapsedTicks(): number {
    return this.now - this.electionTimerStart;
  }
}
