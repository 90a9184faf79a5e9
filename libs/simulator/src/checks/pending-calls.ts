import type { NodeId } from '@app/raft';
import type { SimTime } from '../observer.js';
import { fail } from './fail.js';

interface PendingCall {
  readonly node: NodeId;
  readonly what: string;
  readonly since: SimTime;
}

/** Everything that was asked of a living process: each question is answered exactly once, or its process dies first. */
export class PendingCalls {
  private readonly pending = new Map<number, PendingCall>();
  private last = 0;

  /** Returns what is to be called with the answer's arrival. */
  begin(node: NodeId, what: string, since: SimTime): () => void {
    const call = ++this.last;
    this.pending.set(call, { node, what, since });
    let isAnswered = false;
    return () => {
      if (isAnswered) fail('answered_twice', `${node} answers ${what} of time ${since} twice`);
      isAnswered = true;
      this.pending.delete(call);
    };
  }

  crashed(node: NodeId): void {
    for (const [call, pending] of this.pending) if (pending.node === node) this.pending.delete(call);
  }

  /**
   * To be called when every question must have found its end. Who does not belong to the cluster any more may wait for entries that nobody
   * sends it: its clients give up.
   */
  checkEnded(isOutside: (node: NodeId) => boolean = () => false): void {
    for (const { node, what, since } of this.pending.values()) {
      if (isOutside(node)) continue;
      fail('operation_ends', `${node} has not answered ${what} of time ${since}, and lives`);
    }
  }

  get count(): number {
    return this.pending.size;
  }
}
