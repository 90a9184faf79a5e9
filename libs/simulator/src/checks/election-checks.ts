import type { NodeId, Term } from '@app/raft';
import type { ObservedNode } from '../observer.js';
import type { Check } from './check.js';
import type { DurableLedger } from './durable-ledger.js';
import { fail } from './fail.js';
import { isQuorum } from './quorums.js';

/** Whoever leads has the synced votes of a quorum of its configuration. (One leader per term: see `LogChecks`.) */
export class ElectionChecks implements Check {
  private readonly ledTerm = new Map<NodeId, Term>();

  constructor(private readonly ledger: DurableLedger) {}

  crashed({ id }: ObservedNode): void {
    this.ledTerm.delete(id);
  }

  settled({ id, state }: ObservedNode): void {
    if (state?.role !== 'leader' || this.ledTerm.get(id) === state.currentTerm) return;
    this.ledTerm.set(id, state.currentTerm);
    const { configurations, currentTerm } = state;
    const configuration = configurations.current;
    const votedForIt = (voter: NodeId) => this.ledger.hasVotedFor(voter, currentTerm, id);
    if (isQuorum(configuration, votedForIt)) return;
    const votes = configuration.voters.filter(votedForIt);
    const learners = configuration.learners.filter(votedForIt);
    const check = learners.length > 0 ? 'learner_counted' : 'election_quorum';
    fail(check, `${id} leads term ${currentTerm} with the synced votes of ${[...votes, ...learners].join()}`);
  }
}
