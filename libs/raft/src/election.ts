import type { NodeId, Term } from './entry.js';
import { invariant } from './errors.js';
import type { RequestVote, RequestVoteResponse, TimeoutNow } from './messages.js';
import { isVoter, membersOf } from './configuration.js';
import { hasQuorum, voteResult } from './quorum.js';
import type { RaftConfig } from './raft-config.js';
import type { Random } from './random.js';
import type { ReadyBuilder } from './ready.js';
import type { RaftState } from './state.js';

/** Election timeouts after which a write that the disk has not completed counts as hung, not as slow. */
const HUNG_DISK_TIMEOUTS = 10;

/** Election timeouts that a reluctant node leaves to the others before it campaigns itself. */
const RELUCTANCE_TIMEOUTS = 4;

/**
 * Leader election (section 5.2) with the election restriction (5.4.1), the pre-vote phase (dissertation 9.6)
 * and check-quorum (dissertation 6.2). The only part that changes term, vote and role.
 */
export class Election {
  /** Between one and two election timeouts, drawn anew at every reset, so that votes are rarely split. */
  private randomizedTimeoutTicks: number;

  constructor(
    private readonly config: RaftConfig,
    private readonly random: Random,
  ) {
    this.randomizedTimeoutTicks = this.drawTimeout();
  }

  tick(state: RaftState, ready: ReadyBuilder): void {
    if (state.role === 'leader') {
      if (this.hasHungDisk(state) || (this.config.checkQuorum && !this.hearsFromQuorum(state))) {
        this.becomeFollower(state, state.currentTerm, undefined);
      }
    } else if (state.electionElapsedTicks >= this.patienceTicks(state) && state.mayCampaign) {
      this.campaign(state, ready);
    }
  }

  /** Asks for votes now, without waiting for the timer. No effect on a leader, or on a node that may not campaign or not yet (see `boundTicksLeft`). */
  campaign(state: RaftState, ready: ReadyBuilder): void {
    if (state.role === 'leader' || !state.mayCampaign || this.boundTicksLeft(state) > 0) return;
    if (this.config.preVote) this.becomePreCandidate(state, ready);
    else this.becomeCandidate(state, ready);
  }

  /**
   * Adopts a term, which must not be lower, and follows `leaderId` if it is known. The vote survives
   * unless the term is a new one.
   */
  becomeFollower(state: RaftState, term: Term, leaderId: NodeId | undefined): void {
    invariant(term >= state.currentTerm, () => `the term would fall from ${state.currentTerm} to ${term}`);
    if (term > state.currentTerm) {
      state.currentTerm = term;
      state.votedFor = undefined;
    }
    if (state.role !== 'follower' || leaderId !== undefined) this.resetTimer(state);
    if (leaderId !== undefined) state.leaderHeardTick = state.now;
    state.role = 'follower';
    state.leaderId = leaderId;
    state.votes.clear();
  }

  /** A campaign ends when the node learns that it is not to have one. */
  withdraw(state: RaftState): void {
    const isCampaigning = state.role === 'preCandidate' || state.role === 'candidate';
    if (isCampaigning && !state.mayCampaign) this.becomeFollower(state, state.currentTerm, undefined);
  }

  /**
   * The connection on which this node heard from its leader has broken: the leader's process is probably gone. The
   * follower stops counting on it, and asks for votes after two to four heartbeats if that is sooner; a living leader is
   * heard again by then. Not in the paper: it only shortens the wait, and moves nobody to vote against a leader that it
   * hears.
   */
  suspectLeader(state: RaftState, id: NodeId): void {
    if (state.role !== 'follower' || state.leaderId !== id) return;
    state.leaderId = undefined;
    const { heartbeatTicks } = this.config;
    const soonTicks =
      Math.max(2 * heartbeatTicks, this.boundTicksLeft(state)) + this.random.nextInt(0, 2 * heartbeatTicks);
    if (soonTicks >= this.randomizedTimeoutTicks - state.electionElapsedTicks) return;
    state.electionTimerStart = state.now;
    this.randomizedTimeoutTicks = soonTicks;
  }

  /**
   * Whether a request for a vote in a later term is to be left unanswered because this node has a leader that it heard
   * from within the minimum election timeout: such a request comes from a node that is cut off or removed.
   * A pre-vote is always refused so (dissertation 9.6), else it would protect nobody. A real vote only together with
   * check-quorum, which makes a leader that hears from nobody step down (4.2.3, 6.2). A campaign that the leader itself has asked
   * for is heard. With leases nothing else is as long as one may count on this node.
   */
  mustIgnore(state: RaftState, message: RequestVote): boolean {
    if (message.isTransfer) return false;
    if (this.boundTicksLeft(state) > 0) return true;
    if (state.leaderId === undefined || !(message.preVote || this.config.checkQuorum)) return false;
    return state.role === 'leader' || state.electionElapsedTicks < this.config.electionTimeoutTicks;
  }

  /** At the same term as this node's, or a pre-vote for a later one. */
  handleRequestVote(state: RaftState, message: RequestVote, ready: ReadyBuilder): void {
    // It does not remember for whom it has voted, nor what its log held then; and not everyone knows that yet.
    if (state.expulsion === 'other_incarnation') return;
    const isFree =
      state.votedFor === message.from ||
      (state.votedFor === undefined &&
        state.leaderId === undefined &&
        (message.isTransfer || this.boundTicksLeft(state) === 0)) ||
      (message.preVote && message.term > state.currentTerm);
    const isGranted =
      isFree && state.log.isUpToDate(message.lastLogIndex, message.lastLogTerm) && !this.goesFirst(state, message);
    if (isGranted && !message.preVote) {
      // A campaign of its own that is still at the pre-vote ends: it would depose the one just voted for.
      if (state.role === 'preCandidate') this.becomeFollower(state, state.currentTerm, undefined);
      state.votedFor = message.from;
      this.resetTimer(state);
    }
    ready.sendAfterPersist({
      type: 'RequestVoteResponse',
      from: state.id,
      to: message.from,
      term: isGranted && message.preVote ? message.term : state.currentTerm,
      voteGranted: isGranted,
      preVote: message.preVote,
    });
  }

  /**
   * Whether of two nodes that have begun to ask for the same pre-vote at about the same time, with logs that end alike, this one is to have
   * it. If each granted it to the other, both would become candidates, and where one vote more is needed neither could win. Not in the
   * paper. It holds for a moment only: what goes first may be unable to win, and then the other one is to win when it asks again.
   */
  private goesFirst(state: RaftState, { from, term, lastLogIndex, lastLogTerm, preVote }: RequestVote): boolean {
    const { id, role, now, electionTimerStart, currentTerm, log } = state;
    const isRival = preVote && role === 'preCandidate' && term === currentTerm + 1;
    const isEqual = lastLogIndex === log.lastIndex && lastLogTerm === log.lastTerm;
    return isRival && isEqual && id < from && now - electionTimerStart < 2 * this.config.heartbeatTicks;
  }

  /** Tells a candidate of an earlier term that it is behind. */
  rejectStaleCandidate(state: RaftState, message: RequestVote, ready: ReadyBuilder): void {
    ready.sendAfterPersist({
      type: 'RequestVoteResponse',
      from: state.id,
      to: message.from,
      term: state.currentTerm,
      voteGranted: false,
      preVote: message.preVote,
    });
  }

  handleRequestVoteResponse(state: RaftState, message: RequestVoteResponse, ready: ReadyBuilder): void {
    const expected = message.preVote ? 'preCandidate' : 'candidate';
    if (state.role !== expected) return;
    if (message.preVote && message.voteGranted && message.term !== state.currentTerm + 1) return;
    if (!state.votes.has(message.from)) state.votes.set(message.from, message.voteGranted);
    this.countVotes(state, ready);
  }

  /** The candidate's own vote counts like any other: once it is on the disk. */
  handleVotePersisted(state: RaftState, ready: ReadyBuilder): void {
    if (state.role !== 'candidate' || state.votes.has(state.id)) return;
    if (state.persistedTerm !== state.currentTerm || state.persistedVote !== state.id) return;
    state.votes.set(state.id, true);
    this.countVotes(state, ready);
  }

  /**
   * The leader hands over to this node: it campaigns at once, and without asking first (dissertation 3.10). A message that comes late,
   * or twice, no longer speaks of this node's leader or of the end of this log. At the same term as this node's.
   */
  handleTimeoutNow(state: RaftState, message: TimeoutNow, ready: ReadyBuilder): void {
    const { log } = state;
    if (state.role !== 'follower' || state.leaderId !== message.from || !state.mayCampaign) return;
    if (state.candidacy !== 'ready') return;
    if (message.lastLogIndex !== log.lastIndex || message.lastLogTerm !== log.lastTerm) return;
    this.becomeCandidate(state, ready, true);
  }

  /**
   * Ticks for which a lease may count on this node: an election timeout after it last answered a leader, of whatever term, or after it
   * started, for it does not remember what it answered before. Until then it neither votes nor campaigns. A cluster of one that never was
   * another has nobody else to count on it.
   */
  private boundTicksLeft(state: RaftState): number {
    const { configuration, configurations } = state;
    const isAlone = configurations.currentIndex === 0 && membersOf(configuration).length === 1;
    if (this.config.leaseTicks === 0 || (isAlone && state.isVoter)) return 0;
    return Math.max(0, state.leaderHeardTick + this.config.electionTimeoutTicks - state.now);
  }

  private patienceTicks({ candidacy }: RaftState): number {
    const more = candidacy === 'reluctant' ? RELUCTANCE_TIMEOUTS * this.config.electionTimeoutTicks : 0;
    return this.randomizedTimeoutTicks + more;
  }

  private becomePreCandidate(state: RaftState, ready: ReadyBuilder): void {
    state.role = 'preCandidate';
    state.leaderId = undefined;
    this.resetTimer(state);
    // Promises nothing: neither term nor vote have changed.
    state.votes = new Map([[state.id, true]]);
    this.requestVotes(state, state.currentTerm + 1, ready);
    this.countVotes(state, ready);
  }

  private becomeCandidate(state: RaftState, ready: ReadyBuilder, isTransfer = false): void {
    state.role = 'candidate';
    state.leaderId = undefined;
    state.currentTerm += 1;
    state.votedFor = state.id;
    state.votes = new Map();
    this.resetTimer(state);
    this.requestVotes(state, state.currentTerm, ready, isTransfer);
  }

  private becomeLeader(state: RaftState): void {
    state.role = 'leader';
    state.leaderId = state.id;
    state.votes.clear();
  }

  private requestVotes(state: RaftState, term: Term, ready: ReadyBuilder, isTransfer = false): void {
    const isPreVote = state.role === 'preCandidate';
    for (const id of membersOf(state.configuration)) {
      if (id === state.id || !isVoter(state.configuration, id)) continue;
      const message: RequestVote = {
        type: 'RequestVote',
        from: state.id,
        to: id,
        term,
        lastLogIndex: state.log.lastIndex,
        lastLogTerm: state.log.lastTerm,
        preVote: isPreVote,
        isTransfer,
      };
      if (isPreVote) ready.send(message);
      else ready.sendAfterPersist(message);
    }
  }

  private countVotes(state: RaftState, ready: ReadyBuilder): void {
    const result = voteResult(state.configuration, state.votes);
    if (result === 'lost') this.becomeFollower(state, state.currentTerm, undefined);
    else if (result === 'won' && state.role === 'preCandidate') this.becomeCandidate(state, ready);
    else if (result === 'won' && state.role === 'candidate') this.becomeLeader(state);
  }

  /**
   * A leader applies nothing, and so answers nobody, before its own disk has it, while its heartbeats keep everyone else from
   * leading. It cannot win again before the disk works: its vote for itself has to be synced.
   */
  private hasHungDisk(state: RaftState): boolean {
    if (state.writingSince === undefined) return false;
    return state.now - state.writingSince >= HUNG_DISK_TIMEOUTS * this.config.electionTimeoutTicks;
  }

  private hearsFromQuorum(state: RaftState): boolean {
    const oldest = state.now - this.config.electionTimeoutTicks;
    return hasQuorum(
      state.configuration,
      (id) => id === state.id || (state.progress.get(id)?.lastContactTick ?? -Infinity) > oldest,
    );
  }

  private resetTimer(state: RaftState): void {
    state.electionTimerStart = state.now;
    this.randomizedTimeoutTicks = this.drawTimeout();
  }

  private drawTimeout(): number {
    const base = this.config.electionTimeoutTicks;
    return base + this.random.nextInt(0, base);
  }
}
