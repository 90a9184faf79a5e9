import type { LogIndex } from './entry.js';

/** An AppendEntries on its way, by its last entry. */
interface Inflight {
  readonly lastIndex: LogIndex;
  readonly bytes: number;
}

/**
 * What a leader knows of one follower (`nextIndex`, `matchIndex` of figure 2) and how eagerly it sends.
 *
 * - `probe`: it is not known where the logs agree; one message at a time, until one is accepted.
 * - `replicate`: they agree up to `matchIndex`; entries are sent ahead of their answers, within the window.
 * - `snapshot`: it has said that it lacks the base of the leader's log, and waits for the state instead. It is sent no entries.
 *
 * Invariant: `matchIndex < nextIndex`; everything between is in flight.
 */
export class Progress {
  matchIndex: LogIndex = 0;
  state: 'probe' | 'replicate' | 'snapshot' = 'probe';
  /** In `probe`: a message is unanswered, or the follower is paused; the next heartbeat tries again. */
  isProbeSent = false;
  /** The entries at `nextIndex` are being read back from the disk. */
  isFetching = false;
  /** The state of this index is on its way to the follower, or has arrived and is not acknowledged yet; 0 when there is none. */
  pendingSnapshotIndex: LogIndex = 0;
  /** The latest ReadIndex round that this follower has answered. */
  readContext = 0;
  /** Set once it is no member any more: it is still sent the log, to learn of it; since `toldAt` also that it is committed. */
  farewell: { readonly removalIndex: LogIndex; readonly since: number; toldAt: number | undefined } | undefined;

  /** A round of catching up (dissertation 4.2.1) ends when everything is stored that the leader had at its beginning. */
  private round: { readonly target: LogIndex; readonly since: number } | undefined;
  private lastRoundTicks = Infinity;

  /** When it was last sent what makes a heartbeat needless for a while. */
  assertedTick = -Infinity;

  private readonly inflight: Inflight[] = [];
  private inflightBytes = 0;

  constructor(
    public nextIndex: LogIndex,
    /** When it last answered in this term, in ticks of the leader. */
    public lastContactTick: number,
  ) {}

  /** Whether it has answered this leader at all: until then `lastContactTick` is when the leader began to count. */
  get hasAnswered(): boolean {
    return this.round !== undefined;
  }

  canSend(messagesMax: number, bytesMax: number): boolean {
    if (this.isFetching || this.state === 'snapshot') return false;
    if (this.state === 'probe') return !this.isProbeSent;
    return this.inflight.length < messagesMax && this.inflightBytes < bytesMax;
  }

  /** Entries up to `lastIndex` have been sent ahead. */
  sent(lastIndex: LogIndex, bytes: number): void {
    if (this.state === 'probe') {
      this.isProbeSent = true;
      return;
    }
    this.nextIndex = lastIndex + 1;
    this.inflight.push({ lastIndex, bytes });
    this.inflightBytes += bytes;
  }

  /** The follower has stored everything up to `matchIndex`. Late answers never take anything back. */
  stored(matchIndex: LogIndex): boolean {
    while (this.inflight.length > 0 && this.inflight[0]!.lastIndex <= matchIndex) {
      this.inflightBytes -= this.inflight.shift()!.bytes;
    }
    const isNews = matchIndex > this.matchIndex;
    this.matchIndex = Math.max(this.matchIndex, matchIndex);
    this.nextIndex = Math.max(this.nextIndex, this.matchIndex + 1);
    return isNews;
  }

  /** To be called at every answer, with the end of the leader's log. */
  advanceRound(now: number, lastIndex: LogIndex): void {
    if (this.round !== undefined) {
      if (this.matchIndex < this.round.target) return;
      this.lastRoundTicks = now - this.round.since;
    }
    this.round = { target: lastIndex, since: now };
  }

  /**
   * Whether the last round took no more than an election timeout, nor has the present one so far. A follower that has everything begins a
   * round with each answer, so one that was not heard for so long does not keep up either.
   */
  hasCaughtUp(now: number, electionTimeoutTicks: number): boolean {
    if (this.round === undefined) return false;
    return this.lastRoundTicks <= electionTimeoutTicks && now - this.round.since <= electionTimeoutTicks;
  }

  becomeReplicate(): void {
    this.state = 'replicate';
    this.isProbeSent = false;
    this.pendingSnapshotIndex = 0;
    this.nextIndex = this.matchIndex + 1;
    this.clearInflight();
  }

  becomeProbe(nextIndex: LogIndex): void {
    this.state = 'probe';
    this.isProbeSent = false;
    this.pendingSnapshotIndex = 0;
    this.nextIndex = Math.max(nextIndex, this.matchIndex + 1);
    this.clearInflight();
  }

  becomeSnapshot(): void {
    this.becomeProbe(this.matchIndex + 1);
    this.state = 'snapshot';
  }

  /** The follower has been brought the state of `pendingSnapshotIndex`. It acknowledges it once it is on its disk. */
  snapshotDelivered(): void {
    const { pendingSnapshotIndex } = this;
    this.pause(pendingSnapshotIndex + 1);
    this.pendingSnapshotIndex = pendingSnapshotIndex;
  }

  /** Nothing is sent before the next heartbeat; that probes anew, just before `nextIndex`. */
  pause(nextIndex: LogIndex): void {
    this.becomeProbe(nextIndex);
    this.isProbeSent = true;
  }

  private clearInflight(): void {
    this.inflight.length = 0;
    this.inflightBytes = 0;
  }
}
