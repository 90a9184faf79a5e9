import type {
  AppendEntries,
  Configuration,
  ConfigurationAt,
  Entry,
  InstallSnapshot,
  LogIndex,
  Message,
  NodeId,
  Term,
} from '@app/raft';
import type { ObservedNode } from '../observer.js';
import type { Check } from './check.js';
import type { CommittedLog } from './committed-log.js';
import type { DurableLedger } from './durable-ledger.js';
import { fail } from './fail.js';
import { isQuorum } from './quorums.js';

interface Seen {
  term: Term;
  commitIndex: LogIndex;
  appliedIndex: LogIndex;
  /** The term that the node led when it was last looked at, and by whom it counted then. */
  ledTerm: Term;
  configuration: Configuration;
  /** What messages of the leader of `verifiedTerm` have shown to be equal to that leader's log. */
  verifiedTerm: Term;
  verifiedIndex: LogIndex;
  /** Came since the last look. */
  readonly received: (AppendEntries | InstallSnapshot)[];
}

/**
 * What is committed: on the disks of a quorum, through an entry of the leader's own term, the same everywhere and for ever; a follower
 * learns of it only as far as it has the leader's log.
 */
export class CommitChecks implements Check {
  private readonly seen = new Map<NodeId, Seen>();

  constructor(
    private readonly committed: CommittedLog,
    private readonly ledger: DurableLedger,
  ) {}

  started({ id, state }: ObservedNode): void {
    if (state === undefined) return;
    this.seen.set(id, {
      term: state.currentTerm,
      commitIndex: 0,
      appliedIndex: state.appliedIndex,
      ledTerm: 0,
      configuration: state.configurations.current,
      verifiedTerm: 0,
      verifiedIndex: 0,
      received: [],
    });
    this.checkRestored(id, state);
  }

  crashed(node: ObservedNode): void {
    this.seen.delete(node.id);
  }

  sent(node: ObservedNode, message: Message): void {
    if (message.type === 'AppendEntries' && message.leaderCommit > this.committed.lastIndex) this.checkCommit(node);
  }

  received({ id }: ObservedNode, message: Message): void {
    if (message.type !== 'AppendEntries' && message.type !== 'InstallSnapshot') return;
    this.seen.get(id)?.received.push(message);
  }

  applied(node: ObservedNode, entries: readonly Entry[]): void {
    this.checkCommit(node);
    const last = entries.at(-1);
    if (last !== undefined && last.index > this.committed.lastIndex) {
      fail('state_machine_safety', `${node.id} applies entry ${last.index}, committed are ${this.committed.lastIndex}`);
    }
  }

  settled(node: ObservedNode): void {
    const { id, state } = node;
    const seen = this.seen.get(id);
    if (state === undefined || seen === undefined) return;
    if (state.currentTerm < seen.term) {
      fail('term_monotonic', `the term of ${id} falls from ${seen.term} to ${state.currentTerm}`);
    }
    if (state.appliedIndex < seen.appliedIndex || state.appliedIndex > state.commitIndex) {
      fail(
        'commit_monotonic',
        `${id} has applied ${state.appliedIndex}, before ${seen.appliedIndex}; committed are ${state.commitIndex}`,
      );
    }
    this.checkCommit(node);
    seen.received.length = 0;
    seen.term = state.currentTerm;
    seen.appliedIndex = state.appliedIndex;
    seen.ledTerm = state.role === 'leader' ? state.currentTerm : 0;
    // The last one of the log, committed or not.
    seen.configuration = state.configurations.current;
  }

  private checkRestored(id: NodeId, { commitIndex, log }: NonNullable<ObservedNode['state']>): void {
    const term = this.committed.termAt(commitIndex);
    const isOurs =
      commitIndex === 0 || (term !== undefined && commitIndex >= log.base.index && log.termAt(commitIndex) === term);
    if (!isOurs)
      fail(
        'state_machine_safety',
        `${id} starts with ${commitIndex} committed, which it has in another term or is not committed`,
      );
    const seen = this.seen.get(id)!;
    seen.commitIndex = commitIndex;
  }

  private checkCommit({ id, state }: ObservedNode): void {
    const seen = this.seen.get(id);
    if (state === undefined || seen === undefined) return;
    const { commitIndex } = state;
    if (seen.received.length > 0) this.noteVerified(seen, state);
    if (commitIndex === seen.commitIndex) return;
    if (commitIndex < seen.commitIndex) {
      fail('commit_monotonic', `the commit index of ${id} falls from ${seen.commitIndex} to ${commitIndex}`);
    }
    if (commitIndex > state.log.lastIndex) {
      fail('follower_commit_verified_prefix', `${id} commits ${commitIndex}, its log ends at ${state.log.lastIndex}`);
    }
    const leads = state.role === 'leader' ? state.currentTerm : 0;
    if (leads > 0 && seen.ledTerm === leads) this.checkLeadersCommit(id, seen, state);
    // Of a turn in which it becomes leader, or is deposed: it may have committed before or after.
    else if (!this.isLeadersCommit(leads === 0 ? seen.ledTerm : leads, seen, state))
      this.checkFollowersCommit(id, seen, state);
    this.record(id, seen.commitIndex, state);
    seen.commitIndex = commitIndex;
  }

  private isLeadersCommit(
    ledTerm: Term,
    { configuration }: Seen,
    { commitIndex, log, configurations }: NonNullable<ObservedNode['state']>,
  ): boolean {
    if (ledTerm === 0 || log.termAt(commitIndex) !== ledTerm) return false;
    const hasIt = (node: NodeId) => this.ledger.hasSynced(node, commitIndex, ledTerm);
    return isQuorum(configuration, hasIt) || isQuorum(configurations.current, hasIt);
  }

  private checkLeadersCommit(
    id: NodeId,
    seen: Seen,
    { commitIndex, log, currentTerm, configurations }: NonNullable<ObservedNode['state']>,
  ): void {
    const term = log.termAt(commitIndex);
    if (term !== currentTerm) {
      fail('commit_own_term', `${id} commits entry ${commitIndex} of term ${term} in term ${currentTerm}`);
    }
    const hasIt = (node: NodeId) => this.ledger.hasSynced(node, commitIndex, term);
    const change = configurations.at(commitIndex);
    if (change.index > seen.commitIndex) this.checkChangeCommitted(id, change, log.termAt(change.index));
    // A configuration that this commit has led to is in force only from then on.
    if (isQuorum(seen.configuration, hasIt) || isQuorum(configurations.current, hasIt)) return;
    const withLearners = (known: Configuration) =>
      isQuorum({ ...known, voters: [...known.voters, ...known.learners] }, hasIt) ||
      [...known.voters, ...known.learners].filter(hasIt).length * 2 > known.voters.length;
    const isLearnerCounted = seen.configuration.learners.length > 0 && withLearners(seen.configuration);
    const check = isLearnerCounted ? 'learner_counted' : 'committed_is_synced_on_quorum';
    fail(check, `${id} commits ${commitIndex}, which no quorum of ${show(seen.configuration)} has synced`);
  }

  /** A change is in force when it is committed, and no later one is: its own quorum counts, before what follows a joint one. */
  private checkChangeCommitted(id: NodeId, { index, configuration }: ConfigurationAt, term: Term): void {
    if (isQuorum(configuration, (node) => this.ledger.hasSynced(node, index, term))) return;
    fail(
      'committed_is_synced_on_quorum',
      `${id} commits the change ${index}, which no quorum of ${show(configuration)} has synced`,
    );
  }

  private checkFollowersCommit(
    id: NodeId,
    seen: Seen,
    { commitIndex, currentTerm }: NonNullable<ObservedNode['state']>,
  ): void {
    // A message of an earlier term may have come in the same turn as the one that ended that term.
    const isOfTerm = seen.verifiedTerm <= currentTerm && seen.verifiedTerm >= seen.term;
    const verified = isOfTerm ? seen.verifiedIndex : 0;
    if (commitIndex <= verified) return;
    fail(
      'follower_commit_verified_prefix',
      `${id} commits ${commitIndex}, but has the leader's log only up to ${verified}`,
    );
  }

  /** What the node's log holds of the messages that came: logs that agree at an index and term agree before it. */
  private noteVerified(seen: Seen, { log, currentTerm, commitIndex }: NonNullable<ObservedNode['state']>): void {
    for (const message of seen.received) {
      if (message.term > currentTerm || message.term < Math.max(seen.term, seen.verifiedTerm)) continue;
      const { index, term } =
        message.type === 'InstallSnapshot'
          ? message.snapshot
          : (message.entries.at(-1) ?? { index: message.prevLogIndex, term: message.prevLogTerm });
      const isPrefix = index < log.base.index || (index <= log.lastIndex && log.termAt(index) === term);
      if (!isPrefix) continue;
      if (seen.verifiedTerm !== message.term) {
        seen.verifiedTerm = message.term;
        seen.verifiedIndex = 0;
      }
      const isSnapshot = message.type === 'InstallSnapshot' && commitIndex >= index;
      if (isSnapshot || message.type === 'AppendEntries') seen.verifiedIndex = Math.max(seen.verifiedIndex, index);
    }
  }

  private record(
    id: NodeId,
    from: LogIndex,
    { commitIndex, log, currentTerm }: NonNullable<ObservedNode['state']>,
  ): void {
    const { committed } = this;
    for (let index = Math.max(from + 1, log.base.index); index <= commitIndex; index++) {
      if (index === 0) continue;
      const term = log.termAt(index);
      const known = committed.termAt(index);
      if (known === term) continue;
      if (known !== undefined) {
        fail('state_machine_safety', `entry ${index} is committed in term ${known} and, on ${id}, in term ${term}`);
      }
      if (index !== committed.lastIndex + 1) {
        fail('state_machine_safety', `${id} holds ${index} committed, nobody has committed ${committed.lastIndex + 1}`);
      }
      committed.add(term, currentTerm);
    }
  }
}

function show({ voters, outgoingVoters }: Configuration): string {
  return outgoingVoters.length === 0 ? voters.join() : `${outgoingVoters.join()} -> ${voters.join()}`;
}
