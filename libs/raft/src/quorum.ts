/**
 * Quorum arithmetic, for simple and joint configurations alike: in a joint one a decision needs a
 * majority of the incoming and a majority of the outgoing voters (section 6). Learners never count.
 */
import type { Configuration } from './configuration.js';
import type { LogIndex, NodeId } from './entry.js';

export type VoteResult = 'won' | 'lost' | 'pending';

const majorityOf = (count: number): number => (count >> 1) + 1;

/** The outcome of a vote in which `votes` holds what was answered so far. */
export function voteResult(configuration: Configuration, votes: ReadonlyMap<NodeId, boolean>): VoteResult {
  const incoming = majorityResult(configuration.voters, votes);
  if (configuration.outgoingVoters.length === 0) return incoming;
  const outgoing = majorityResult(configuration.outgoingVoters, votes);
  if (incoming === 'lost' || outgoing === 'lost') return 'lost';
  return incoming === 'won' && outgoing === 'won' ? 'won' : 'pending';
}

/** Whether the nodes that satisfy `claim` form a quorum. */
export function hasQuorum(configuration: Configuration, claim: (id: NodeId) => boolean): boolean {
  return (
    hasMajority(configuration.voters, claim) &&
    (configuration.outgoingVoters.length === 0 || hasMajority(configuration.outgoingVoters, claim))
  );
}

/** The highest index that a quorum has stored, given what each voter has stored. */
export function storedByQuorum(configuration: Configuration, matchIndexOf: (id: NodeId) => LogIndex): LogIndex {
  const incoming = storedByMajority(configuration.voters, matchIndexOf);
  if (configuration.outgoingVoters.length === 0) return incoming;
  return Math.min(incoming, storedByMajority(configuration.outgoingVoters, matchIndexOf));
}

function majorityResult(voters: readonly NodeId[], votes: ReadonlyMap<NodeId, boolean>): VoteResult {
  let granted = 0;
  let unanswered = 0;
  for (const id of voters) {
    const vote = votes.get(id);
    if (vote === undefined) unanswered++;
    else if (vote) granted++;
  }
  const majority = majorityOf(voters.length);
  if (granted >= majority) return 'won';
  return granted + unanswered >= majority ? 'pending' : 'lost';
}

function hasMajority(voters: readonly NodeId[], claim: (id: NodeId) => boolean): boolean {
  let count = 0;
  for (const id of voters) if (claim(id)) count++;
  return count >= majorityOf(voters.length);
}

function storedByMajority(voters: readonly NodeId[], matchIndexOf: (id: NodeId) => LogIndex): LogIndex {
  if (voters.length === 0) return 0;
  const descending = voters.map(matchIndexOf).sort((a, b) => b - a);
  return descending[majorityOf(voters.length) - 1] ?? 0;
}
