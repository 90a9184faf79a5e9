import {
  type AppendEntries,
  type Configuration,
  type InstallSnapshot,
  type Message,
  type NodeId,
  type RaftConfig,
  type RaftState,
  type Term,
} from '@app/raft';
import type { ObservedNode } from '../observer.js';
import type { Check } from './check.js';
import { fail } from './fail.js';
import { isQuorum } from './quorums.js';

/** Election timeouts after which a leader whose disk completes nothing must have stepped down. */
const HUNG_DISK_TIMEOUTS_MAX = 11;

interface Seen {
  /** The tick at which a message of the leader of `heardTerm` came last. */
  heardTick: number;
  heardTerm: Term;
  /** The leader's leave to campaign over the heads of the voters, by the term that it leads to; false if it came too late. */
  readonly leaves: Map<Term, boolean>;
  /** Requests for votes by what they ask: whether one came at a time at which it may be granted. */
  readonly mayGrant: Map<string, boolean>;
  ledTerm: Term;
  /** As a leader: when who answered last, and since when these are counted, in the same configuration. */
  readonly answeredTick: Map<NodeId, number>;
  countedSince: number;
  counted: Configuration | undefined;
}

/**
 * Nobody who must not do so disturbs a leader: voters that hear it help no candidate, a late TimeoutNow moves nobody, who was told of its
 * removal asks for no votes, and nobody leads who is no voter, whose disk hangs, or
 * whom no quorum answers.
 */
export class DisturbanceChecks implements Check {
  private readonly seen = new Map<NodeId, Seen>();

  started({ id }: ObservedNode): void {
    this.seen.set(id, {
      heardTick: -Infinity,
      heardTerm: 0,
      leaves: new Map(),
      mayGrant: new Map(),
      ledTerm: 0,
      answeredTick: new Map(),
      countedSince: 0,
      counted: undefined,
    });
  }

  crashed({ id }: ObservedNode): void {
    this.seen.delete(id);
  }

  received({ id, state, config }: ObservedNode, message: Message): void {
    const seen = this.seen.get(id);
    if (state === undefined || seen === undefined) return;
    switch (message.type) {
      case 'AppendEntries':
      case 'InstallSnapshot':
        this.hear(seen, message, state.now);
        break;
      case 'AppendEntriesResponse':
        if (message.term === state.currentTerm) seen.answeredTick.set(message.from, state.now);
        break;
      case 'TimeoutNow': {
        const { currentTerm, leaderId, log } = state;
        const isOfNow =
          message.term === currentTerm &&
          leaderId === message.from &&
          message.lastLogIndex === log.lastIndex &&
          message.lastLogTerm === log.lastTerm;
        const term = message.term + 1;
        seen.leaves.set(term, isOfNow || (seen.leaves.get(term) ?? false));
        break;
      }
      case 'RequestVote': {
        const isHeard =
          state.role === 'leader' ||
          (seen.heardTerm === state.currentTerm &&
            state.leaderId !== undefined &&
            state.now - seen.heardTick < config.electionTimeoutTicks);
        const isProtected = isHeard && message.term > state.currentTerm && (message.preVote || config.checkQuorum);
        const name = requestName(message.from, message.term, message.preVote);
        const mayGrant = message.isTransfer || !isProtected;
        seen.mayGrant.set(name, mayGrant || (seen.mayGrant.get(name) ?? false));
        break;
      }
      default:
    }
  }

  sent({ id }: ObservedNode, message: Message): void {
    const seen = this.seen.get(id);
    if (seen === undefined) return;
    if (message.type === 'RequestVote' && message.isTransfer && seen.leaves.get(message.term) !== true) {
      fail('late_timeout_now', `${id} campaigns for term ${message.term} as if its leader had asked it to`);
    }
    if (message.type !== 'RequestVoteResponse' || !message.voteGranted) return;
    if (seen.mayGrant.get(requestName(message.to, message.term, message.preVote)) === false) {
      fail('leader_disturbed', `${id} hears a leader and grants ${message.to} a vote for term ${message.term}`);
    }
  }

  settled({ id, state, config }: ObservedNode): void {
    const seen = this.seen.get(id);
    if (state === undefined || seen === undefined) return;
    const { role, expulsion, configurations, commitIndex, currentTerm, writingSince, now } = state;
    if (expulsion !== undefined && (role === 'candidate' || role === 'preCandidate')) {
      fail('removed_node_campaigns', `${id} asks for votes, though it knows that it is out: ${expulsion}`);
    }
    if (role !== 'leader') return;
    if (writingSince !== undefined && now - writingSince > HUNG_DISK_TIMEOUTS_MAX * config.electionTimeoutTicks) {
      fail('hung_disk_leads', `${id} leads, and its disk writes since tick ${writingSince}; now is ${now}`);
    }
    if (seen.ledTerm === currentTerm) return this.checkHearing(id, seen, state, config);
    seen.ledTerm = currentTerm;
    seen.answeredTick.clear();
    seen.counted = undefined;
    // Any of the uncommitted ones may turn out to be the last that is committed, also one between the last committed and the last of all.
    if (!configurations.hasVoterSince(commitIndex, id))
      fail('non_voter_leads', `${id} leads term ${currentTerm}, and is no voter`);
  }

  private checkHearing(id: NodeId, seen: Seen, state: RaftState, config: RaftConfig): void {
    const { now } = state;
    const configuration = state.configurations.current;
    if (seen.counted !== configuration) {
      seen.counted = configuration;
      seen.countedSince = now;
    }
    const oldest = now - 2 * config.electionTimeoutTicks;
    if (!config.checkQuorum || seen.countedSince >= oldest) return;
    if (isQuorum(configuration, (voter) => voter === id || (seen.answeredTick.get(voter) ?? -1) >= oldest)) return;
    fail('deaf_leader', `${id} leads, and no quorum has answered it for two election timeouts`);
  }

  private hear(seen: Seen, { term }: AppendEntries | InstallSnapshot, now: number): void {
    if (term < seen.heardTerm) return;
    seen.heardTerm = term;
    seen.heardTick = now;
  }
}

const requestName = (from: NodeId, term: Term, isPreVote: boolean): string => `${from}/${term}/${isPreVote}`;
