import {
  decodeConfiguration,
  encodeConfiguration,
  EntryType,
  type Entry,
  type LogIndex,
  type NodeId,
  type Term,
} from '@app/raft';
import type { ObservedNode } from '../observer.js';
import { areEqualBytes } from './bytes.js';
import type { Check } from './check.js';
import type { CommittedLog } from './committed-log.js';
import { fail } from './fail.js';

/** An entry as it was first seen anywhere, with the term of the one before it. */
interface KnownEntry {
  readonly entry: Entry;
  readonly previousTerm: Term;
}

interface SeenLog {
  lastIndex: LogIndex;
  lastTerm: Term;
  /** By index; holes where the node has no longer, or never had, the entry in memory. */
  readonly entries: (Entry | undefined)[];
  /** The term that this node led when it was last looked at. */
  ledTerm: Term;
}

/** Called for each entry that appears at the end of a node's log. */
export type OnAppended = (node: ObservedNode, entry: Entry, isLeaders: boolean) => void;

/**
 * Log matching, leader append-only, leader completeness, and the configuration that a log names. Only what is new in a log since the
 * last look is compared: by induction over the pair (index, term) that is enough.
 */
export class LogChecks implements Check {
  private readonly known: KnownEntry[][] = [];
  private readonly seen = new Map<NodeId, SeenLog>();
  private readonly leaderOf = new Map<Term, NodeId>();

  constructor(
    private readonly committed: CommittedLog,
    private readonly onAppended: OnAppended,
  ) {}

  started({ id, state }: ObservedNode): void {
    this.seen.set(id, { lastIndex: -1, lastTerm: 0, entries: [], ledTerm: 0 });
    if (state === undefined) return;
    const { log, configurations } = state;
    for (let index = state.appliedIndex + 1; index <= log.lastIndex; index++)
      this.checkConfigurationAt(id, index, state);
    if (configurations.currentIndex > log.lastIndex) {
      fail(
        'stale_configuration',
        `${id} starts with a configuration of ${configurations.currentIndex}, its log ends at ${log.lastIndex}`,
      );
    }
  }

  crashed({ id }: ObservedNode): void {
    this.seen.delete(id);
  }

  settled(node: ObservedNode): void {
    const { id, state } = node;
    const seen = this.seen.get(id);
    if (state === undefined || seen === undefined) return;
    const { log, currentTerm } = state;
    const isLeader = state.role === 'leader';
    if (isLeader && seen.ledTerm !== currentTerm) this.checkElected(node, currentTerm);
    const last = log.lastIndex;
    if (last !== seen.lastIndex || log.lastTerm !== seen.lastTerm) {
      this.checkNew(node, seen, isLeader && seen.ledTerm === currentTerm);
      seen.lastIndex = last;
      seen.lastTerm = log.lastTerm;
    }
    seen.ledTerm = isLeader ? currentTerm : 0;
  }

  /** The entry of this index and term, if any node has ever held it in memory. */
  knownEntry(index: LogIndex, term: Term): Entry | undefined {
    return this.known[index]?.find(({ entry }) => entry.term === term)?.entry;
  }

  private checkElected({ id, state }: ObservedNode, term: Term): void {
    const leader = this.leaderOf.get(term);
    if (leader !== undefined && leader !== id) fail('election_safety', `${leader} and ${id} both lead term ${term}`);
    if (leader === id) return;
    this.leaderOf.set(term, id);
    const { log } = state!;
    for (let index = log.base.index; index <= this.committed.lastIndex; index++) {
      if (this.committed.committedInTerm(index) >= term) continue;
      if (index > log.lastIndex || log.termAt(index) !== this.committed.termAt(index)) {
        fail('leader_completeness', `${id} leads term ${term} without the committed entry ${index}`);
      }
    }
  }

  private checkNew(node: ObservedNode, seen: SeenLog, hasLedBefore: boolean): void {
    const { id, state } = node;
    const { log } = state!;
    if (hasLedBefore && log.lastIndex < seen.lastIndex) {
      fail('leader_append_only', `the leader ${id} deletes entries behind ${log.lastIndex} of its log`);
    }
    seen.entries.length = Math.min(seen.entries.length, log.lastIndex + 1);
    let first = log.lastIndex + 1;
    for (let index = log.lastIndex; index > log.base.index; index--) {
      const entry = log.slice(index, index, Infinity)?.[0];
      if (entry === undefined || seen.entries[index] === entry) break;
      if (hasLedBefore && seen.entries[index] !== undefined) {
        fail('leader_append_only', `the leader ${id} overwrites entry ${index} of its log`);
      }
      seen.entries[index] = entry;
      this.checkMatching(id, entry, log.termAt(index - 1));
      first = index;
    }
    const isLeader = state!.role === 'leader';
    for (let index = first; index <= log.lastIndex; index++) {
      this.checkConfigurationAt(id, index, state!);
      this.onAppended(node, seen.entries[index]!, isLeader && seen.entries[index]!.term === state!.currentTerm);
    }
  }

  private checkMatching(id: NodeId, entry: Entry, previousTerm: Term): void {
    const known = (this.known[entry.index] ??= []);
    const same = known.find((other) => other.entry.term === entry.term);
    if (same === undefined) {
      known.push({ entry, previousTerm });
      return;
    }
    const isEqual =
      same.previousTerm === previousTerm &&
      (same.entry === entry || (same.entry.type === entry.type && areEqualBytes(same.entry.data, entry.data)));
    if (!isEqual) {
      fail(
        'log_matching',
        `${id} has another entry ${entry.index} of term ${entry.term}, or another one before it, than seen elsewhere`,
      );
    }
  }

  /** A configuration in the log is in force from its entry on. */
  private checkConfigurationAt(
    id: NodeId,
    index: LogIndex,
    { log, configurations }: NonNullable<ObservedNode['state']>,
  ): void {
    const entry = this.knownEntry(index, log.termAt(index));
    if (entry?.type !== EntryType.Configuration) return;
    const named = configurations.at(index);
    const isSame = named.index === index && areEqualBytes(encodeConfiguration(named.configuration), entry.data);
    if (!isSame || decodeConfiguration(entry.data) === undefined) {
      fail(
        'stale_configuration',
        `entry ${index} of ${id} is a configuration, but ${id} goes by that of ${named.index}`,
      );
    }
  }
}
