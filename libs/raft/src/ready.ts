import type { Entry, HardState, LogIndex, NodeId } from './entry.js';
import type { Message, ReadRejection, SnapshotMetadata } from './messages.js';

/** Why a proposal was not appended. It surely is not, and will not be, applied. */
export type ProposalRejection = 'not_leader' | 'uncommitted_limit' | 'leadership_transfer';

/** The reads may be answered as soon as everything up to `index` is applied. */
export interface ConfirmedReads {
  readonly index: LogIndex;
  readonly contexts: readonly number[];
}

export interface RejectedReads {
  readonly reason: ReadRejection;
  readonly contexts: readonly number[];
}

/**
 * Entries that a follower needs and that are no longer in memory: read them from the disk and call `entriesFetched`,
 * once for each, also when the read fails: until then this follower is sent no entries.
 */
export interface EntryFetch {
  readonly to: NodeId;
  readonly from: LogIndex;
  readonly bytesMax: number;
}

/**
 * A follower lacks entries that the log no longer has: it is to be sent the state. The driver takes the state as of some index that is
 * applied and not below the log's base, calls `snapshotStarted`, brings state and message to the follower, and calls `snapshotEnded`
 * however that went: until then this follower is sent no entries.
 */
export interface SnapshotRequest {
  readonly to: NodeId;
}

/** One write to the log, made durable with one sync; with a snapshot, four steps, each durable before the next. */
export interface PersistBatch {
  /** In the stream before `entries`: an entry is never on the disk before its term. Before the snapshot, too. */
  readonly hardState: HardState | undefined;
  /**
   * Replaces the state machine and the whole log: first the state (as one atomic change, together with this metadata), then the log is
   * begun anew behind `index`. After a crash between the two the driver repeats the second: the state decides.
   */
  readonly snapshot: SnapshotMetadata | undefined;
  /** An entry whose index is not above the last one on the disk replaces it and all behind it. */
  readonly entries: readonly Entry[];
  /** Votes and acknowledgements: they leave once this batch is synced, not before. */
  readonly messages: readonly Message[];
}

/**
 * What the core wants done, in this order:
 *
 * 1. `messages` leave at once; nothing in them promises what is not yet on the disk.
 * 2. `persist` is written and synced, beside the replication that 1 began; then the driver calls `persisted()`. A snapshot in it is
 *    of a later index than anything handed to the state machine so far, and nothing is handed to it before `persisted()`.
 *    While it is under way no other batch is handed out: what queues up goes into the next one.
 * 3. Only then `persist.messages` leave.
 * 4. `committed` is applied, in order; then the driver calls `applied()`. All of it is on this node's disk.
 * 5. Clients are answered: `confirmedReads` once their index is applied, `rejectedReads` now.
 *
 * `compactThrough` may be carried out at any later time, in part, or not at all.
 */
export interface Ready {
  readonly messages: readonly Message[];
  readonly persist: PersistBatch | undefined;
  readonly committed: readonly Entry[];
  readonly confirmedReads: readonly ConfirmedReads[];
  readonly rejectedReads: readonly RejectedReads[];
  readonly fetches: readonly EntryFetch[];
  readonly snapshots: readonly SnapshotRequest[];
  /** The disk may forget the entries up to here: the state machine's durable state contains them. */
  readonly compactThrough: LogIndex | undefined;
}

/** Whether it asks for anything. */
export function hasWork({ persist, compactThrough, ...lists }: Ready): boolean {
  return persist !== undefined || compactThrough !== undefined || Object.values(lists).some(({ length }) => length > 0);
}

/** Where the parts of the core put what they want done, until `Raft.takeReady` hands it over. */
export class ReadyBuilder {
  messages: Message[] = [];
  messagesAfterPersist: Message[] = [];
  confirmedReads: ConfirmedReads[] = [];
  rejectedReads: RejectedReads[] = [];
  fetches: EntryFetch[] = [];
  snapshots: SnapshotRequest[] = [];
  compactThrough: LogIndex | undefined;

  get isEmpty(): boolean {
    return (
      this.messages.length === 0 &&
      this.messagesAfterPersist.length === 0 &&
      this.confirmedReads.length === 0 &&
      this.rejectedReads.length === 0 &&
      this.fetches.length === 0 &&
      this.snapshots.length === 0 &&
      this.compactThrough === undefined
    );
  }

  /** For messages that promise nothing. */
  send(message: Message): void {
    this.messages.push(message);
  }

  /**
   * For messages that promise what this node has stored. However long the disk takes, one answer of a kind waits per
   * leader: a later one says all that an earlier one did.
   */
  sendAfterPersist(message: Message): void {
    const waiting = this.messagesAfterPersist;
    for (const [i, earlier] of waiting.entries()) {
      const both = mergedAnswer(earlier, message);
      if (both === undefined) continue;
      waiting[i] = both;
      return;
    }
    waiting.push(message);
  }
}

/** Requests may have come out of order: neither what is stored nor the round that is answered goes back. */
function mergedAnswer(earlier: Message, later: Message): Message | undefined {
  const isMergeable =
    earlier.type === 'AppendEntriesResponse' &&
    later.type === 'AppendEntriesResponse' &&
    earlier.to === later.to &&
    earlier.term === later.term &&
    earlier.success === later.success;
  if (!isMergeable) return undefined;
  return {
    ...later,
    matchIndex: Math.max(earlier.matchIndex, later.matchIndex),
    readContext: Math.max(earlier.readContext, later.readContext),
  };
}
