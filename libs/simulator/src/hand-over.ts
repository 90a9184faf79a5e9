import type { NodeId, Raft, RaftState } from '@app/raft';

/** Election timeouts from one attempt to the next: nothing is proposed while one is under way. */
const PERIOD_TIMEOUTS = 3;

/** Sees to it that another node leads when this one had better not: it asks one voter after the other, whoever has most of the log first. */
export class HandOver {
  private asked: NodeId[] = [];
  private nextTick = 0;

  constructor(private readonly electionTimeoutTicks: number) {}

  /** True when the core has begun to hand over. */
  attempt(raft: Raft, { candidacy, transfer, now }: RaftState): boolean {
    if (candidacy === 'ready' || !raft.isLeader) {
      this.asked = [];
      this.nextTick = 0;
      return false;
    }
    if (transfer !== undefined || now < this.nextTick) return false;
    const next = raft.successor(this.asked);
    if (next === undefined) this.asked = [];
    const to = next ?? raft.successor();
    if (to === undefined || raft.transferLeadership(to) !== undefined) return false;
    this.asked.push(to);
    this.nextTick = now + PERIOD_TIMEOUTS * this.electionTimeoutTicks;
    return true;
  }
}
