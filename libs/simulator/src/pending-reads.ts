import type { LogIndex } from '@app/raft';

/** Who waits for a read. Exactly one of the two is called, once. */
export interface WaitingRead {
  /** The state machine may be read now. */
  ready(): void;
  rejected(reason: string): void;
}

/**
 * Reads on their way, the twin of the real node's: first by the context of the request that all reads of a turn share, then, once confirmed,
 * until the state machine has reached their index.
 */
export class PendingReads {
  private readonly unconfirmed = new Map<number, readonly WaitingRead[]>();
  private confirmed: { readonly index: LogIndex; readonly reads: readonly WaitingRead[] }[] = [];

  get count(): number {
    return this.unconfirmed.size + this.confirmed.length;
  }

  add(context: number, reads: readonly WaitingRead[]): void {
    this.unconfirmed.set(context, reads);
  }

  confirm(context: number, index: LogIndex): void {
    const reads = this.unconfirmed.get(context);
    if (reads === undefined) return;
    this.unconfirmed.delete(context);
    this.confirmed.push({ index, reads });
  }

  reject(context: number, reason: string): void {
    const reads = this.unconfirmed.get(context);
    if (reads === undefined) return;
    this.unconfirmed.delete(context);
    for (const read of reads) read.rejected(reason);
  }

  /** Answers the confirmed reads that the state machine has caught up with. */
  applied(appliedIndex: LogIndex): void {
    if (this.confirmed.length === 0) return;
    const due = this.confirmed.filter(({ index }) => index <= appliedIndex);
    if (due.length === 0) return;
    this.confirmed = this.confirmed.filter(({ index }) => index > appliedIndex);
    for (const { reads } of due) for (const read of reads) read.ready();
  }

  /** The process stops. */
  rejectAll(reason: string): void {
    const lost = [...this.unconfirmed.values(), ...this.confirmed.map(({ reads }) => reads)].flat();
    this.unconfirmed.clear();
    this.confirmed = [];
    for (const read of lost) read.rejected(reason);
  }
}
