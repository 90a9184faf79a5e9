import { membersOf } from './configuration.js';
import { EntryType, type Entry, type LogIndex, type NodeId } from './entry.js';
import { invariant } from './errors.js';
import { entryBytes } from './log.js';
import type { AppendEntries, AppendEntriesResponse, InstallSnapshot } from './messages.js';
import { Progress } from './progress.js';
import { storedByQuorum } from './quorum.js';
import type { RaftConfig } from './raft-config.js';
import type { ProposalRejection, ReadyBuilder } from './ready.js';
import type { RaftState } from './state.js';

const NO_DATA = new Uint8Array(0);

/**
 * Log replication (section 5.3) and the commit rule (5.4.2). The only part that writes the log, the followers'
 * progress and the commit index.
 */
export class Replication {
  constructor(private readonly config: RaftConfig) {}

  /** Begins a leader's term: knows nothing of the followers, appends the entry that will commit all earlier ones (section 8). */
  lead(state: RaftState, ready: ReadyBuilder): void {
    state.progress = new Map(
      membersOf(state.configuration)
        .filter((id) => id !== state.id)
        .map((id) => [id, new Progress(state.log.lastIndex + 1, state.now)]),
    );
    state.uncommittedBytes = 0;
    state.readContext = 0;
    state.timeoutNowSent = false;
    this.append(state, EntryType.Noop, [NO_DATA]);
    this.broadcast(state, ready, true);
  }

  /** What only a leader keeps is dropped. */
  follow(state: RaftState): void {
    state.progress.clear();
    state.uncommittedBytes = 0;
    state.transfer = undefined;
  }

  /**
   * Heartbeats, to whom one is due; with `isAssertion` to everyone. Entries of a probe that went unanswered are not sent again: their
   * answer may be waiting for a slow disk. That to the heartbeat does not wait, and tells where to go on if they were lost.
   */
  tick(state: RaftState, ready: ReadyBuilder, isAssertion: boolean): void {
    if (state.role !== 'leader') return;
    const isDue = (progress: Progress) => state.now - progress.assertedTick >= this.config.heartbeatTicks;
    for (const [id, progress] of state.progress) {
      if (!isAssertion && !isDue(progress)) continue;
      const isSent = this.sendEntries(state, id, progress, ready);
      if (!isSent || isDue(progress)) this.sendHeartbeat(state, id, progress, ready);
    }
  }

  /** Appends one entry per item of `data` to the leader's log, all or none. Returns why not, or undefined. */
  propose(state: RaftState, data: readonly Uint8Array[]): ProposalRejection | undefined {
    if (state.role !== 'leader') return 'not_leader';
    // One proposal always fits: else one larger than the bound could never be made.
    if (state.uncommittedBytes > this.config.uncommittedBytesMax) return 'uncommitted_limit';
    this.append(state, EntryType.Normal, data);
    return undefined;
  }

  /**
   * Sends new entries to everyone who has room in its window. With `isAssertion` everyone gets a message, if need
   * be an empty one: it asserts the leadership and carries the latest ReadIndex round.
   */
  broadcast(state: RaftState, ready: ReadyBuilder, isAssertion: boolean): void {
    for (const [id, progress] of state.progress) {
      const isSent = this.sendEntries(state, id, progress, ready);
      if (isAssertion && !isSent) this.sendHeartbeat(state, id, progress, ready);
    }
  }

  /** At the same term as this node's: the sender is its leader. */
  handleAppendEntries(state: RaftState, message: AppendEntries, ready: ReadyBuilder): void {
    const { log } = state;
    if (message.entries.length > 0 && !this.hasRoom(state)) return;
    if (!log.matches(message.prevLogIndex, message.prevLogTerm)) {
      this.rejectAppend(state, message, ready);
      return;
    }
    this.store(state, message.entries);
    const verifiedIndex = message.prevLogIndex + message.entries.length;
    // Not further than what this message has verified: behind it this log may differ from the leader's.
    this.commitTo(state, Math.min(message.leaderCommit, verifiedIndex));
    // A heartbeat asks whether this node still follows, which does not have to wait for the disk.
    const isAnswerDue = message.entries.length === 0 && state.persistedTerm === state.currentTerm;
    const response: AppendEntriesResponse = {
      type: 'AppendEntriesResponse',
      from: state.id,
      to: message.from,
      term: state.currentTerm,
      success: true,
      matchIndex: isAnswerDue ? Math.min(verifiedIndex, log.persistedIndex) : verifiedIndex,
      rejectedIndex: 0,
      conflictTerm: 0,
      conflictIndex: 0,
      readContext: message.readContext,
    };
    if (isAnswerDue) ready.send(response);
    else ready.sendAfterPersist(response);
  }

  /** Tells a leader of an earlier term that it is no longer one. */
  rejectStaleLeader(state: RaftState, message: AppendEntries | InstallSnapshot, ready: ReadyBuilder): void {
    ready.sendAfterPersist({
      type: 'AppendEntriesResponse',
      from: state.id,
      to: message.from,
      term: state.currentTerm,
      success: false,
      matchIndex: 0,
      rejectedIndex: message.type === 'AppendEntries' ? message.prevLogIndex : message.snapshot.index,
      conflictTerm: 0,
      conflictIndex: state.log.lastIndex + 1,
      readContext: 0,
    });
  }

  handleAppendEntriesResponse(state: RaftState, message: AppendEntriesResponse, ready: ReadyBuilder): void {
    const progress = state.progress.get(message.from);
    if (progress === undefined) return;
    invariant(
      message.readContext <= state.readContext,
      () => `${message.from} answers round ${message.readContext}, the latest is ${state.readContext}`,
    );
    progress.lastContactTick = state.now;
    progress.readContext = Math.max(progress.readContext, message.readContext);
    if (message.success) this.handleStored(state, message, progress);
    else this.handleRejected(state, message, progress);
    progress.advanceRound(state.now, state.log.lastIndex);
    this.sendEntries(state, message.from, progress, ready);
  }

  /** This node's own disk has caught up: as leader it counts like any follower. */
  handlePersisted(state: RaftState): void {
    if (state.role === 'leader') this.maybeCommit(state);
  }

  /** Entries that had left the memory have been read back for a follower. Empty when the read failed: the next heartbeat tries again. */
  handleFetched(state: RaftState, to: NodeId, entries: readonly Entry[], ready: ReadyBuilder): void {
    const progress = state.progress.get(to);
    if (progress === undefined) return;
    progress.isFetching = false;
    if (progress.state === 'snapshot') return;
    const first = entries[0];
    if (first === undefined) {
      progress.pause(Math.max(progress.matchIndex, state.log.base.index) + 1);
      return;
    }
    // Meanwhile the leadership may have changed hands and returned, or the follower may have answered.
    const isStale =
      first.index !== progress.nextIndex ||
      first.index <= state.log.base.index ||
      !state.log.matches(entries.at(-1)!.index, entries.at(-1)!.term);
    if (isStale || !progress.canSend(this.config.inflightMessagesMax, this.config.inflightBytesMax)) {
      this.sendEntries(state, to, progress, ready);
      return;
    }
    this.sendAhead(state, to, progress, first.index - 1, entries, ready);
  }

  /** Messages to this follower may have been lost: what was sent ahead is not counted on any more. */
  handleUnreachable(state: RaftState, id: NodeId): void {
    const progress = state.progress.get(id);
    if (progress?.state === 'replicate') progress.becomeProbe(progress.matchIndex + 1);
  }

  private handleStored(state: RaftState, message: AppendEntriesResponse, progress: Progress): void {
    invariant(
      message.matchIndex <= state.log.lastIndex,
      () => `${message.from} claims ${message.matchIndex}, the leader's log ends at ${state.log.lastIndex}`,
    );
    const isNews = progress.stored(message.matchIndex);
    // What is not known to hold the base goes on from where it was: its disk may be slow, and below the base there is nothing to send.
    if (progress.state !== 'replicate' && progress.matchIndex >= state.log.base.index) progress.becomeReplicate();
    if (isNews) this.maybeCommit(state);
  }

  private handleRejected(state: RaftState, message: AppendEntriesResponse, progress: Progress): void {
    const isStale =
      progress.state === 'probe'
        ? message.rejectedIndex !== progress.nextIndex - 1
        : message.rejectedIndex <= progress.matchIndex;
    if (isStale || progress.state === 'snapshot') return;
    if (progress.state === 'replicate') {
      progress.becomeProbe(progress.matchIndex + 1);
      return;
    }
    // Section 5.3: skip all entries of the conflicting term at once.
    const lastOfTerm = message.conflictTerm > 0 ? state.log.lastIndexOfTerm(message.conflictTerm) : undefined;
    const hint = lastOfTerm !== undefined ? lastOfTerm + 1 : message.conflictIndex;
    const nextIndex = Math.max(Math.min(hint, message.rejectedIndex), progress.matchIndex + 1);
    if (nextIndex <= state.log.base.index) progress.becomeSnapshot();
    // No further back to go: the follower has lost what it had, and asking again at once would ask for ever.
    else if (nextIndex < progress.nextIndex) progress.becomeProbe(nextIndex);
  }

  private rejectAppend(state: RaftState, message: AppendEntries, ready: ReadyBuilder): void {
    const { log } = state;
    const isShort = message.prevLogIndex > log.lastIndex;
    const response: AppendEntriesResponse = {
      type: 'AppendEntriesResponse',
      from: state.id,
      to: message.from,
      term: state.currentTerm,
      success: false,
      matchIndex: 0,
      rejectedIndex: message.prevLogIndex,
      conflictTerm: isShort ? 0 : log.termAt(message.prevLogIndex),
      conflictIndex: isShort ? log.lastIndex + 1 : log.firstIndexOfTermAt(message.prevLogIndex),
      readContext: message.readContext,
    };
    // Says nothing of what is stored, but that this node is in this term.
    if (state.persistedTerm === state.currentTerm) ready.send(response);
    else ready.sendAfterPersist(response);
  }

  /**
   * Whether this follower takes more entries. While its state machine lags it takes as many as fit into the memory, and lets the
   * rest go as if they were lost; the leader tries again at a heartbeat. What only waits to be committed is always taken, for the
   * commit may wait for this very follower.
   */
  private hasRoom({ log, commitIndex, appliedIndex }: RaftState): boolean {
    const { cacheBytesMax, uncommittedBytesMax } = this.config;
    return commitIndex === appliedIndex || log.bytesInMemory <= cacheBytesMax + uncommittedBytesMax;
  }

  /** Stores what is not there yet; only a real conflict truncates, an old message never does. */
  private store(state: RaftState, entries: readonly Entry[]): void {
    const { log } = state;
    const firstNew = entries.findIndex((entry) => !log.matches(entry.index, entry.term));
    if (firstNew === -1) return;
    const { index } = entries[firstNew]!;
    if (index <= log.lastIndex) {
      invariant(
        index > state.commitIndex,
        () => `entry ${index} conflicts with a committed one (commit index ${state.commitIndex})`,
      );
      state.truncateFrom(index);
    }
    state.append(firstNew === 0 ? entries : entries.slice(firstNew));
  }

  /** Adds entries of the current term to the leader's log; they leave with the next broadcast. */
  append(state: RaftState, type: Entry['type'], data: readonly Uint8Array[]): void {
    const firstIndex = state.log.lastIndex + 1;
    const entries = data.map((bytes, i): Entry => ({
      index: firstIndex + i,
      term: state.currentTerm,
      type,
      data: bytes,
    }));
    state.append(entries);
    state.uncommittedBytes += bytesOf(entries);
  }

  /**
   * Advances the commit index to the highest entry of the current term that a quorum has stored. Entries of
   * older terms are committed only through it (5.4.2): counting replicas for them could commit an entry that
   * a later leader overwrites.
   */
  maybeCommit(state: RaftState): void {
    const index = storedByQuorum(state.configuration, (id) =>
      id === state.id ? state.log.persistedIndex : (state.progress.get(id)?.matchIndex ?? 0),
    );
    if (index <= state.commitIndex || state.log.termAt(index) !== state.currentTerm) return;
    this.commitTo(state, index);
  }

  private commitTo(state: RaftState, index: LogIndex): void {
    if (index <= state.commitIndex) return;
    invariant(
      index <= state.log.lastIndex,
      () => `commit ${index} is behind the end of the log, ${state.log.lastIndex}`,
    );
    if (state.role === 'leader') this.releaseUncommitted(state, index);
    state.commitIndex = index;
  }

  private releaseUncommitted(state: RaftState, through: LogIndex): void {
    const committed = state.log.slice(state.commitIndex + 1, through, Infinity) ?? [];
    // Entries of earlier leaders were never counted.
    for (const entry of committed) if (entry.term === state.currentTerm) state.uncommittedBytes -= entryBytes(entry);
  }

  /** Sends what the follower lacks, as much as its window holds. Returns whether anything was sent. */
  private sendEntries(state: RaftState, to: NodeId, progress: Progress, ready: ReadyBuilder): boolean {
    // Compaction has overtaken it. It may have the base all the same: only who has said that it lacks it is sent the state.
    const { base } = state.log;
    if (progress.state !== 'snapshot' && progress.nextIndex <= base.index) progress.becomeProbe(base.index + 1);
    let isSent = false;
    while (
      progress.nextIndex <= state.log.lastIndex &&
      progress.canSend(this.config.inflightMessagesMax, this.config.inflightBytesMax)
    ) {
      const entries = state.log.slice(progress.nextIndex, state.log.lastIndex, this.config.appendBytesMax);
      if (entries === undefined) {
        progress.isFetching = true;
        ready.fetches.push({ to, from: progress.nextIndex, bytesMax: this.config.appendBytesMax });
        break;
      }
      this.sendAhead(state, to, progress, progress.nextIndex - 1, entries, ready);
      isSent = true;
    }
    return isSent;
  }

  private sendAhead(
    state: RaftState,
    to: NodeId,
    progress: Progress,
    prevLogIndex: LogIndex,
    entries: readonly Entry[],
    ready: ReadyBuilder,
  ): void {
    this.sendAppend(state, to, prevLogIndex, entries, ready);
    progress.sent(entries.at(-1)!.index, bytesOf(entries));
    // They assert the leadership, too. But where their answers wait for a slow disk, only that to a heartbeat tells that the follower is there.
    if (state.now - progress.lastContactTick < this.config.heartbeatTicks) progress.assertedTick = state.now;
  }

  /** Names the last entry that was sent, but never one below the base: there this log has no terms. */
  private sendHeartbeat(state: RaftState, to: NodeId, progress: Progress, ready: ReadyBuilder): void {
    const verified = progress.state === 'snapshot' ? progress.matchIndex : progress.nextIndex - 1;
    this.sendAppend(state, to, Math.max(verified, state.log.base.index), [], ready);
    progress.assertedTick = state.now;
  }

  private sendAppend(
    state: RaftState,
    to: NodeId,
    prevLogIndex: LogIndex,
    entries: readonly Entry[],
    ready: ReadyBuilder,
  ): void {
    ready.send({
      type: 'AppendEntries',
      from: state.id,
      to,
      term: state.currentTerm,
      prevLogIndex,
      prevLogTerm: state.log.termAt(prevLogIndex),
      entries,
      leaderCommit: state.commitIndex,
      readContext: state.readContext,
    });
  }
}

function bytesOf(entries: readonly Entry[]): number {
  let bytes = 0;
  for (const entry of entries) bytes += entryBytes(entry);
  return bytes;
}
