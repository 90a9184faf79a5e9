import { encodeConfiguration, isName } from './configuration-codec.js';
import { isJoint, isMember, membersOf, type Configuration } from './configuration.js';
import { EntryType, type LogIndex, type NodeId } from './entry.js';
import { invariant } from './errors.js';
import {
  configurationAfter,
  configurationAfterJoint,
  incarnationOf,
  withRecords,
  type MembershipChange,
} from './membership-change.js';
import type { ExpulsionReason, MembershipNotice, Message } from './messages.js';
import { Progress } from './progress.js';
import { hasQuorum } from './quorum.js';
import type { RaftConfig } from './raft-config.js';
import type { ReadyBuilder } from './ready.js';
import type { Replication } from './replication.js';
import type { RaftState } from './state.js';

export type { MembershipChange } from './membership-change.js';

/** Why a change was not appended: it surely has not, and will not, take effect. */
export type ChangeRejection =
  | 'not_leader'
  /**
   * No entry of this leader's term is committed yet: an earlier leader's change may still be on its way. Or it depends on voters from whom a
   * new leader cannot have heard yet.
   */
  | 'not_ready'
  /** An earlier change is not committed, or its joint configuration has not been left. */
  | 'change_in_progress'
  /** A learner that is to be promoted lags, or has not answered of late. */
  | 'not_caught_up'
  /**
   * The voters that this leader has heard within an election timeout would be no majority: the change could not be committed, or nothing
   * after it. `detail` names the silent ones.
   */
  | 'would_lose_quorum'
  /** It makes no sense in the present configuration; `detail` says why. */
  | 'invalid'
  | 'leadership_transfer';

interface Rejection {
  readonly reason: ChangeRejection;
  /** For an operator to act on. */
  readonly detail: string;
}

export type ChangeResult =
  | { readonly accepted: true; readonly term: number; readonly index: LogIndex }
  | ({ readonly accepted: false } & Rejection);

/** Election timeouts for which a leader goes on sending to a removed member that does not take in its removal. */
const FAREWELL_TIMEOUTS = 4;

/**
 * Changes of the cluster's configuration (section 6; dissertation 4): learners first, one voter more or less at a time where that is
 * enough, joint consensus where it is not. Also who counts as a member: removed nodes, and members that came back without their data.
 */
export class Membership {
  /** The configuration that this part has last acted on. */
  private inForce: Configuration | undefined;
  private isCommitHandled = false;
  private wasMember = false;
  /** By which configuration this node was expelled; a later one may take it in again. */
  private expelledBy: LogIndex = 0;

  /** Throws a `RangeError` when the incarnation in `config` cannot be recorded. */
  constructor(
    private readonly config: RaftConfig,
    private readonly replication: Replication,
  ) {
    const { incarnation } = config;
    if (incarnation !== undefined && !isName(incarnation)) {
      throw new RangeError(`the incarnation "${incarnation}" is not 1 to 255 visible ASCII characters`);
    }
  }

  propose(state: RaftState, change: MembershipChange): ChangeResult {
    const obstacle = this.obstacleTo(state);
    if (obstacle !== undefined) return { accepted: false, ...obstacle };
    // Once it is committed, a joint configuration is left at once.
    invariant(!isJoint(state.configuration), () => 'a change is to begin in a joint configuration');
    const next = configurationAfter(state.configuration, change);
    if (typeof next === 'string') return { accepted: false, reason: 'invalid', detail: next };
    const lagging = change.promote?.find((id) => !this.hasCaughtUp(state, id));
    if (lagging !== undefined) {
      const detail = `${lagging} has not taken in, within one election timeout, what was new at its beginning`;
      return { accepted: false, reason: 'not_caught_up', detail };
    }
    const danger = this.dangerOf(state, next);
    if (danger !== undefined) return { accepted: false, ...danger };
    this.append(state, next);
    return { accepted: true, term: state.currentTerm, index: state.log.lastIndex };
  }

  /**
   * Once per tick: on a leader, who has been told of its removal is let go, what is known of incarnations is recorded, and a joining learner
   * that has caught up becomes a voter.
   */
  tick(state: RaftState): void {
    if (state.role !== 'leader' || state.now % this.config.heartbeatTicks !== 0) return;
    this.dropFarewells(state);
    this.recordIncarnations(state);
    this.promoteJoining(state);
  }

  /**
   * To be called after every input: follows what the log's configuration has become (a leader's progress, this node's own removal) and
   * leaves a joint configuration once it is committed.
   */
  settle(state: RaftState): void {
    for (;;) {
      if (state.configuration !== this.inForce) this.handleInForce(state);
      if (!this.isCommitHandled && state.configurations.currentIndex <= state.commitIndex) this.handleCommitted(state);
      if (!isJoint(state.configuration) || this.obstacleTo(state) !== undefined) return;
      this.append(state, configurationAfterJoint(state.configuration));
    }
  }

  /**
   * Whether the sender is who the cluster knows by that name: by the record in the configuration or, without one, by the incarnation
   * that this process first heard it with. If not, it is told, and its message must change nothing.
   */
  admits(state: RaftState, message: Message, incarnation: string | undefined, ready: ReadyBuilder): boolean {
    const { from } = message;
    const known = incarnationOf(state.configuration, from) ?? state.heard.get(from);
    // Who does not say who it is may have lost its data: once a cluster knows names, everyone has one.
    if (incarnation === undefined) return known === undefined;
    if (!isName(incarnation)) return false;
    if (known === undefined && isMember(state.configuration, from)) state.heard.set(from, incarnation);
    if (known === undefined || known === incarnation) return true;
    this.notify(state, from, 'other_incarnation', state.configurations.currentIndex, ready);
    return false;
  }

  /** Tells a candidate that a committed configuration has left it out. */
  notifyRemoved(state: RaftState, candidate: NodeId, ready: ReadyBuilder): void {
    const { index, configuration } = state.configurations.at(state.commitIndex);
    // The one that the cluster was started with has removed nobody.
    if (index === 0 || isMember(configuration, candidate) || isMember(state.configuration, candidate)) return;
    this.notify(state, candidate, 'removed', index, ready);
  }

  /**
   * A notice is of no use to who has been taken in again since. A configuration that is only in this node's log, on a branch that the
   * cluster has given up, is no proof of that.
   */
  handleNotice(state: RaftState, { reason, configurationIndex, from }: MembershipNotice): void {
    const { configuration, configurations, commitIndex } = state;
    const isKnown =
      configurationIndex <= commitIndex || configurations.at(configurationIndex).index === configurationIndex;
    if (configurations.currentIndex > configurationIndex && (isKnown || reason === 'other_incarnation')) return;
    const isAmongPeers = membersOf(configuration).length === 0 || isMember(configuration, from);
    if (reason === 'other_incarnation' && !isAmongPeers) return;
    this.expel(state, reason, configurationIndex);
  }

  /** Why no configuration can be appended now. */
  private obstacleTo(state: RaftState): Rejection | undefined {
    const { configurations, commitIndex } = state;
    if (state.role !== 'leader') return { reason: 'not_leader', detail: 'only a leader changes the configuration' };
    if (state.transfer !== undefined) {
      return { reason: 'leadership_transfer', detail: `the leadership is being handed to ${state.transfer.to}` };
    }
    // Ongaro, "bug in single-server membership changes", 2015: without it two leaders' changes need not share a quorum.
    if (!state.hasCommittedInTerm) {
      return { reason: 'not_ready', detail: 'this leader has not committed an entry of its term yet' };
    }
    const { currentIndex } = configurations;
    if (currentIndex > commitIndex) {
      return { reason: 'change_in_progress', detail: `the change at ${currentIndex} is not committed yet` };
    }
    return undefined;
  }

  /** Why the cluster could not go on with another set of voters, as far as this leader knows. */
  private dangerOf(state: RaftState, next: Configuration): Rejection | undefined {
    const before = state.configuration.voters;
    const areSame = next.voters.length === before.length && next.voters.every((id) => before.includes(id));
    if (areSame || hasQuorum(next, (id) => this.isHeard(state, id) === true)) return undefined;
    const voters = [...new Set([...next.voters, ...next.outgoingVoters])];
    // Who has had no time to answer a new leader is not called silent.
    if (hasQuorum(next, (id) => this.isHeard(state, id) !== false)) {
      const awaited = voters.filter((id) => this.isHeard(state, id) === undefined).join(', ');
      return {
        reason: 'not_ready',
        detail: `this leader has begun to lead only now, and waits to hear from ${awaited}`,
      };
    }
    const silent = voters.filter((id) => this.isHeard(state, id) === false);
    const staying = silent.filter((id) => next.voters.includes(id)).join(', ');
    const remedy = hasQuorum({ ...next, outgoingVoters: [] }, (id) => this.isHeard(state, id) === true)
      ? 'no change can be committed until enough of them are back'
      : `bring ${staying} back, or remove or replace ${staying} first`;
    return {
      reason: 'would_lose_quorum',
      detail: `no majority of the voters would be left: nothing was heard of ${silent.join(', ')} within an election timeout; ${remedy}`,
    };
  }

  /** Whether a voter has answered within an election timeout; undefined while a new leader has not waited so long. */
  private isHeard(state: RaftState, id: NodeId): boolean | undefined {
    if (id === state.id) return true;
    const progress = state.progress.get(id);
    if (progress === undefined || state.now - progress.lastContactTick >= this.config.electionTimeoutTicks)
      return false;
    return progress.hasAnswered ? true : undefined;
  }

  /** One at a time. Whoever leads next goes on with the others, for who is joining stands in the log. */
  private promoteJoining(state: RaftState): void {
    for (const id of Object.keys(state.configuration.joining ?? {})) {
      if (this.propose(state, { promote: [id] }).accepted) return;
    }
  }

  private append(state: RaftState, configuration: Configuration): void {
    this.replication.append(state, EntryType.Configuration, [encodeConfiguration(configuration)]);
  }

  private hasCaughtUp(state: RaftState, id: NodeId): boolean {
    return state.progress.get(id)?.hasCaughtUp(state.now, this.config.electionTimeoutTicks) ?? false;
  }

  private handleInForce(state: RaftState): void {
    const { configurations } = state;
    this.inForce = configurations.current;
    this.isCommitHandled = false;
    this.wasMember ||= configurations.hasNamed(state.id);
    if (state.expulsion !== undefined && this.takesInAgain(state)) state.expulsion = undefined;
    if (state.role !== 'leader') return;
    this.followMembers(state);
    // The new quorum may have stored more than the old one.
    this.replication.maybeCommit(state);
  }

  private handleCommitted(state: RaftState): void {
    this.isCommitHandled = true;
    // A node that joins reads of times in which it was not there yet.
    if (this.wasMember && !isMember(state.configuration, state.id)) {
      this.expel(state, 'removed', state.configurations.currentIndex);
    }
  }

  private expel(state: RaftState, reason: ExpulsionReason, configurationIndex: LogIndex): void {
    state.expulsion = reason;
    this.expelledBy = configurationIndex;
  }

  /** Who lost its data is a member again only by name, until its new incarnation is recorded. */
  private takesInAgain({ configuration, configurations, expulsion, id }: RaftState): boolean {
    if (configurations.currentIndex <= this.expelledBy || !isMember(configuration, id)) return false;
    return expulsion === 'removed' || incarnationOf(configuration, id) === this.config.incarnation;
  }

  /** New members are sent the log, from the entry that added them. Removed ones are, until they know. */
  private followMembers(state: RaftState): void {
    const { configuration, configurations, progress, now } = state;
    for (const id of membersOf(configuration)) {
      const isKnown = progress.has(id) && progress.get(id)!.farewell === undefined;
      if (id !== state.id && !isKnown) progress.set(id, new Progress(configurations.currentIndex, now));
    }
    for (const [id, each] of progress) {
      if (!isMember(configuration, id))
        each.farewell ??= { removalIndex: configurations.currentIndex, since: now, toldAt: undefined };
    }
  }

  private dropFarewells({ progress, commitIndex, now }: RaftState): void {
    const ticksMax = FAREWELL_TIMEOUTS * this.config.electionTimeoutTicks;
    for (const [id, each] of progress) {
      const { farewell, matchIndex, lastContactTick } = each;
      if (farewell === undefined) continue;
      if (farewell.toldAt === undefined && Math.min(matchIndex, commitIndex) >= farewell.removalIndex) {
        // By a heartbeat that is due at this tick.
        farewell.toldAt = now;
        each.assertedTick = -Infinity;
      }
      const isTold = farewell.toldAt !== undefined && lastContactTick > farewell.toldAt;
      if (isTold || now - farewell.since >= ticksMax) progress.delete(id);
    }
  }

  private recordIncarnations(state: RaftState): void {
    const { configuration, heard, id: self } = state;
    const unrecorded = membersOf(configuration)
      .filter((id) => incarnationOf(configuration, id) === undefined)
      .map((id) => [id, id === self ? this.config.incarnation : heard.get(id)] as const)
      .filter((pair): pair is [NodeId, string] => pair[1] !== undefined);
    if (unrecorded.length === 0 || this.obstacleTo(state) !== undefined) return;
    const recorded = Object.entries(configuration.incarnations ?? {});
    const incarnations = Object.fromEntries([...recorded, ...unrecorded]);
    this.append(state, withRecords(configuration, { ...configuration, incarnations }));
  }

  private notify(
    state: RaftState,
    to: NodeId,
    reason: ExpulsionReason,
    configurationIndex: LogIndex,
    ready: ReadyBuilder,
  ): void {
    // It says nothing of terms, so it does not wait for this one's to be synced.
    ready.send({
      type: 'MembershipNotice',
      from: state.id,
      to,
      term: state.persistedTerm,
      reason,
      configurationIndex,
    });
  }
}
