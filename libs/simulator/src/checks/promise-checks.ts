import type { LogIndex, Message } from '@app/raft';
import type { ObservedNode } from '../observer.js';
import type { Check } from './check.js';
import type { DurableLedger } from './durable-ledger.js';
import { fail } from './fail.js';

/** Nothing that a node says may count on what its disk has not confirmed: its term, its vote, its log. */
export class PromiseChecks implements Check {
  constructor(private readonly ledger: DurableLedger) {}

  sent({ id, state }: ObservedNode, message: Message): void {
    const durable = this.ledger.of(id);
    if (message.term > durable.term && promisesTerm(message)) {
      early(message, `its term is ${message.term}, synced is ${durable.term}`);
    }
    switch (message.type) {
      case 'RequestVote':
        if (!message.preVote && durable.votes.get(message.term) !== id) early(message, 'its own vote is not synced');
        break;
      case 'RequestVoteResponse':
        if (message.voteGranted && !message.preVote && durable.votes.get(message.term) !== message.to) {
          early(message, 'the vote is not synced');
        }
        break;
      case 'AppendEntriesResponse':
        if (message.success && message.matchIndex > 0 && state !== undefined) {
          this.checkAcknowledged(message, message.matchIndex, state);
        }
        break;
      default:
    }
  }

  private checkAcknowledged(
    message: Message,
    index: LogIndex,
    { log, currentTerm }: NonNullable<ObservedNode['state']>,
  ): void {
    const durable = this.ledger.of(message.from);
    // What was synced for an earlier leader may be truncated in memory already, by the next one: the promise was kept when it was made.
    const isOfTerm = message.term === currentTerm;
    const isInLog = isOfTerm && index >= log.base.index && index <= log.lastIndex;
    const isSynced = isInLog ? durable.holds(index, log.termAt(index)) : index <= durable.lastIndex;
    if (!isSynced) early(message, `it acknowledges ${index}, synced is ${durable.lastIndex}`);
  }
}

/** A pre-vote speaks of a term that nobody has entered; a notice and a question about reads promise nothing. */
function promisesTerm(message: Message): boolean {
  switch (message.type) {
    case 'RequestVote':
      return !message.preVote;
    case 'RequestVoteResponse':
      return !(message.preVote && message.voteGranted);
    case 'MembershipNotice':
    case 'ReadIndexRequest':
      return false;
    default:
      return true;
  }
}

function early(message: Message, why: string): never {
  fail('promise_before_sync', `${message.type} of ${message.from} to ${message.to} leaves: ${why}`);
}
