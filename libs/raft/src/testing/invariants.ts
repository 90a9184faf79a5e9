import type { Configuration } from '../configuration.js';
import { EntryType, type Entry, type NodeId, type Term } from '../entry.js';
import { entryBytes } from '../log.js';
import type { Message, ReadRejection } from '../messages.js';
import { show, type TestNode, type TestObserver } from './node.js';

/** What became of a read, by its context. */
interface TestRead {
  /** What was committed anywhere when the read began: it must not be answered from before that. */
  readonly floor: number;
  outcome: 'pending' | 'confirmed' | ReadRejection | 'crashed';
}

/** What was seen of a node since it started. */
interface Seen {
  term: Term;
  commitIndex: number;
  /** The log as it was last checked. */
  entries: Entry[];
}

/**
 * Watches a group and throws as soon as something happens that the paper proves impossible (figure 3), that promises what is not on the disk,
 * or that lets a read go back in time.
 */
export class Invariants implements TestObserver {
  readonly reads = new Map<number, TestRead>();
  /** The term of every entry that any node has ever held committed; the first is at index 1. */
  readonly committedTerms: Term[] = [];
  private readonly leaders = new Map<Term, NodeId>();
  /** Log matching: index and term name an entry and, with the term of the one before, by induction the log up to it. */
  private readonly entries = new Map<string, string>();
  private readonly appliedEntries: string[] = [];
  /** Who voted for whom, as the disks had it. */
  private readonly ledger = new Map<string, NodeId>();
  private readonly durableTerms = new Map<NodeId, Term>();
  private readonly seen = new Map<NodeId, Seen>();
  /** How often a node of that name has lost its disk. */
  private readonly wipes = new Map<NodeId, number>();
  /** Pairs of neighbouring configurations that were found to share a quorum. */
  private readonly neighbours = new Set<string>();

  constructor(private readonly nodes: ReadonlyMap<NodeId, TestNode>) {}

  sent(node: TestNode, message: Message): void {
    const { currentTerm } = node.disk.hardState;
    const isQuestion = message.type === 'RequestVote' && message.preVote;
    const isGrantedPreVote = message.type === 'RequestVoteResponse' && message.preVote && message.voteGranted;
    if (!isQuestion && !isGrantedPreVote) {
      claim(
        message.term <= currentTerm,
        () => `${describe(message)} leaves, ${node.id} has synced term ${currentTerm}`,
      );
    }
    if (message.type === 'RequestVote' && !message.preVote) {
      claim(this.voteOf(node.id, message.term) === node.id, () => `${describe(message)} before its own vote is synced`);
    }
    if (message.type === 'RequestVoteResponse' && message.voteGranted && !message.preVote) {
      claim(this.voteOf(node.id, message.term) === message.to, () => `${describe(message)} before the vote is synced`);
    }
    if (message.type === 'AppendEntriesResponse' && message.success) {
      claim(
        node.disk.entries.length >= message.matchIndex,
        () => `${describe(message)} acknowledges ${message.matchIndex}, synced are ${node.disk.entries.length}`,
      );
    }
  }

  synced(node: TestNode): void {
    const { currentTerm, votedFor, commitIndex } = node.disk.hardState;
    claim(
      currentTerm >= (this.durableTerms.get(node.id) ?? 0),
      () => `the term of ${node.id} falls to ${currentTerm} on its disk`,
    );
    this.durableTerms.set(node.id, currentTerm);
    if (votedFor !== undefined) {
      const earlier = this.voteOf(node.id, currentTerm) ?? votedFor;
      claim(earlier === votedFor, () => `${node.id} votes for ${earlier} and ${votedFor} in term ${currentTerm}`);
      this.ledger.set(this.ballot(node.id, currentTerm), votedFor);
    }
    if (node.isUp) this.checkCommit(node);
    const { entries } = node.disk;
    claim(
      (entries.at(-1)?.term ?? 0) <= currentTerm,
      () => `the disk of ${node.id} has an entry of a term after ${currentTerm}`,
    );
    claim(
      commitIndex <= entries.length &&
        (entries[commitIndex - 1]?.term ?? 0) === (this.committedTerms[commitIndex - 1] ?? 0),
      () => `the disk of ${node.id} calls ${commitIndex} committed, it holds ${entries.map(show).join(' ')}`,
    );
  }

  applied(node: TestNode, entries: readonly Entry[]): void {
    for (const [i, entry] of entries.entries()) {
      claim(entry.index === node.applied.length + i + 1, () => `${node.id} applies ${entry.index} out of order`);
      claim(
        node.disk.entries[entry.index - 1]?.term === entry.term,
        () => `${node.id} applies ${entry.index} before it is synced`,
      );
      const earlier = (this.appliedEntries[entry.index - 1] ??= show(entry));
      claim(earlier === show(entry), () => `${earlier} and ${show(entry)} are both applied at ${entry.index}`);
    }
  }

  installed(node: TestNode, state: readonly Entry[]): void {
    claim(
      state.length > node.applied.length,
      () => `a state of ${state.length} replaces one of ${node.applied.length} on ${node.id}`,
    );
    const differs = state.findIndex((entry, i) => show(entry) !== this.appliedEntries[i]);
    claim(
      differs === -1,
      () => `the state that ${node.id} installs is not the fold of the log: ${differs + 1} is ${show(state[differs]!)}`,
    );
  }

  compacted(node: TestNode, index: number): void {
    const { length: applied } = node.applied;
    const durable = node.disk.checkpoint?.metadata.index ?? 0;
    claim(
      index <= durable && index <= applied && index <= node.disk.entries.length,
      () => `${node.id} compacts up to ${index}; durable is ${durable}, applied ${applied}`,
    );
  }

  /** To be called when a read begins. */
  began(context: number): void {
    this.reads.set(context, { floor: this.committedTerms.length, outcome: 'pending' });
  }

  confirmed(node: TestNode, context: number, index: number): void {
    this.end(context, 'confirmed');
    const floor = this.reads.get(context)?.floor ?? 0;
    claim(
      index >= floor,
      () => `${node.id} confirms read ${context} at ${index}, ${floor} was committed when it began`,
    );
  }

  rejected(_node: TestNode, context: number, reason: ReadRejection): void {
    this.end(context, reason);
  }

  /** To be called when a node stops: what it kept in memory may go back, and the reads in `contexts` get no answer. */
  crashed(node: TestNode, contexts: readonly number[]): void {
    this.seen.delete(node.id);
    for (const context of contexts) if (this.reads.get(context)?.outcome === 'pending') this.end(context, 'crashed');
  }

  /** To be called when a stopped node loses its disk: what it had promised is forgotten, under a name that others still know. */
  wiped(id: NodeId): void {
    this.wipes.set(id, (this.wipes.get(id) ?? 0) + 1);
    this.durableTerms.delete(id);
  }

  /** What must hold between any two steps. */
  check(): void {
    for (const node of this.nodes.values()) {
      if (!node.isUp) continue;
      this.checkHistory(node);
      this.checkLog(node);
      this.checkDisk(node);
    }
    for (const node of this.nodes.values()) if (node.isUp) this.checkCommit(node);
    for (const node of this.nodes.values()) if (node.isUp && node.role === 'leader') this.checkLeader(node);
  }

  private checkHistory(node: TestNode): void {
    const { currentTerm, commitIndex } = node.state;
    const seen = this.seenOf(node);
    claim(currentTerm >= seen.term, () => `the term of ${node.id} falls from ${seen.term} to ${currentTerm}`);
    claim(
      commitIndex >= seen.commitIndex,
      () => `the commit index of ${node.id} falls from ${seen.commitIndex} to ${commitIndex}`,
    );
    seen.term = currentTerm;
  }

  /** Log matching, for what is new since the last check. */
  private checkLog(node: TestNode): void {
    const { log } = node.state;
    const seen = this.seenOf(node).entries;
    const isLeader = node.role === 'leader' && this.leaders.get(node.state.currentTerm) === node.id;
    claim(!isLeader || seen.length <= log.lastIndex, () => `the leader ${node.id} deletes entries of its log`);
    seen.length = Math.min(seen.length, log.lastIndex);
    for (let index = log.lastIndex; index > log.base.index; index--) {
      const entry = log.slice(index, index, Infinity)?.[0];
      if (entry === undefined || seen[index - 1] === entry) break;
      claim(!isLeader || seen[index - 1] === undefined, () => `the leader ${node.id} overwrites entry ${index}`);
      seen[index - 1] = entry;
      const name = `${index}/${entry.term}`;
      const content = `${show(entry)} after term ${log.termAt(index - 1)}`;
      const earlier = this.entries.get(name) ?? content;
      claim(earlier === content, () => `entry ${name} is "${earlier}" and, on ${node.id}, "${content}"`);
      this.entries.set(name, content);
      if (entry.type === EntryType.Configuration) this.checkNeighbours(node, index);
    }
  }

  /** Section 6: any quorum of a configuration must meet any quorum of the next. */
  private checkNeighbours(node: TestNode, index: number): void {
    const before = node.state.configurations.at(index - 1).configuration;
    const after = node.state.configurations.at(index).configuration;
    const pair = JSON.stringify([before, after]);
    // A node that joins does not know what was before.
    if (before.voters.length === 0 || this.neighbours.has(pair)) return;
    this.neighbours.add(pair);
    const ids = [...new Set([...votersOf(before), ...votersOf(after)])];
    for (let subset = 0; subset < 1 << ids.length; subset++) {
      const isIn = (id: NodeId) => (subset & (1 << ids.indexOf(id))) !== 0;
      const isDisjoint = isQuorum(before, isIn) && isQuorum(after, (id) => !isIn(id));
      claim(
        !isDisjoint,
        () => `the configuration at ${index} on ${node.id} needs no node of a quorum before it: ${pair}`,
      );
    }
  }

  private checkDisk(node: TestNode): void {
    const { log, appliedIndex, commitIndex } = node.state;
    const index = log.persistedIndex;
    claim(
      index === 0 || index >= log.base.index,
      () => `${node.id} has persisted ${index}, below its base ${log.base.index}`,
    );
    const isReplaced = index < log.base.index;
    claim(
      isReplaced ||
        (node.disk.entries.length >= index && (node.disk.entries[index - 1]?.term ?? 0) === log.termAt(index)),
      () => `${node.id} believes ${index} synced, its disk holds ${node.disk.entries.map(show).join(' ')}`,
    );
    claim(appliedIndex <= commitIndex, () => `${node.id} has applied ${appliedIndex}, committed are ${commitIndex}`);
  }

  private checkCommit(node: TestNode): void {
    const { commitIndex, currentTerm, log, configurations } = node.state;
    // A follower commits what a leader has: by the configuration that was in force on that one.
    const isFirst = commitIndex > this.committedTerms.length;
    const seen = this.seenOf(node);
    for (let index = Math.max(seen.commitIndex + 1, log.base.index, 1); index <= commitIndex; index++) {
      const term = log.termAt(index);
      const committed = (this.committedTerms[index - 1] ??= term);
      claim(committed === term, () => `${index} is committed in terms ${committed} and, on ${node.id}, ${term}`);
    }
    if (commitIndex > seen.commitIndex) {
      const term = log.termAt(commitIndex);
      const isSynced = (id: NodeId) => this.nodes.get(id)!.disk.entries[commitIndex - 1]?.term === term;
      // A commit may put the next configuration in force at once.
      const isSafe = [configurations.current, configurations.at(commitIndex).configuration].some((configuration) =>
        isQuorum(configuration, isSynced),
      );
      claim(!isFirst || isSafe, () => `${node.id} holds ${commitIndex} committed, no quorum has synced it`);
      const isOwn = node.role !== 'leader' || term === currentTerm;
      claim(isOwn, () => `${node.id} commits entry ${commitIndex} of term ${term} in term ${currentTerm}`);
    }
    seen.commitIndex = commitIndex;
  }

  private checkLeader(node: TestNode): void {
    const { currentTerm, log, progress, uncommittedBytes, commitIndex, configurations } = node.state;
    const known = this.leaders.get(currentTerm) ?? node.id;
    claim(known === node.id, () => `${known} and ${node.id} both lead term ${currentTerm}`);
    if (!this.leaders.has(currentTerm)) {
      this.leaders.set(currentTerm, node.id);
      for (const [i, term] of this.committedTerms.entries()) {
        const isThere = i + 1 < log.base.index || (i + 1 <= log.lastIndex && log.termAt(i + 1) === term);
        claim(isThere, () => `${node.id} leads term ${currentTerm} without the committed entry ${i + 1}`);
      }
    }
    const changes: number[] = [];
    for (let index = log.lastIndex; index > Math.max(this.committedTerms.length, log.base.index); index--) {
      if (configurations.at(index).index === index) changes.push(index);
    }
    claim(changes.length <= 1, () => `${node.id} leads with uncommitted configurations at ${changes.join(', ')}`);
    for (const [id, { matchIndex }] of progress) {
      if (this.wipes.has(id)) continue;
      const { hardState, entries } = this.nodes.get(id)!.disk;
      // A follower that has moved on to a later term owes this leader nothing any more.
      if (hardState.currentTerm > currentTerm) continue;
      const isSynced =
        hardState.currentTerm === currentTerm &&
        (entries[matchIndex - 1]?.term ?? 0) ===
          (matchIndex < log.base.index ? this.committedTerms[matchIndex - 1] : log.termAt(matchIndex));
      claim(matchIndex === 0 || isSynced, () => `${node.id} counts ${matchIndex} on ${id}, which has not synced it`);
    }
    const uncommitted = commitIndex < log.lastIndex ? log.slice(commitIndex + 1, log.lastIndex, Infinity)! : [];
    const bytes = uncommitted.reduce((sum, entry) => sum + (entry.term === currentTerm ? entryBytes(entry) : 0), 0);
    claim(bytes === uncommittedBytes, () => `${node.id} counts ${uncommittedBytes} uncommitted bytes of ${bytes}`);
  }

  private seenOf(node: TestNode): Seen {
    let seen = this.seen.get(node.id);
    if (seen === undefined) this.seen.set(node.id, (seen = { term: 0, commitIndex: 0, entries: [] }));
    return seen;
  }

  private voteOf(id: NodeId, term: Term): NodeId | undefined {
    return this.ledger.get(this.ballot(id, term));
  }

  private ballot(id: NodeId, term: Term): string {
    return `${id} ${this.wipes.get(id) ?? 0}/${term}`;
  }

  private end(context: number, outcome: TestRead['outcome']): void {
    const read = this.reads.get(context);
    if (read === undefined) return;
    claim(read.outcome === 'pending', () => `read ${context} ends twice: ${read.outcome}, ${outcome}`);
    read.outcome = outcome;
  }
}

const votersOf = ({ voters, outgoingVoters }: Configuration) => [...voters, ...outgoingVoters];

/** Counted naively, for the core counts otherwise. */
const isQuorum = ({ voters, outgoingVoters }: Configuration, isIn: (id: NodeId) => boolean): boolean =>
  [voters, outgoingVoters].every((ids) => ids.length === 0 || 2 * ids.filter(isIn).length > ids.length);

function claim(isKept: boolean, broken: () => string): void {
  if (!isKept) throw new Error(broken());
}

const describe = (message: Message): string => `${message.type}(${message.from}>${message.to}, term ${message.term})`;
