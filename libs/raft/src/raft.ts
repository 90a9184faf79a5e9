import type { Configuration } from './configuration.js';
import type { Election } from './election.js';
import type { Entry, LogIndex, NodeId, Term } from './entry.js';
import { invariant } from './errors.js';
import type { LeadershipTransfer, TransferRejection } from './leadership-transfer.js';
import type { ChangeResult, Membership } from './membership.js';
import type { MembershipChange } from './membership-change.js';
import {
  isWellFormed,
  type ExpulsionReason,
  type InstallSnapshot,
  type Message,
  type SnapshotMetadata,
} from './messages.js';
import type { RaftConfig } from './raft-config.js';
import type { ReadIndex, ReadMode } from './read-index.js';
import { ReadyBuilder, type PersistBatch, type ProposalRejection, type Ready } from './ready.js';
import type { Replication } from './replication.js';
import type { Snapshots } from './snapshots.js';
import type { Candidacy, RaftState, Role } from './state.js';

/** Where an accepted proposal stands. It is applied if, and only if, the entry applied at `index` has this `term`. */
export interface AcceptedProposal {
  readonly term: Term;
  /** The index of the first item; the others follow. */
  readonly index: LogIndex;
}

export type ProposeResult =
  ({ readonly accepted: true } & AcceptedProposal) | { readonly accepted: false; readonly reason: ProposalRejection };

/** What a leader knows of one other member. */
export interface MemberStatus {
  readonly id: NodeId;
  readonly matchIndex: LogIndex;
  /** Whether it has answered within an election timeout. */
  readonly isActive: boolean;
  /** Whether it keeps up: what was new at the beginning of its last round of catching up it took in within an election timeout. */
  readonly isCaughtUp: boolean;
}

export interface RaftStatus {
  readonly id: NodeId;
  readonly role: Role;
  readonly term: Term;
  readonly leaderId: NodeId | undefined;
  readonly firstIndex: LogIndex;
  readonly lastIndex: LogIndex;
  readonly persistedIndex: LogIndex;
  readonly commitIndex: LogIndex;
  readonly appliedIndex: LogIndex;
  readonly configuration: Configuration;
  /** The entry that set it; above `commitIndex` while the change is under way. */
  readonly configurationIndex: LogIndex;
  /** Set on a node that the cluster does not regard as its member. */
  readonly expulsion: ExpulsionReason | undefined;
  readonly candidacy: Candidacy;
  /** On a leader that is handing over. */
  readonly transferTo: NodeId | undefined;
  /** Empty on nodes that do not lead. */
  readonly members: readonly MemberStatus[];
  readonly pendingReads: number;
  readonly uncommittedBytes: number;
}

/**
 * One member of a Raft cluster, as a function of its inputs: it does no I/O, has no clock and never waits.
 *
 * The driver feeds it with `tick`, `step`, `propose`, `proposeChange`, `transferLeadership`, `requestRead` and the completions `persisted`,
 * `applied`, `checkpointed`, `entriesFetched` and `snapshotEnded`, and carries out what `takeReady` asks for, in the order that `Ready` states.
 */
export class Raft {
  private ready = new ReadyBuilder();
  private isLeading = false;
  /** What is in the batch that the disk is writing. */
  private persisting: { term: Term; vote: NodeId | undefined; snapshot: SnapshotMetadata | undefined } | undefined;

  /** Throws a `RangeError` when a lease could outlast the voters' patience. */
  constructor(
    private readonly config: RaftConfig,
    private readonly state: RaftState,
    private readonly election: Election,
    private readonly replication: Replication,
    private readonly readIndex: ReadIndex,
    private readonly membership: Membership,
    private readonly snapshots: Snapshots,
    private readonly transfer: LeadershipTransfer,
  ) {
    const { leaseTicks, electionTimeoutTicks } = config;
    if (!Number.isInteger(leaseTicks) || leaseTicks < 0 || leaseTicks >= electionTimeoutTicks) {
      throw new RangeError(
        `leaseTicks is ${leaseTicks}; it must be a whole number from 0 to below electionTimeoutTicks, ${electionTimeoutTicks}`,
      );
    }
  }

  get isLeader(): boolean {
    return this.isLeading;
  }

  get leaderId(): NodeId | undefined {
    return this.state.leaderId;
  }

  /** The one in force: as long as it is the same object, nothing about it has changed. */
  get configuration(): Configuration {
    return this.state.configuration;
  }

  /** Set on a node that the cluster does not regard as its member. */
  get expulsion(): ExpulsionReason | undefined {
    return this.state.expulsion;
  }

  /** The only clock. */
  tick(): void {
    this.state.now++;
    this.election.tick(this.state, this.ready);
    this.settle();
    if (this.transfer.tick(this.state)) this.stepDown();
    this.membership.tick(this.state);
    const isRoundBegun = this.readIndex.tick(this.state, this.ready);
    this.replication.tick(this.state, this.ready, isRoundBegun);
    this.settle();
  }

  /** Campaigns without waiting for the election timer. */
  campaign(): void {
    this.election.campaign(this.state, this.ready);
    this.settle();
  }

  /**
   * Takes a message of a peer; `incarnation` is that of its data directory, if the transport knows it. False, and nothing has
   * changed, when it is not for this node, when no correct node could have sent it, or when the sender is not who it claims to be.
   */
  step(message: Message, incarnation?: string): boolean {
    if (message.to !== this.state.id || message.from === message.to || !isWellFormed(message)) return false;
    if (message.type === 'MembershipNotice') {
      this.membership.handleNotice(this.state, message);
      this.settle();
      return true;
    }
    if (!this.membership.admits(this.state, message, incarnation, this.ready)) return false;
    if (message.type === 'RequestVote') this.membership.notifyRemoved(this.state, message.from, this.ready);
    if (!this.agreeOnTerm(message)) return true;
    switch (message.type) {
      case 'RequestVote':
        this.election.handleRequestVote(this.state, message, this.ready);
        break;
      case 'RequestVoteResponse':
        this.election.handleRequestVoteResponse(this.state, message, this.ready);
        break;
      case 'AppendEntries':
        invariant(!this.isLeading, () => `two leaders in term ${message.term}: ${this.state.id} and ${message.from}`);
        this.election.becomeFollower(this.state, message.term, message.from);
        this.replication.handleAppendEntries(this.state, message, this.ready);
        break;
      case 'AppendEntriesResponse':
        this.replication.handleAppendEntriesResponse(this.state, message, this.ready);
        this.readIndex.maybeConfirm(this.state, this.ready);
        break;
      case 'InstallSnapshot':
        invariant(!this.isLeading, () => `two leaders in term ${message.term}: ${this.state.id} and ${message.from}`);
        this.election.becomeFollower(this.state, message.term, message.from);
        this.snapshots.handleInstallSnapshot(this.state, message, this.ready);
        break;
      case 'TimeoutNow':
        this.election.handleTimeoutNow(this.state, message, this.ready);
        break;
      case 'ReadIndexRequest':
        this.readIndex.handleRequest(this.state, message, this.ready);
        break;
      case 'ReadIndexResponse':
        this.readIndex.handleResponse(message, this.ready);
        break;
    }
    this.settle();
    return true;
  }

  /** Appends one entry per item, all or none. They leave with the next `takeReady`, so a turn's proposals travel together. */
  propose(data: readonly Uint8Array[]): ProposeResult {
    const index = this.state.log.lastIndex + 1;
    const reason =
      this.state.transfer !== undefined ? 'leadership_transfer' : this.replication.propose(this.state, data);
    return reason === undefined ? { accepted: true, term: this.state.currentTerm, index } : { accepted: false, reason };
  }

  /**
   * Asks for another configuration. An accepted change has taken effect if, and only if, the entry committed at `index` has this `term`;
   * a change of more than one voter is complete once the configuration is no longer joint.
   */
  proposeChange(change: MembershipChange): ChangeResult {
    const result = this.membership.propose(this.state, change);
    this.settle();
    return result;
  }

  /** Hands the leadership to a voter. Undefined when that has begun; until it ends proposals are rejected. */
  transferLeadership(to: NodeId): TransferRejection | undefined {
    return this.transfer.begin(this.state, to, this.ready);
  }

  /** Whom a leader would best hand over to, `except` left out; undefined on other nodes, and when nobody is within reach. */
  successor(except: readonly NodeId[] = []): NodeId | undefined {
    return this.transfer.successor(this.state, except);
  }

  /**
   * How much this node wants to lead from now on. A leader remains one until its driver hands over; one that must never lead steps down if
   * nobody takes over.
   */
  setCandidacy(candidacy: Candidacy): void {
    this.state.candidacy = candidacy;
    if (candidacy === 'never' && this.isLeading && this.state.transfer === undefined) {
      const to = this.successor();
      if (to === undefined || this.transferLeadership(to) !== undefined) this.stepDown();
    }
    this.settle();
  }

  /** The snapshot that is to replace the state machine's state; undefined once that is done, and while there is none. */
  get pendingSnapshot(): SnapshotMetadata | undefined {
    return this.state.unpersistedSnapshot ?? this.persisting?.snapshot;
  }

  /**
   * Asks for an index to read at; `context` comes back in `confirmedReads` or `rejectedReads`. A follower asks its leader. `lease`
   * answers without a quorum where that is safe (see `RaftConfig.leaseTicks`), and is a `read_index` everywhere else.
   */
  requestRead(context: number, mode: ReadMode = 'read_index'): void {
    this.readIndex.request(this.state, context, mode, this.ready);
  }

  /**
   * What the state machine's state at `index`, which is applied, stands for: to be stored with it, atomically. Undefined when the log begins
   * behind it, as it does while a snapshot is about to replace the state: then there is nothing to be stored.
   */
  describeSnapshot(index: LogIndex): SnapshotMetadata | undefined {
    return this.snapshots.describe(this.state, index);
  }

  /**
   * The state machine's state up to `index`, configuration included, is durable without the log. A driver whose log takes too much of the
   * disk lets fewer entries be retained.
   */
  checkpointed(index: LogIndex, retainedEntries = this.config.retainedEntries): void {
    this.snapshots.checkpointed(this.state, index, retainedEntries, this.ready);
  }

  /**
   * Answers a request of `Ready.snapshots`: the state of `index`, applied and not below the log's base, is on its way with the message that
   * this returns. Undefined when nobody needs it any more: the request has ended.
   */
  snapshotStarted(to: NodeId, index: LogIndex): InstallSnapshot | undefined {
    return this.snapshots.started(this.state, to, index);
  }

  /** Ends what `Ready.snapshots` began, however it went: once for each request, a second time does nothing. */
  snapshotEnded(to: NodeId, isDelivered: boolean): void {
    this.snapshots.ended(this.state, to, isDelivered);
  }

  /** Answers a fetch of `Ready.fetches`; with no entries when the read failed. */
  entriesFetched(to: NodeId, entries: readonly Entry[]): void {
    this.replication.handleFetched(this.state, to, entries, this.ready);
  }

  /** Messages to this member may have been lost. */
  reportUnreachable(id: NodeId): void {
    this.replication.handleUnreachable(this.state, id);
  }

  /** A connection from this member has broken. If it leads, it may be gone. */
  reportDisconnected(id: NodeId): void {
    this.election.suspectLeader(this.state, id);
  }

  /** The batch of the last `Ready.persist` is synced. */
  persisted(): void {
    invariant(this.persisting !== undefined, () => 'a batch is reported as synced, but none is being written');
    this.state.persistedTerm = this.persisting.term;
    this.state.persistedVote = this.persisting.vote;
    this.state.log.markPersisted();
    // A later snapshot may have come meanwhile: what this one brought is in the state machine all the same.
    if (this.persisting.snapshot !== undefined) this.state.appliedIndex = this.persisting.snapshot.index;
    this.persisting = undefined;
    this.state.writingSince = undefined;
    this.election.handleVotePersisted(this.state, this.ready);
    this.replication.handlePersisted(this.state);
    this.settle();
  }

  /** The state machine has applied everything up to `index`. What it had been given before a snapshot may be reported after that. */
  applied(index: LogIndex): void {
    const { state } = this;
    if (index < state.appliedIndex && index < state.log.base.index) return;
    invariant(
      index >= state.appliedIndex && index <= state.handedToApply,
      () => `applied ${index} reported; ${state.appliedIndex} is applied, ${state.handedToApply} was handed out`,
    );
    state.appliedIndex = index;
    state.log.evict(index, this.config.cacheBytesMax);
  }

  /** Whether `takeReady` would hand over nothing; it may say no without need. */
  get isAtRest(): boolean {
    const { state } = this;
    return (
      this.ready.isEmpty &&
      this.readIndex.pendingCount === 0 &&
      (this.persisting !== undefined || !this.isPersistDue) &&
      state.handedToApply >= Math.min(state.commitIndex, state.log.persistedIndex) &&
      [...state.progress.values()].every((each) => each.state !== 'snapshot' && each.nextIndex > state.log.lastIndex)
    );
  }

  /**
   * Hands over, and forgets, what is to be done. With `mayApply` false committed entries are held back, for a state
   * machine that has enough to do.
   */
  takeReady(mayApply = true): Ready {
    this.readIndex.settle(this.state, this.ready);
    if (this.isLeading) {
      const isRoundBegun = this.readIndex.maybeBegin(this.state);
      this.replication.broadcast(this.state, this.ready, isRoundBegun);
      this.readIndex.maybeConfirm(this.state, this.ready);
      this.snapshots.request(this.state, this.ready);
    }
    const { ready } = this;
    const persist = this.takePersistBatch();
    this.ready = new ReadyBuilder();
    this.ready.messagesAfterPersist = ready.messagesAfterPersist;
    return {
      messages: ready.messages,
      persist,
      committed: mayApply ? this.takeCommitted() : [],
      confirmedReads: ready.confirmedReads,
      rejectedReads: ready.rejectedReads,
      fetches: ready.fetches,
      snapshots: ready.snapshots,
      compactThrough: ready.compactThrough,
    };
  }

  status(): RaftStatus {
    const { state } = this;
    return {
      id: state.id,
      role: state.role,
      term: state.currentTerm,
      leaderId: state.leaderId,
      firstIndex: state.log.firstIndex,
      lastIndex: state.log.lastIndex,
      persistedIndex: state.log.persistedIndex,
      commitIndex: state.commitIndex,
      appliedIndex: state.appliedIndex,
      configuration: state.configuration,
      configurationIndex: state.configurations.currentIndex,
      expulsion: state.expulsion,
      candidacy: state.candidacy,
      transferTo: state.transfer?.to,
      members: [...state.progress]
        .filter(([, progress]) => progress.farewell === undefined)
        .map(([id, progress]) => ({
          id,
          matchIndex: progress.matchIndex,
          isActive: state.now - progress.lastContactTick < this.config.electionTimeoutTicks,
          isCaughtUp: progress.hasCaughtUp(state.now, this.config.electionTimeoutTicks),
        })),
      pendingReads: this.readIndex.pendingCount,
      uncommittedBytes: state.uncommittedBytes,
    };
  }

  /**
   * The one place where terms are compared (section 5.1): a later term is adopted, a message of an earlier one
   * is refused. Returns whether the message is for this node as it now stands.
   */
  private agreeOnTerm(message: Message): boolean {
    const { state, election, ready } = this;
    if (message.term > state.currentTerm) {
      if (message.type === 'RequestVote' && election.mustIgnore(state, message)) return false;
      const isPreVote = message.type === 'RequestVote' && message.preVote;
      const isGrantedPreVote = message.type === 'RequestVoteResponse' && message.preVote && message.voteGranted;
      // A pre-vote speaks of a term that nobody has entered yet.
      if (isPreVote || isGrantedPreVote) return true;
      const isFromLeader = message.type === 'AppendEntries' || message.type === 'InstallSnapshot';
      election.becomeFollower(state, message.term, isFromLeader ? message.from : undefined);
      this.settle();
    } else if (message.term < state.currentTerm) {
      if (message.type === 'AppendEntries' || message.type === 'InstallSnapshot')
        this.replication.rejectStaleLeader(state, message, ready);
      else if (message.type === 'RequestVote') election.rejectStaleCandidate(state, message, ready);
      return false;
    }
    return true;
  }

  /** What an input has led to takes effect here: the change of a role, what the log's configuration asks for, and what comes of it. */
  private settle(): void {
    this.takeRole();
    this.membership.settle(this.state);
    this.election.withdraw(this.state);
    if (this.transfer.settle(this.state, this.ready)) this.stepDown();
    this.takeRole();
  }

  private stepDown(): void {
    this.election.becomeFollower(this.state, this.state.currentTerm, undefined);
  }

  private takeRole(): void {
    const isLeader = this.state.role === 'leader';
    if (isLeader === this.isLeading) return;
    this.isLeading = isLeader;
    if (isLeader) {
      this.replication.lead(this.state, this.ready);
    } else {
      this.replication.follow(this.state);
      this.readIndex.leadershipLost(this.state, this.ready);
    }
  }

  private get isHardStateNew(): boolean {
    const { currentTerm, persistedTerm, votedFor, persistedVote } = this.state;
    return currentTerm !== persistedTerm || votedFor !== persistedVote;
  }

  private get isPersistDue(): boolean {
    return this.isHardStateNew || this.state.unpersistedSnapshot !== undefined || this.state.log.hasUnpersisted;
  }

  private takePersistBatch(): PersistBatch | undefined {
    const { state, ready } = this;
    if (this.persisting !== undefined) return undefined;
    // A promise of an earlier term is worth nothing any more, and what it promised may have been truncated since.
    const messages = ready.messagesAfterPersist.filter((message) => message.term >= state.currentTerm);
    ready.messagesAfterPersist = [];
    if (!this.isPersistDue) {
      ready.messages.push(...messages);
      return undefined;
    }
    const { isHardStateNew } = this;
    const snapshot = state.unpersistedSnapshot;
    state.unpersistedSnapshot = undefined;
    this.persisting = { term: state.currentTerm, vote: state.votedFor, snapshot };
    state.writingSince = state.now;
    // Ahead of the entries in the stream: if the write is torn behind it, what it calls committed must be there already. So nothing more is
    // called committed while a snapshot is to replace the log (`persistedIndex` is 0): the state machine remembers what it has applied.
    const commitIndex = Math.max(state.recordedCommitIndex, Math.min(state.commitIndex, state.log.persistedIndex));
    if (isHardStateNew) state.recordedCommitIndex = commitIndex;
    // The log that begins behind a snapshot calls it committed.
    if (snapshot !== undefined) state.recordedCommitIndex = snapshot.index;
    return {
      snapshot,
      hardState: isHardStateNew ? { currentTerm: state.currentTerm, votedFor: state.votedFor, commitIndex } : undefined,
      entries: state.log.takeUnpersisted(),
      messages,
    };
  }

  private takeCommitted(): readonly Entry[] {
    const { state } = this;
    // Not before it is on this node's disk: the state machine must never be ahead of the log.
    const through = Math.min(state.commitIndex, state.log.persistedIndex);
    if (state.handedToApply >= through) return [];
    const entries = state.log.slice(state.handedToApply + 1, through, this.config.applyBytesMax);
    invariant(entries !== undefined, () => `entry ${state.handedToApply + 1} left the memory before it was applied`);
    state.handedToApply += entries.length;
    return entries;
  }
}
