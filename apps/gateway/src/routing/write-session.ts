import type { SessionStamp } from '@app/kv';

/**
 * Sequences between the lowest in flight and the next one, at most. The state machine keeps that many answers and
 * twice as many at the most; one request that waits for long would otherwise stop all later ones.
 */
const WINDOW_MAX = 8_192;

/** One session of this gateway with one cluster: gives each write its sequence, and knows which are still in flight. */
export class WriteSession {
  private nextSequence = 1;
  private readonly inFlight = new Set<number>();
  /** Of those in flight; `nextSequence` while there is none. */
  private lowestInFlight = 1;
  private isRetired = false;

  constructor(private readonly clientId: number) {}

  /** False when new writes need another session: the cluster has refused this one, or its window is used up. */
  get isUsable(): boolean {
    return !this.isRetired && this.nextSequence - this.lowestInFlight < WINDOW_MAX;
  }

  /** No new writes; those in flight end as they do. */
  retire(): void {
    this.isRetired = true;
  }

  /** The stamp of a new write. It must be `end`ed, or its answer is kept for ever. */
  begin(): SessionStamp {
    const sequence = this.nextSequence++;
    this.inFlight.add(sequence);
    return { clientId: this.clientId, sequence, acknowledgedBelow: this.lowestInFlight };
  }

  /**
   * Nobody will send this sequence again, answered or given up. A straggling attempt of one that was given up is
   * refused by the cluster once a later write has told it so: it cannot be applied as if it were new.
   */
  end({ sequence }: SessionStamp): void {
    this.inFlight.delete(sequence);
    // Not the first of the set: it would look at all that have ended since the set was last tidied.
    while (this.lowestInFlight < this.nextSequence && !this.inFlight.has(this.lowestInFlight)) this.lowestInFlight += 1;
  }
}
