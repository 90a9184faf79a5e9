import type { Log } from '@app/platform';
import type { InstallSnapshot, LogIndex, NodeId, Raft } from '@app/raft';
import type { StateSnapshot, StateStore } from '@app/storage';
import type { NodeCondition } from '../condition/node-condition.js';
import type { ReceivedSnapshot } from '../peers/received-snapshot.js';
import type { SnapshotSenders } from '../snapshots/snapshot-senders.js';
import { Persistence, isSame } from './persistence.js';

/** The loop that this is a part of. */
interface Loop {
  readonly isStopped: boolean;
  /** Feeds the core, and has a turn follow. Does nothing once the loop has stopped. */
  input(feed: () => void): void;
  step(message: InstallSnapshot, incarnation: string | undefined): void;
}

/**
 * The driver's part in snapshots: what the core learns of the state database, the states that members are sent, and those that arrive. The log
 * behind a state that is being taken stays until the core knows of it.
 */
export class SnapshotExchange {
  private checkpointedIndex: LogIndex = 0;
  /** States that are being taken, and that the core does not know yet. */
  private begun = 0;
  /** Members that are sent none although they need it, so that each is reported once. */
  private readonly unserved = new Set<NodeId>();

  constructor(
    private readonly raft: Raft,
    private readonly store: StateStore,
    private readonly persistence: Persistence,
    private readonly senders: Pick<SnapshotSenders, 'reaches' | 'send' | 'cancelAll'>,
    private readonly condition: NodeCondition,
    private readonly loop: Loop,
    private readonly log: Log,
  ) {}

  /**
   * Tells the core how far the state is durable. To be called from within an input; nothing happens while another state is put in its place,
   * which is the core's to report. On a full disk no entry is retained for members that might need it: only what a transfer needs stays.
   */
  checkpoint(): void {
    const index = this.store.syncedAppliedIndex;
    const isFull = this.condition.has('storage_full');
    const isKnown = index === 0 || (index <= this.checkpointedIndex && !isFull);
    if (this.begun > 0 || this.persistence.isInstalling || isKnown) return;
    this.checkpointedIndex = index;
    this.raft.checkpointed(index, isFull ? 0 : this.persistence.retainedEntries(index));
  }

  /** To be called after each change of the condition, from within an input. */
  conditionChanged(): void {
    if (this.condition.isStateInDoubt) this.senders.cancelAll();
    this.checkpoint();
  }

  /** Answers a request of `Ready.snapshots`: takes the state; then it travels, with its message, until `snapshotEnded`. */
  send(to: NodeId): void {
    const obstacle = this.obstacle(to);
    if (obstacle !== undefined) {
      if (!this.unserved.has(to))
        this.log.warn({ to, reason: obstacle }, 'a member that needs the state is not sent it');
      this.unserved.add(to);
      this.loop.input(() => this.raft.snapshotEnded(to, false));
      return;
    }
    this.unserved.delete(to);
    this.begun += 1;
    const taken = (snapshot: StateSnapshot | undefined): void => {
      this.begun -= 1;
      if (this.loop.isStopped && snapshot !== undefined) this.giveUp(snapshot);
      this.loop.input(() => {
        if (snapshot === undefined) this.raft.snapshotEnded(to, false);
        else this.start(to, snapshot);
        this.checkpoint();
      });
    };
    this.store.snapshot().then(taken, (error: unknown) => {
      this.log.error({ err: error, to }, 'the state cannot be read for a member that needs it');
      taken(undefined);
    });
  }

  /** The core decides whether the state is needed; it will ask for it to be installed with one of the next batches. */
  receive(received: ReceivedSnapshot): void {
    const { message, incarnation, staged } = received;
    const before = this.raft.pendingSnapshot;
    this.loop.input(() => this.loop.step(message, incarnation || undefined));
    const pending = this.raft.pendingSnapshot;
    if (!this.loop.isStopped && pending !== before && isSame(message.snapshot, pending)) {
      this.persistence.keep(received);
      return;
    }
    // What came from a leader that is none any more spares the next one most of its rows.
    const mayBeNeeded = this.loop.isStopped || this.raft.status().commitIndex < message.snapshot.index;
    const put = mayBeNeeded ? staged.close() : staged.discard();
    void put
      .catch((error: unknown) => this.log.warn({ err: error }, 'a state that is not needed could not be put away'))
      .finally(() => received.release());
  }

  private start(to: NodeId, snapshot: StateSnapshot): void {
    const isWanted = this.obstacle(to) === undefined;
    const message = isWanted ? this.raft.snapshotStarted(to, snapshot.description.index) : undefined;
    if (message === undefined) {
      if (!isWanted) this.raft.snapshotEnded(to, false);
      this.giveUp(snapshot);
      return;
    }
    this.senders.send(message, snapshot, (isDelivered) =>
      this.loop.input(() => {
        this.raft.snapshotEnded(to, isDelivered);
        this.checkpoint();
      }),
    );
  }

  /** Why a member is sent no state, for people. The core will ask again. */
  private obstacle(to: NodeId): string | undefined {
    if (this.condition.isStateInDoubt) return 'the state of this node may be wrong';
    return this.senders.reaches(to) ? undefined : 'its address is not known';
  }

  private giveUp(snapshot: StateSnapshot): void {
    snapshot.close().catch((error: unknown) => this.log.warn({ err: error }, 'a snapshot could not be closed'));
  }
}
