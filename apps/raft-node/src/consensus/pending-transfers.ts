import type { NodeId, RaftStatus, Term } from '@app/raft';
import type { Refusal } from '../fsm/operation-desk.js';

/** Who leads after a transfer; undefined when nobody else does: it was taken back, or its time is over. A refusal when nobody here will know. */
export type TransferReply = (outcome: { readonly id: NodeId; readonly term: Term } | Refusal | undefined) => void;

interface Waiting {
  /** In which it began. */
  readonly term: Term;
  readonly deadlineMs: number;
  readonly reply: TransferReply;
}

/** Those who wait for the leadership to be handed over. */
export class PendingTransfers {
  private waiting: Waiting[] = [];

  add(waiting: Waiting): void {
    this.waiting.push(waiting);
  }

  get count(): number {
    return this.waiting.length;
  }

  /** To be called after every change of the core. */
  settle({ role, term, leaderId, transferTo }: RaftStatus, nowMs: number): void {
    const { waiting } = this;
    this.waiting = [];
    for (const each of waiting) {
      const isOver = nowMs >= each.deadlineMs || (role === 'leader' && term === each.term && transferTo === undefined);
      if (term > each.term && leaderId !== undefined) each.reply({ id: leaderId, term });
      else if (isOver) each.reply(undefined);
      else this.waiting.push(each);
    }
  }

  end(refusal: Refusal): void {
    for (const { reply } of this.waiting.splice(0)) reply(refusal);
  }
}
