import type { NodeId, Raft, RaftState } from '@app/raft';

/** Election timeouts that pass after the first round of attempts, in which nobody has taken over; after each further one it is twice as many. */
const PAUSE_TIMEOUTS = 2;
const PAUSE_TIMEOUTS_MAX = 120;

/**
 * Sees to it that another node leads when this one had better not, as the real node's driver does: it asks one voter after the other, whoever
 * has most of the log first. Then it pauses, for nothing is proposed while an attempt is under way.
 */
export class HandOver {
  private asked: NodeId[] = [];
  private rounds = 0;
  private nextTick = 0;

  constructor(private readonly electionTimeoutTicks: number) {}

  /** True when the core has begun to hand over. */
  attempt(raft: Raft, { candidacy, transfer, now }: RaftState): boolean {
    if (candidacy === 'ready' || !raft.isLeader) {
      this.asked = [];
      this.rounds = 0;
      this.nextTick = 0;
      return false;
    }
    if (transfer !== undefined || now < this.nextTick) return false;
    for (let to = raft.successor(this.asked); to !== undefined; to = raft.successor(this.asked)) {
      this.asked.push(to);
      if (raft.transferLeadership(to) === undefined) return true;
    }
    this.asked = [];
    const pause = Math.min(PAUSE_TIMEOUTS * 2 ** this.rounds, PAUSE_TIMEOUTS_MAX);
    this.rounds += 1;
    this.nextTick = now + pause * this.electionTimeoutTicks;
    return false;
  }
}
