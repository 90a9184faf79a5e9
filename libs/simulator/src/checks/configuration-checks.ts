import {
  decodeConfiguration,
  EntryType,
  isMember,
  recordOf,
  type Configuration,
  type Entry,
  type LogIndex,
  type NodeId,
  type Term,
} from '@app/raft';
import type { ObservedNode } from '../observer.js';
import { fail } from './fail.js';
import { doQuorumsMeet } from './quorums.js';

/**
 * What a leader may append: one change at a time, only after an entry of its own term is committed, and none that splits the cluster. Nobody
 * becomes a voter who lags, or who neither is joining nor was asked for; and nothing is forgotten about those who stay.
 */
export class ConfigurationChecks {
  private readonly compared = new Set<string>();
  private readonly asked = new Set<NodeId>();
  /** The first entry that the leader of a term appended in it. */
  private readonly termBegins = new Map<Term, LogIndex>();
  /** The tick of each node when it was looked at last: what is new since then happened at a tick from this one on. */
  private readonly lookedAt = new Map<NodeId, number>();

  /** An operator is about to ask that this learner becomes a voter. */
  askedToPromote(id: NodeId): void {
    this.asked.add(id);
  }

  /** An entry has appeared in a leader's log, in its term. */
  appended(node: ObservedNode, entry: Entry): void {
    const { id, state } = node;
    if (!this.termBegins.has(entry.term)) this.termBegins.set(entry.term, entry.index);
    if (entry.type !== EntryType.Configuration || state === undefined) return;
    const next = decodeConfiguration(entry.data);
    if (next === undefined) fail('neighbouring_quorums', `entry ${entry.index} of ${id} is no configuration`);
    const previous = state.configurations.at(entry.index - 1);
    if (previous.index > state.commitIndex) {
      fail(
        'one_uncommitted_change',
        `${id} appends the change ${entry.index}, that of ${previous.index} is not committed`,
      );
    }
    if (state.log.termAt(Math.min(state.commitIndex, entry.index - 1)) !== state.currentTerm) {
      fail(
        'change_before_own_commit',
        `${id} appends the change ${entry.index} with nothing of term ${state.currentTerm} committed`,
      );
    }
    this.checkQuorums(id, previous.configuration, next);
    this.checkPromotions(node, previous.configuration, next);
    checkRecords(id, previous.configuration, next);
  }

  settled({ id, state }: ObservedNode): void {
    if (state !== undefined) this.lookedAt.set(id, state.now);
  }

  private checkQuorums(id: NodeId, previous: Configuration, next: Configuration): void {
    const pair = JSON.stringify([previous, next]);
    if (this.compared.has(pair)) return;
    this.compared.add(pair);
    if (!doQuorumsMeet(previous, next)) {
      fail('neighbouring_quorums', `${id} goes from one configuration to another that need not meet it: ${pair}`);
    }
  }

  private checkPromotions({ id, state, config }: ObservedNode, previous: Configuration, next: Configuration): void {
    const { log, progress, currentTerm, now } = state!;
    for (const promoted of next.voters) {
      if (previous.voters.includes(promoted)) continue;
      const replaced = recordOf(previous.joining, promoted);
      if (replaced === undefined && !this.asked.has(promoted)) {
        fail('promotion_unasked', `${id} makes a voter of ${promoted}, which was only to learn`);
      }
      if (replaced !== undefined && replaced !== promoted && next.voters.includes(replaced)) {
        fail('voter_not_replaced', `${id} makes a voter of ${promoted}, and ${replaced} stays, whose place it takes`);
      }
      // Who has stepped down at once does not know any more who has what.
      if (state!.role !== 'leader') continue;
      // At the end of a round it has what the leader had at its beginning: at least the first entry of the term.
      const { matchIndex = 0, lastContactTick = -Infinity } = progress.get(promoted) ?? {};
      const isOfTerm = matchIndex >= (this.termBegins.get(currentTerm) ?? Infinity);
      // A process that was paused takes many ticks at once: it may have been decided at the first of them.
      const decidedAt = Math.min(now, this.lookedAt.get(id) ?? now);
      if (!isOfTerm || decidedAt - lastContactTick > config.electionTimeoutTicks) {
        fail('laggard_promoted', `${id} makes a voter of ${promoted}, which has ${matchIndex} of ${log.lastIndex}`);
      }
    }
  }
}

function checkRecords(id: NodeId, previous: Configuration, next: Configuration): void {
  for (const [member, address] of Object.entries(previous.addresses ?? {})) {
    if (isMember(next, member) && recordOf(next.addresses, member) === undefined)
      fail('record_lost', `${id} forgets that ${member} is at ${address}`);
  }
  for (const learner of Object.keys(previous.joining ?? {})) {
    if (next.learners.includes(learner) && recordOf(next.joining, learner) === undefined)
      fail('record_lost', `${id} forgets that ${learner} is joining`);
  }
}
