import {
  EntryType,
  type AppendEntries,
  type Entry,
  type LogIndex,
  type Message,
  type NodeId,
  type Term,
} from '@app/raft';
import type { ObservedNode } from '../observer.js';
import type { Check } from './check.js';
import type { DurableLedger } from './durable-ledger.js';
import { entryBytes } from './entry-bytes.js';
import { fail } from './fail.js';

/** What a leader has sent to one follower ahead of its answers. */
interface Window {
  readonly term: Term;
  /** The leader's own record of the follower: another one after the follower was added anew. */
  readonly progress: object | undefined;
  readonly messages: { readonly lastIndex: LogIndex; readonly bytes: number }[];
}

interface SeenLeader {
  term: Term;
  /** Beside the leader's own record of the follower: another one after the follower was added anew. */
  readonly matchIndexes: Map<NodeId, { readonly progress: object; readonly matchIndex: LogIndex }>;
  lastIndex: LogIndex;
  commitIndex: LogIndex;
  /** Current-term bytes in (commitIndex, lastIndex]. */
  uncommittedBytes: number;
  areReadsNew: boolean;
}

/** A leader counts on what its followers have synced, no more, and keeps within its bounds. */
export class ProgressChecks implements Check {
  private readonly windows = new Map<string, Window>();
  private readonly seen = new Map<NodeId, SeenLeader>();

  constructor(private readonly ledger: DurableLedger) {}

  crashed({ id }: ObservedNode): void {
    this.seen.delete(id);
  }

  sent(node: ObservedNode, message: Message): void {
    if (message.type === 'InstallSnapshot') this.windows.delete(linkOf(message.from, message.to));
    if (message.type !== 'AppendEntries' || message.entries.length === 0) return;
    this.checkWindow(node, message);
  }

  received({ id, state }: ObservedNode, message: Message): void {
    if (message.type !== 'AppendEntriesResponse') return;
    const window = this.windows.get(linkOf(id, message.from));
    if (window?.term !== message.term) return;
    const { messages } = window;
    if (!message.success || state?.progress.get(message.from)?.state !== 'replicate') messages.length = 0;
    while (messages.length > 0 && messages[0]!.lastIndex <= message.matchIndex) messages.shift();
  }

  applied({ id, config }: ObservedNode, entries: readonly Entry[]): void {
    if (entries.length < 2) return;
    const bytes = entries.reduce((sum, entry) => sum + entryBytes(entry), 0);
    if (bytes > config.applyBytesMax) {
      fail('quota_exceeded', `${id} applies ${bytes} bytes at once, ${config.applyBytesMax} are allowed`);
    }
  }

  readRequested({ id }: ObservedNode): void {
    const seen = this.seen.get(id);
    if (seen !== undefined) seen.areReadsNew = true;
  }

  settled(node: ObservedNode): void {
    const { id, state } = node;
    if (state?.role !== 'leader') return;
    let seen = this.seen.get(id);
    if (seen?.term !== state.currentTerm) {
      const { currentTerm: term, commitIndex } = state;
      seen = { term, matchIndexes: new Map(), lastIndex: -1, commitIndex, uncommittedBytes: 0, areReadsNew: true };
      this.seen.set(id, seen);
    }
    for (const [follower, progress] of state.progress) {
      const { matchIndex, nextIndex } = progress;
      const before = seen.matchIndexes.get(follower);
      if (before?.progress === progress) {
        if (before.matchIndex === matchIndex) continue;
        if (matchIndex < before.matchIndex)
          fail('match_index_monotonic', `${id} forgets that ${follower} has ${before.matchIndex}, not ${matchIndex}`);
      }
      seen.matchIndexes.set(follower, { progress, matchIndex });
      this.checkMatchIndex(node, follower, matchIndex);
      if (nextIndex <= matchIndex)
        fail('match_index_synced', `${id} is to send ${nextIndex} to ${follower}, which has ${matchIndex}`);
    }
    if (state.log.lastIndex !== seen.lastIndex || state.commitIndex !== seen.commitIndex)
      this.checkUncommitted(node, seen);
    if (seen.areReadsNew) this.checkPendingReads(node, seen);
  }

  private checkMatchIndex({ id, state }: ObservedNode, follower: NodeId, matchIndex: LogIndex): void {
    const { log, currentTerm } = state!;
    // A follower that has moved on to a later term owes this leader nothing any more.
    if (matchIndex < log.base.index || this.ledger.of(follower).term > currentTerm) return;
    if (matchIndex > log.lastIndex || !this.ledger.hasSynced(follower, matchIndex, log.termAt(matchIndex))) {
      fail('match_index_synced', `${id} counts ${matchIndex} on ${follower}, which has not synced it`);
    }
  }

  private checkWindow({ id, config, state }: ObservedNode, { to, term, entries }: AppendEntries): void {
    const link = linkOf(id, to);
    let window = this.windows.get(link);
    const progress = state?.progress.get(to);
    if (window?.term !== term || window.progress !== progress) {
      window = { term, progress, messages: [] };
      this.windows.set(link, window);
    }
    const { messages } = window;
    // It begins again further back: what was sent ahead is not counted on any more.
    if (messages.length > 0 && entries[0]!.index <= messages.at(-1)!.lastIndex) messages.length = 0;
    if (progress?.state !== 'replicate') messages.length = 0;
    // Messages of a turn leave together: what answered the first of them may have made room for the others.
    while (messages.length > 0 && messages[0]!.lastIndex <= (progress?.matchIndex ?? 0)) messages.shift();
    const before = messages.reduce((sum, { bytes }) => sum + bytes, 0);
    const bytes = entries.reduce((sum, entry) => sum + entryBytes(entry), 0);
    messages.push({ lastIndex: entries.at(-1)!.index, bytes });
    if (messages.length > Math.max(1, config.inflightMessagesMax)) {
      fail(
        'window_exceeded',
        `${id} has ${messages.length} messages unanswered by ${to}, ${config.inflightMessagesMax} are allowed`,
      );
    }
    if (before >= config.inflightBytesMax) {
      fail(
        'window_exceeded',
        `${id} sends to ${to} with ${before} bytes unanswered, ${config.inflightBytesMax} are allowed`,
      );
    }
    if (entries.length > 1 && bytes > config.appendBytesMax) {
      fail('window_exceeded', `${id} sends ${bytes} bytes in one message, ${config.appendBytesMax} are allowed`);
    }
  }

  private checkUncommitted({ id, state, config }: ObservedNode, seen: SeenLeader): void {
    const { log, commitIndex, currentTerm, uncommittedBytes } = state!;
    let bytes = 0;
    let fresh = 0;
    for (let index = log.lastIndex; index > commitIndex && log.termAt(index) === currentTerm; index--) {
      const entry = log.slice(index, index, Infinity)?.[0];
      if (entry === undefined) break;
      bytes += entryBytes(entry);
      // Changes of the configuration are not refused for their size.
      if (index > seen.lastIndex && entry.type === EntryType.Normal) fresh += entryBytes(entry);
    }
    if (uncommittedBytes !== bytes) {
      fail('quota_exceeded', `${id} counts ${uncommittedBytes} uncommitted bytes of ${bytes}`);
    }
    // One proposal is accepted at the bound, whatever its size; those of one step are not told apart.
    if (
      seen.lastIndex >= 0 &&
      bytes - fresh > config.uncommittedBytesMax &&
      fresh > 0 &&
      seen.uncommittedBytes > config.uncommittedBytesMax
    ) {
      if (bytes - fresh >= seen.uncommittedBytes && commitIndex === seen.commitIndex) {
        fail(
          'quota_exceeded',
          `${id} takes a proposal with ${seen.uncommittedBytes} bytes uncommitted, ${config.uncommittedBytesMax} are allowed`,
        );
      }
    }
    seen.lastIndex = log.lastIndex;
    seen.commitIndex = commitIndex;
    seen.uncommittedBytes = bytes;
  }

  private checkPendingReads({ id, raft, config }: ObservedNode, seen: SeenLeader): void {
    seen.areReadsNew = false;
    const pending = raft?.status().pendingReads ?? 0;
    if (pending > config.pendingReadsMax) {
      fail('quota_exceeded', `${pending} reads wait at ${id}, ${config.pendingReadsMax} are allowed`);
    }
  }
}

const linkOf = (from: NodeId, to: NodeId): string => `${from}>${to}`;
