import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { LOG, type Log } from '@app/platform';
import type { AppendEntries, NodeId } from '@app/raft';
import { Channels } from '@app/rpc';
import { PeerDirectory } from '../peers/peer-directory.js';
import { PeerInbox } from '../peers/peer-inbox.js';
import { RaftNodeConfig } from '../raft-node.config.js';
import { PeerStream, type PeerStreamEvents } from './peer-stream.js';

/** The AppendEntries streams of this node as a leader, one per follower, opened when first needed. */
@Injectable()
export class PeerStreams implements OnApplicationShutdown {
  private readonly streams = new Map<NodeId, PeerStream>();
  private readonly events: PeerStreamEvents;

  constructor(
    private readonly config: RaftNodeConfig,
    private readonly directory: PeerDirectory,
    private readonly channels: Channels,
    inbox: PeerInbox,
    @Inject(LOG) log: Log,
  ) {
    this.events = {
      received: (response, incarnation) => inbox.received(response, incarnation),
      unreachable: (id) => inbox.unreachable(id),
      opened: (peer) => log.info({ peer }, 'replication stream works again'),
      broken: (peer, reason) => log.warn({ peer, reason }, 'replication stream broke'),
    };
    directory.onVacated((address) => this.closeTo(address));
  }

  send(message: AppendEntries): void {
    this.streamTo(message.to)?.send(message);
  }

  onApplicationShutdown(): void {
    for (const stream of this.streams.values()) stream.close();
  }

  private streamTo(id: NodeId): PeerStream | undefined {
    const existing = this.streams.get(id);
    const address = this.directory.addressOf(id);
    if (existing !== undefined) {
      if (existing.channel.address === address) return existing;
      // The member has moved, or is forgotten.
      existing.close();
      this.streams.delete(id);
    }
    if (address === undefined) return undefined;
    const stream = new PeerStream(
      this.directory.clusterId,
      this.directory.selfId,
      this.directory.selfIncarnation,
      id,
      () => this.directory.incarnationOf(id),
      this.channels.channelTo(address),
      this.config.heartbeatMs,
      this.events,
    );
    this.streams.set(id, stream);
    return stream;
  }

  private closeTo(address: string): void {
    for (const [id, stream] of this.streams) {
      if (stream.channel.address !== address) continue;
      stream.close();
      this.streams.delete(id);
    }
  }
}
