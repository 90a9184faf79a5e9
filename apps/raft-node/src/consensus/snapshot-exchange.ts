import type { Log } from '@app/platform';
import type { InstallSnapshot, LogIndex, NodeId, Raft } from '@app/raft';
import type { StateSnapshot, StateStore } from '@app/storage';
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

  constructor(
    private readonly raft: Raft,
    private readonly store: StateStore,
    private readonly persistence: Persistence,
    private readonly senders: SnapshotSenders,
    private readonly loop: Loop,
    private readonly log: Log,
  ) {}

  /** Tells the core how far the state is durable. To be called from within an input; not while another state is put in its place, which is the core's to report. */
  checkpoint(): void {
    const index = this.store.syncedAppliedIndex;
    if (this.begun > 0 || this.persistence.isInstalling || index <= this.checkpointedIndex) return;
    this.checkpointedIndex = index;
    this.raft.checkpointed(index, this.persistence.retainedEntries(index));
  }

  /** Answers a request of `Ready.snapshots`: takes the state; then it travels, with its message, until `snapshotEnded`. */
  send(to: NodeId): void {
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
    const message = this.raft.snapshotStarted(to, snapshot.description.index);
    if (message === undefined) {
      this.giveUp(snapshot);
      return;
    }
    this.senders.send(message, snapshot, (isDelivered) =>
      this.loop.input(() => this.raft.snapshotEnded(to, isDelivered)),
    );
  }

  private giveUp(snapshot: StateSnapshot): void {
    snapshot.close().catch((error: unknown) => this.log.warn({ err: error }, 'a snapshot could not be closed'));
  }
}
