import { Injectable } from '@nestjs/common';
import type { Message, NodeId } from '@app/raft';
import type { ReceivedSnapshot } from './received-snapshot.js';

/** What arrives from other members. The driver is its only reader. */
interface PeerInboxReader {
  /** `incarnation` is that of the sender's data directory, if it named one. */
  received(message: Message, incarnation: string | undefined): void;
  /** Messages to `id` may have been lost. */
  unreachable(id: NodeId): void;
  /** The connection on which `id` spoke to this node has broken. */
  disconnected(id: NodeId): void;
  /** Takes over the staged state, and calls `release` in the end, whatever becomes of it. */
  snapshotReceived(snapshot: ReceivedSnapshot): void;
}

/**
 * Between the transports (election, replication, snapshots), which know nothing of the driver, and the driver, which owns them.
 * What arrives before the driver reads is dropped, as a network may: the sender tries again.
 */
@Injectable()
export class PeerInbox {
  private reader: PeerInboxReader | undefined;

  readBy(reader: PeerInboxReader | undefined): void {
    this.reader = reader;
  }

  received(message: Message, incarnation: string | undefined): void {
    this.reader?.received(message, incarnation);
  }

  unreachable(id: NodeId): void {
    this.reader?.unreachable(id);
  }

  disconnected(id: NodeId): void {
    this.reader?.disconnected(id);
  }

  /** False: nobody reads. The staged state is still the caller's. */
  snapshotReceived(snapshot: ReceivedSnapshot): boolean {
    this.reader?.snapshotReceived(snapshot);
    return this.reader !== undefined;
  }
}
