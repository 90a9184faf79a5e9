import type { LogIndex } from '@app/raft';
import type { ReadReply, Refusal } from '../fsm/operation-desk.js';

export interface WaitingRead {
  readonly deadlineMs: number;
  readonly reply: ReadReply;
}

const DEADLINE_PASSED: Refusal = {
  code: 'TIMED_OUT',
  detail: 'a quorum did not confirm the leadership within the deadline',
};

/**
 * Linearizable reads on their way: first by the context of the ReadIndex request that all reads of one turn share, then, once
 * confirmed, until the state machine has reached their index. Every one ends.
 */
export class PendingReads {
  private readonly unconfirmed = new Map<number, { readonly askedAtMs: number; reads: readonly WaitingRead[] }>();
  private confirmed: { index: LogIndex; reads: readonly WaitingRead[] }[] = [];
  private lastContext = 0;
  private waiting = 0;
  /** Reads that ended without having been confirmed. */
  failed = 0;

  /** `confirmedAfter` is told how long a quorum took for a batch. */
  constructor(private readonly confirmedAfter: (durationMs: number) => void = () => undefined) {}

  /** Reads without an answer. */
  get count(): number {
    return this.waiting;
  }

  /** Returns the context to ask the core with. */
  add(reads: readonly WaitingRead[]): number {
    this.lastContext += 1;
    this.unconfirmed.set(this.lastContext, { askedAtMs: performance.now(), reads });
    this.waiting += reads.length;
    return this.lastContext;
  }

  confirm(contexts: readonly number[], index: LogIndex): void {
    for (const context of contexts) {
      const batch = this.unconfirmed.get(context);
      if (batch === undefined) continue;
      this.unconfirmed.delete(context);
      this.confirmedAfter(performance.now() - batch.askedAtMs);
      this.confirmed.push({ index, reads: batch.reads });
    }
  }

  reject(contexts: readonly number[], refusal: Refusal): void {
    for (const context of contexts) {
      const batch = this.unconfirmed.get(context);
      if (batch === undefined) continue;
      this.unconfirmed.delete(context);
      this.finish(batch.reads, refusal);
    }
  }

  /** Answers the confirmed reads that the state machine has caught up with. */
  applied(appliedIndex: LogIndex): void {
    if (this.confirmed.length === 0) return;
    const due = this.confirmed.filter(({ index }) => index <= appliedIndex);
    this.confirmed = this.confirmed.filter(({ index }) => index > appliedIndex);
    for (const { reads } of due) this.finish(reads, undefined);
  }

  expire(nowMs: number): void {
    // An empty list stays until the core answers: its context is still in use there.
    for (const batch of this.unconfirmed.values()) batch.reads = this.expireOf(batch.reads, nowMs);
    this.confirmed = this.confirmed.map(({ index, reads }) => ({ index, reads: this.expireOf(reads, nowMs) }));
  }

  /** All of them. What the core answers after this is of no use. */
  end(refusal: Refusal): void {
    const waiting = [...this.unconfirmed.values(), ...this.confirmed].map(({ reads }) => reads);
    this.unconfirmed.clear();
    this.confirmed = [];
    for (const reads of waiting) this.finish(reads, refusal);
  }

  private expireOf(reads: readonly WaitingRead[], nowMs: number): readonly WaitingRead[] {
    if (!reads.some((read) => read.deadlineMs <= nowMs)) return reads;
    this.finish(
      reads.filter((read) => read.deadlineMs <= nowMs),
      DEADLINE_PASSED,
    );
    return reads.filter((read) => read.deadlineMs > nowMs);
  }

  private finish(reads: readonly WaitingRead[], refusal: Refusal | undefined): void {
    this.waiting -= reads.length;
    if (refusal !== undefined) this.failed += reads.length;
    for (const read of reads) read.reply(refusal);
  }
}
