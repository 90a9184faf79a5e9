import type { Entry, HardState, LogIndex, NodeId, RaftState, SnapshotMetadata, Term } from '@app/raft';
import type { ObservedNode, Synced } from '../observer.js';
import type { Check } from './check.js';
import { fail } from './fail.js';

/** What one data directory holds for sure, as its disk has confirmed. */
export class DurableNode {
  term: Term = 0;
  readonly votes = new Map<Term, NodeId>();
  /** As its hard state has recorded it. */
  commitIndex: LogIndex = 0;
  snapshotIndex: LogIndex = 0;
  private snapshotTerm: Term = 0;
  lastIndex: LogIndex = 0;
  private readonly terms: Term[] = [];

  /** What lies before a snapshot was committed, so it is there. */
  holds(index: LogIndex, term: Term): boolean {
    if (index <= this.snapshotIndex) return index < this.snapshotIndex || term === this.snapshotTerm;
    return index <= this.lastIndex && this.terms[index] === term;
  }

  /** Undefined before the snapshot and behind the end. */
  termAt(index: LogIndex): Term | undefined {
    if (index === this.snapshotIndex) return this.snapshotTerm;
    return index > this.snapshotIndex && index <= this.lastIndex ? this.terms[index] : undefined;
  }

  restore(snapshot: SnapshotMetadata): void {
    this.snapshotIndex = snapshot.index;
    this.snapshotTerm = snapshot.term;
    this.lastIndex = snapshot.index;
  }

  append({ index, term }: Pick<Entry, 'index' | 'term'>): void {
    this.terms[index] = term;
    this.lastIndex = index;
  }

  /** Takes over what a start has found: it may be more than what was confirmed. */
  recover({ log, currentTerm, votedFor }: RaftState): void {
    this.term = currentTerm;
    if (votedFor !== undefined) this.votes.set(currentTerm, votedFor);
    this.snapshotIndex = log.base.index;
    this.snapshotTerm = log.base.term;
    this.lastIndex = log.base.index;
    for (let index = log.firstIndex; index <= log.lastIndex; index++) this.append({ index, term: log.termAt(index) });
  }
}

/** How far a node's log may have gone back since its disk last confirmed something. */
interface Memory {
  state: RaftState;
  lastIndex: LogIndex;
  lastTerm: Term;
  /** Truncated to here while a batch was under way, and with the batch after that. */
  truncatedInFlight: LogIndex;
  truncatedQueued: LogIndex;
}

/**
 * One vote per term and terms that never go back, on the disk; what the disk has confirmed is there after every restart.
 * The other checks ask here what a node has promised with good reason.
 */
export class DurableLedger implements Check {
  private readonly byNode = new Map<NodeId, DurableNode>();
  /** Of directories that were emptied: what they once held has counted. */
  private readonly archive = new Map<NodeId, DurableNode[]>();
  private readonly memory = new Map<NodeId, Memory>();
  /** What a restart must find at least: (index, term). */
  private readonly due = new Map<NodeId, { index: LogIndex; term: Term }>();

  of(id: NodeId): DurableNode {
    let node = this.byNode.get(id);
    if (node === undefined) this.byNode.set(id, (node = new DurableNode()));
    return node;
  }

  /** Whether the node has the entry on its disk, or had it before its disk was emptied. */
  hasSynced(id: NodeId, index: LogIndex, term: Term): boolean {
    if (index === 0 || this.of(id).holds(index, term)) return true;
    return this.archive.get(id)?.some((node) => node.holds(index, term)) ?? false;
  }

  /** Whether the node has its vote for `candidate` on its disk, or had it before its disk was emptied. */
  hasVotedFor(id: NodeId, term: Term, candidate: NodeId): boolean {
    return [this.of(id), ...(this.archive.get(id) ?? [])].some(({ votes }) => votes.get(term) === candidate);
  }

  synced({ id }: ObservedNode, { hardState, snapshot, entries }: Synced): void {
    const durable = this.of(id);
    if (hardState !== undefined) this.syncHardState(id, durable, hardState);
    if (snapshot !== undefined) durable.restore(snapshot);
    for (const entry of entries) {
      if (entry.index <= durable.snapshotIndex || entry.index > durable.lastIndex + 1) {
        fail('log_gap', `${id} writes entry ${entry.index} behind ${durable.lastIndex}`);
      }
      if (entry.term > durable.term) {
        fail(
          'entry_before_term',
          `${id} has entry ${entry.index} of term ${entry.term} on its disk in term ${durable.term}`,
        );
      }
      durable.append(entry);
    }
    const memory = this.memory.get(id);
    if (memory === undefined) return;
    memory.truncatedInFlight = memory.truncatedQueued;
    memory.truncatedQueued = Infinity;
  }

  settled({ id, state }: ObservedNode): void {
    const memory = this.memory.get(id);
    if (memory === undefined || state === undefined) return;
    const { log } = state;
    const last = log.lastIndex;
    if (last === memory.lastIndex && log.lastTerm === memory.lastTerm) return;
    const isTruncated =
      last < memory.lastIndex ||
      (memory.lastIndex >= log.base.index && log.termAt(memory.lastIndex) !== memory.lastTerm);
    if (isTruncated) this.noteTruncation(id, memory);
    memory.lastIndex = last;
    memory.lastTerm = log.lastTerm;
  }

  crashed({ id }: ObservedNode): void {
    const memory = this.memory.get(id);
    if (memory === undefined) return;
    this.memory.delete(id);
    this.noteTruncation(id, memory);
    const durable = this.of(id);
    const index = Math.min(durable.lastIndex, memory.truncatedInFlight, memory.truncatedQueued);
    const term = durable.termAt(index);
    if (term !== undefined && index > 0) this.due.set(id, { index, term });
  }

  started({ id, state }: ObservedNode): void {
    if (state === undefined) return;
    const durable = this.of(id);
    const { currentTerm, votedFor, log, commitIndex } = state;
    if (commitIndex < durable.commitIndex) {
      fail('commit_monotonic', `${id} starts with ${commitIndex} committed, its disk held ${durable.commitIndex}`);
    }
    if (currentTerm < durable.term) {
      fail('term_monotonic', `${id} starts in term ${currentTerm}, its disk held ${durable.term}`);
    }
    const vote = durable.votes.get(currentTerm);
    if (vote !== undefined && vote !== votedFor) {
      fail(
        'one_vote_per_term',
        `${id} voted for ${vote} in term ${currentTerm}, after its start it knows of ${votedFor}`,
      );
    }
    const due = this.due.get(id);
    this.due.delete(id);
    if (due !== undefined && due.index > log.base.index) {
      if (log.lastIndex < due.index || log.termAt(due.index) !== due.term) {
        fail(
          'durable_state_lost',
          `${id} had synced entry ${due.index} of term ${due.term}; after its start it is gone`,
        );
      }
    }
    durable.recover(state);
    this.memory.set(id, {
      state,
      lastIndex: log.lastIndex,
      lastTerm: log.lastTerm,
      truncatedInFlight: Infinity,
      truncatedQueued: Infinity,
    });
  }

  wiped({ id }: ObservedNode): void {
    const old = this.archive.get(id) ?? [];
    this.archive.set(id, [...old, this.of(id)]);
    this.byNode.delete(id);
    this.due.delete(id);
  }

  private syncHardState(id: NodeId, durable: DurableNode, { currentTerm, votedFor, commitIndex }: HardState): void {
    if (currentTerm < durable.term) {
      fail('term_monotonic', `the term of ${id} falls from ${durable.term} to ${currentTerm} on its disk`);
    }
    durable.term = currentTerm;
    if (commitIndex < durable.commitIndex) {
      fail(
        'commit_monotonic',
        `the commit index of ${id} falls from ${durable.commitIndex} to ${commitIndex} on its disk`,
      );
    }
    durable.commitIndex = commitIndex;
    if (votedFor === undefined) return;
    const earlier = durable.votes.get(currentTerm);
    if (earlier !== undefined && earlier !== votedFor) {
      fail('one_vote_per_term', `${id} votes for ${earlier} and for ${votedFor} in term ${currentTerm}`);
    }
    durable.votes.set(currentTerm, votedFor);
  }

  /** What the disk holds behind the last entry that memory agrees with may be gone at any time from now on. */
  private noteTruncation(id: NodeId, memory: Memory): void {
    const durable = this.of(id);
    const { log } = memory.state;
    let index = Math.min(durable.lastIndex, log.lastIndex);
    while (index > log.base.index && durable.termAt(index) !== log.termAt(index)) index--;
    if (index < durable.lastIndex) memory.truncatedQueued = Math.min(memory.truncatedQueued, index);
  }
}
