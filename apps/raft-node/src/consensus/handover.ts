import type { NodeId, Raft } from '@app/raft';

/** What it needs of the core. */
type Core = Pick<Raft, 'isLeader' | 'status' | 'successor' | 'transferLeadership'>;

/** The first pause between two rounds of attempts, in election timeouts; each following one is twice as long, up to the longest. */
const PAUSE_TIMEOUTS = 2;
const PAUSE_TIMEOUTS_MAX = 120;

/**
 * A leader that would rather not be one hands over: to the most up-to-date voter within reach, and when that comes to nothing to each of the
 * others. Then it pauses, longer each time: an attempt blocks proposals for up to an election timeout, and a cluster whose members are
 * all in trouble must not be blocked for ever.
 */
export class Handover {
  private readonly tried: NodeId[] = [];
  private now = 0;
  private nextAttemptTick = 0;
  private failedRounds = 0;

  constructor(
    private readonly raft: Core,
    private readonly electionTimeoutTicks: number,
  ) {}

  /** Everyone within reach was tried since this node wants to be rid of the leadership, and it still leads. */
  get hasFailed(): boolean {
    return this.failedRounds > 0;
  }

  /** Goes on at once, whatever pause there is. */
  hurry(): void {
    this.reset();
  }

  /** To be called once per tick of the core. */
  tick(isWanted: boolean): void {
    this.now += 1;
    if (!isWanted || !this.raft.isLeader) {
      this.reset();
      return;
    }
    if (this.now < this.nextAttemptTick || this.raft.status().transferTo !== undefined) return;
    for (;;) {
      const to = this.raft.successor(this.tried);
      if (to === undefined) {
        this.endRound();
        return;
      }
      this.tried.push(to);
      if (this.raft.transferLeadership(to) === undefined) return;
    }
  }

  private endRound(): void {
    const timeouts = Math.min(PAUSE_TIMEOUTS * 2 ** this.failedRounds, PAUSE_TIMEOUTS_MAX);
    this.failedRounds += 1;
    this.nextAttemptTick = this.now + timeouts * this.electionTimeoutTicks;
    this.tried.length = 0;
  }

  private reset(): void {
    this.tried.length = 0;
    this.nextAttemptTick = 0;
    this.failedRounds = 0;
  }
}
