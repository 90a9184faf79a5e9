import type { Candidacy, Message, NodeId, Role, Term } from '@app/raft';
import type { ObservedNode } from '../observer.js';
import type { Check } from './check.js';
import { fail } from './fail.js';

/** Election timeouts for which a reluctant node at least leaves the campaign to others, once it has heard a leader. */
const RELUCTANCE_TIMEOUTS = 4;

interface Seen {
  candidacy: Candidacy;
  /** The tick since which that is its candidacy. */
  since: number;
  role: Role;
  /** By the term that a TimeoutNow leads to: whether one came while the node was ready to lead. */
  readonly leaves: Map<Term, boolean>;
}

/**
 * Who had better not lead leaves it to the others, who are asked first: it takes over from nobody, and campaigns late. Who must not lead
 * does not campaign, and hands over, or steps down, within an election timeout.
 */
export class CandidacyChecks implements Check {
  private readonly seen = new Map<NodeId, Seen>();

  started({ id }: ObservedNode): void {
    this.seen.set(id, { candidacy: 'ready', since: 0, role: 'follower', leaves: new Map() });
  }

  crashed({ id }: ObservedNode): void {
    this.seen.delete(id);
  }

  received({ id, state }: ObservedNode, message: Message): void {
    const leaves = this.seen.get(id)?.leaves;
    if (state === undefined || leaves === undefined || message.type !== 'TimeoutNow') return;
    const term = message.term + 1;
    leaves.set(term, state.candidacy === 'ready' || (leaves.get(term) ?? false));
  }

  sent({ id }: ObservedNode, message: Message): void {
    if (message.type !== 'RequestVote' || !message.isTransfer) return;
    if (this.seen.get(id)?.leaves.get(message.term) !== false) return;
    fail('unwilling_successor', `${id} takes over in term ${message.term}, though it had better not lead`);
  }

  settled({ id, state, config }: ObservedNode): void {
    const seen = this.seen.get(id);
    if (state === undefined || seen === undefined) return;
    const { candidacy, role, now, leaderHeardTick } = state;
    const isCampaigning = role === 'preCandidate' || role === 'candidate';
    if (candidacy === 'never' && isCampaigning) fail('unfit_campaigns', `${id} asks for votes, and must not lead`);
    // What it did before its candidacy changed it was free to do.
    if (candidacy === seen.candidacy) {
      const isNewLeader = role === 'leader' && seen.role !== 'leader';
      if (
        candidacy === 'never' &&
        (isNewLeader || (role === 'leader' && now - seen.since > config.electionTimeoutTicks))
      ) {
        fail('unfit_leads', `${id} leads at tick ${now}, and must not since tick ${seen.since}`);
      }
      const isAsked = role === 'candidate' && seen.leaves.has(state.currentTerm);
      const isSoon = !isAsked && now - leaderHeardTick < RELUCTANCE_TIMEOUTS * config.electionTimeoutTicks;
      if (candidacy === 'reluctant' && isCampaigning && seen.role === 'follower' && isSoon) {
        fail('reluctant_campaigns_early', `${id} heard a leader at tick ${leaderHeardTick}, and campaigns at ${now}`);
      }
    } else {
      seen.candidacy = candidacy;
      seen.since = now;
    }
    seen.role = role;
  }
}
