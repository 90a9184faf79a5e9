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
 *
 * Invariant: `matchIndex < nextIndex`; everything between is in flight.
 */
export class Progress {
  matchIndex: LogIndex = 0;
  state: 'probe' | 'replicate' = 'probe';
  /** In `probe`: a message is unanswered, or the follower is paused; the next heartbeat tries again. */
  isProbeSent = false;
  /** The entries at `nextIndex` are being read back from the disk. */
  isFetching = false;
  /** The latest ReadIndex round that this follower has answered. */
  readContext = 0;

  private readonly inflight: Inflight[] = [];
  private inflightBytes = 0;

  constructor(
    public nextIndex: LogIndex,
    /** When it last answered in this term, in ticks of the leader. */
    public lastContactTick: number,
  ) {}

  canSend(messagesMax: number, bytesMax: number): boolean {
    if (this.isFetching) return false;
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

  becomeReplicate(): void {
    this.state = 'replicate';
    this.isProbeSent = false;
    this.nextIndex = this.matchIndex + 1;
    this.clearInflight();
  }

  becomeProbe(nextIndex: LogIndex): void {
    this.state = 'probe';
    this.isProbeSent = false;
    this.nextIndex = Math.max(nextIndex, this.matchIndex + 1);
    this.clearInflight();
  }

  /** Nothing is sent before the next heartbeat; then it is probed anew. */
  pause(): void {
    this.becomeProbe(this.matchIndex + 1);
    this.isProbeSent = true;
  }

  private clearInflight(): void {
    this.inflight.length = 0;
    this.inflightBytes = 0;
  }
}
