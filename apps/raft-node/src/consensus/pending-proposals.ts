import type { LogIndex, Term } from '@app/raft';
import type { Refusal, WriteReply } from '../fsm/operation-desk.js';

/** A command that waits for its answer. */
export interface WaitingWrite {
  readonly command: Uint8Array;
  readonly deadlineMs: number;
  readonly reply: WriteReply;
}

interface PendingEntry {
  readonly term: Term;
  readonly proposedAtMs: number;
  readonly writes: readonly (WaitingWrite | undefined)[];
}

/** From the proposal of an entry to its application. */
const SLOW_ENTRY_MS = 500;

export interface SlowEntry {
  readonly index: LogIndex;
  readonly term: Term;
  readonly tookMs: number;
  /** Without those that were given up meanwhile. */
  readonly writes: readonly (WaitingWrite | undefined)[];
}

const LEADERSHIP_LOST: Refusal = {
  code: 'OUTCOME_UNKNOWN',
  detail: 'the leadership was lost before the entry was committed; the next leader may still commit it',
};
const OVERWRITTEN: Refusal = {
  code: 'NOT_LEADER',
  detail: 'another leader has put its own entry in this place of the log',
};
const DEADLINE_PASSED: Refusal = {
  code: 'OUTCOME_UNKNOWN',
  detail: 'the entry was not committed within the deadline; it may be later',
};

/**
 * The commands that are in the log and not yet applied, by the index of their entry. Every one ends: answered when its
 * entry is applied, refused as surely not applied when another entry is applied in its place, unknown when the
 * leadership or the deadline passes first.
 */
export class PendingProposals {
  private readonly entries = new Map<LogIndex, PendingEntry>();
  private waiting = 0;

  /** Commands that were refused, or whose outcome is unknown. */
  failed = 0;

  /** `onSlow` is told of entries that took long from their proposal to their application: one look at the clock for each, not for each command. */
  constructor(private readonly onSlow: (entry: SlowEntry) => void = () => undefined) {}

  /** Commands without an answer. */
  get count(): number {
    return this.waiting;
  }

  add(index: LogIndex, term: Term, writes: readonly WaitingWrite[]): void {
    const displaced = this.entries.get(index);
    if (displaced !== undefined) this.refuseEntry(index, displaced, () => true, LEADERSHIP_LOST);
    this.entries.set(index, { term, proposedAtMs: performance.now(), writes: [...writes] });
    this.waiting += writes.length;
  }

  applied(index: LogIndex, term: Term, answers: readonly Uint8Array[]): void {
    const entry = this.entries.get(index);
    if (entry === undefined) return;
    this.entries.delete(index);
    const tookMs = performance.now() - entry.proposedAtMs;
    if (tookMs >= SLOW_ENTRY_MS) this.onSlow({ index, term: entry.term, tookMs, writes: entry.writes });
    const isOurs = entry.term === term;
    entry.writes.forEach((write, i) => {
      if (write === undefined) return;
      this.waiting -= 1;
      if (isOurs) {
        write.reply(answers[i], undefined, index);
      } else {
        this.failed += 1;
        write.reply(undefined, OVERWRITTEN);
      }
    });
  }

  leadershipLost(): void {
    this.refuse(() => true, LEADERSHIP_LOST);
  }

  expire(nowMs: number): void {
    this.refuse((write) => write.deadlineMs <= nowMs, DEADLINE_PASSED);
  }

  private refuse(isOver: (write: WaitingWrite) => boolean, refusal: Refusal): void {
    for (const [index, entry] of this.entries) this.refuseEntry(index, entry, isOver, refusal);
  }

  private refuseEntry(
    index: LogIndex,
    entry: PendingEntry,
    isOver: (write: WaitingWrite) => boolean,
    refusal: Refusal,
  ): void {
    const over = entry.writes.filter((write) => write !== undefined && isOver(write));
    if (over.length === 0) return;
    const writes = entry.writes.map((write) => (over.includes(write) ? undefined : write));
    if (writes.every((write) => write === undefined)) this.entries.delete(index);
    else this.entries.set(index, { ...entry, writes });
    this.waiting -= over.length;
    this.failed += over.length;
    for (const write of over) write?.reply(undefined, refusal);
  }
}
