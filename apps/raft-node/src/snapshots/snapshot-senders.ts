import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { LOG, type Log } from '@app/platform';
import type { InstallSnapshot, NodeId } from '@app/raft';
import { Channels, SnapshotsClient } from '@app/rpc';
import type { StateSnapshot } from '@app/storage';
import { PeerDirectory } from '../peers/peer-directory.js';
import { RaftNodeConfig } from '../raft-node.config.js';
import { SNAPSHOT_LIMITS, type SnapshotLimits } from './snapshot-limits.js';
import { SnapshotMetrics } from './snapshot-metrics.js';
import { SnapshotTransfer } from './snapshot-transfer.js';
import { headerOf } from './snapshot-wire.js';
import { Throttle } from './throttle.js';

interface Sending {
  readonly transfer: SnapshotTransfer;
  readonly ended: Promise<void>;
}

/** The transfers of this node's state to other members, at most one to each. All of them together keep to `snapshotBytesPerSecond`. */
@Injectable()
export class SnapshotSenders implements BeforeApplicationShutdown {
  private readonly throttle: Throttle;
  private readonly sendings = new Map<NodeId, Sending>();
  private isStopped = false;

  constructor(
    config: RaftNodeConfig,
    private readonly directory: PeerDirectory,
    private readonly channels: Channels,
    private readonly metrics: SnapshotMetrics,
    @Inject(SNAPSHOT_LIMITS) private readonly limits: SnapshotLimits,
    @Inject(LOG) private readonly log: Log,
  ) {
    this.throttle = new Throttle(config.snapshotBytesPerSecond);
  }

  /** Whether the address of this member is known. */
  reaches(id: NodeId): boolean {
    return this.directory.addressOf(id) !== undefined;
  }

  /**
   * Brings the state to `message.to`. A transfer that is still under way there is cancelled. `done` is called exactly once and never before
   * `send` returns, when the snapshot is closed: with true if that member has the whole state and its driver the message.
   */
  send(message: InstallSnapshot, snapshot: StateSnapshot, done: (isDelivered: boolean) => void): void {
    const earlier = this.sendings.get(message.to);
    earlier?.transfer.cancel();
    const address = this.directory.addressOf(message.to);
    if (address === undefined || this.isStopped) {
      void this.close(snapshot).then(() => done(false));
      return;
    }
    // A connection of its own, also at the level of TCP: heartbeats must not queue up behind a megabyte of rows.
    const channel = this.channels.ownChannelTo(address, { 'grpc.use_local_subchannel_pool': 1 });
    const { clusterId, selfIncarnation } = this.directory;
    const header = headerOf(clusterId, selfIncarnation, this.directory.incarnationOf(message.to), message);
    const open = () => channel.client(SnapshotsClient).installSnapshot();
    const { throttle, limits, metrics, log } = this;
    const transfer = new SnapshotTransfer(message, header, snapshot, open, throttle, limits, metrics, log);
    const ended = (async () => {
      await earlier?.ended;
      const result = await transfer.run();
      channel.close();
      await this.close(snapshot);
      if (this.sendings.get(message.to)?.transfer === transfer) this.sendings.delete(message.to);
      done(result === 'complete');
    })();
    this.sendings.set(message.to, { transfer, ended });
  }

  /** To be called when the leadership is lost, or the state not to be trusted. Each transfer ends soon, as not delivered. */
  cancelAll(): void {
    for (const { transfer } of this.sendings.values()) transfer.cancel();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.isStopped = true;
    this.cancelAll();
    await Promise.all([...this.sendings.values()].map(({ ended }) => ended));
  }

  private async close(snapshot: StateSnapshot): Promise<void> {
    try {
      await snapshot.close();
    } catch (error) {
      this.log.error({ err: error }, 'a snapshot of the state could not be closed');
    }
  }
}
