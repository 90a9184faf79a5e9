import type { LogIndex, NodeId, ReadMode, ReadRejection } from '@app/raft';
import type { ObservedNode } from '../observer.js';
import type { Check } from './check.js';
import type { CommittedLog } from './committed-log.js';
import { fail } from './fail.js';

interface PendingRead {
  /** Undefined for a read that promises nothing. */
  readonly floor: LogIndex | undefined;
  /** In ticks of the node. */
  readonly since: number;
}

/** Election timeouts after which a node that does not lead has ended a read, one way or the other; it gives up after two. */
const FOLLOWER_TIMEOUTS_MAX = 3;

/** A read that is confirmed sees at least what was committed anywhere when it was asked for; each is answered once. */
export class ReadChecks implements Check {
  private readonly pending = new Map<NodeId, Map<number, PendingRead>>();

  /** @param areLeasesSound whether the clocks of this run keep within the bound that lease reads need */
  constructor(
    private readonly committed: CommittedLog,
    private readonly areLeasesSound: boolean,
  ) {}

  started({ id }: ObservedNode): void {
    this.pending.set(id, new Map());
  }

  crashed({ id }: ObservedNode): void {
    this.pending.delete(id);
  }

  readRequested({ id, state }: ObservedNode, context: number, mode: ReadMode): void {
    const pending = this.pending.get(id);
    if (pending === undefined) return;
    if (pending.has(context)) fail('read_context_reused', `${id} uses the read context ${context} again`);
    const isChecked = mode !== 'lease' || this.areLeasesSound;
    pending.set(context, { floor: isChecked ? this.committed.lastIndex : undefined, since: state?.now ?? 0 });
  }

  readConfirmed(node: ObservedNode, context: number, index: LogIndex): void {
    const read = this.end(node, context);
    if (read?.floor !== undefined && index < read.floor) {
      fail('read_floor', `${node.id} confirms a read at ${index}, ${read.floor} was committed when it was asked for`);
    }
  }

  readRejected(node: ObservedNode, context: number, reason: ReadRejection): void {
    void reason;
    this.end(node, context);
  }

  settled({ id, state, config }: ObservedNode): void {
    if (state === undefined || state.role === 'leader') return;
    for (const [context, { since }] of this.pending.get(id) ?? []) {
      if (state.now - since > FOLLOWER_TIMEOUTS_MAX * config.electionTimeoutTicks)
        fail('operation_ends', `${id}, which does not lead, has not ended the read ${context} since tick ${since}`);
      // They are in the order of time.
      return;
    }
  }

  /** Reads that a living process has neither confirmed nor rejected. */
  pendingAt(id: NodeId): number {
    return this.pending.get(id)?.size ?? 0;
  }

  private end({ id }: ObservedNode, context: number): PendingRead | undefined {
    const pending = this.pending.get(id);
    const read = pending?.get(context);
    if (pending !== undefined && read === undefined)
      fail('read_answered_twice', `${id} answers the read ${context}, which does not wait`);
    pending?.delete(context);
    return read;
  }
}
