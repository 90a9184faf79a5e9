import { storedByQuorum } from './quorum.js';
import type { RaftConfig } from './raft-config.js';
import type { RaftState } from './state.js';

/**
 * How long nobody else can lead (dissertation 6.4.1): each voter that answers a round neither votes nor campaigns for an election timeout
 * after it heard of it, which is not before the round began. So the lease is counted from the beginning of the latest round that a quorum
 * has answered, never from the answers: those may be late.
 */
export class Lease {
  private term = 0;
  /** The first round of each tick of which a lease could still last. */
  private readonly begun: { readonly readContext: number; readonly tick: number }[] = [];

  constructor(private readonly config: RaftConfig) {}

  get isEnabled(): boolean {
    return this.config.leaseTicks > 0 && this.config.checkQuorum;
  }

  /** A leader has begun the round `state.readContext`; it leaves after this. */
  roundBegun(state: RaftState): void {
    if (!this.isEnabled) return;
    if (this.term !== state.currentTerm) this.begun.length = 0;
    this.term = state.currentTerm;
    while (this.begun.length > 0 && !this.lasts(state, this.begun[0]!.tick)) this.begun.shift();
    if (this.begun.at(-1)?.tick !== state.now) this.begun.push({ readContext: state.readContext, tick: state.now });
  }

  /** Whether this leader may answer from its own state, now. Not once it has asked a successor to campaign over the heads of the voters. */
  isValid(state: RaftState): boolean {
    if (!this.isEnabled || state.role !== 'leader' || state.timeoutNowSent || this.term !== state.currentTerm)
      return false;
    const answered = storedByQuorum(state.configuration, (id) =>
      id === state.id ? state.readContext : (state.progress.get(id)?.readContext ?? 0),
    );
    const latest = this.begun.findLast(({ readContext }) => readContext <= answered);
    return latest !== undefined && this.lasts(state, latest.tick);
  }

  private lasts(state: RaftState, tick: number): boolean {
    return state.now < tick + this.config.leaseTicks;
  }
}
