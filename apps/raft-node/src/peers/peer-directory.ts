import { Inject, Injectable } from '@nestjs/common';
import type { NodeId } from '@app/raft';
import { RingraftError } from '@app/rpc';
import { RaftNodeConfig } from '../raft-node.config.js';
import { INCARNATION } from '../storage/storage.module.js';

/** Who the members of this cluster are and where their gRPC servers listen. */
@Injectable()
export class PeerDirectory {
  readonly clusterId: string;
  readonly selfId: NodeId;
  private readonly addresses: ReadonlyMap<NodeId, string>;

  constructor(
    config: RaftNodeConfig,
    /** Names this node's data directory, in all that it says to other members. */
    @Inject(INCARNATION) readonly selfIncarnation: string,
  ) {
    this.clusterId = config.clusterId;
    this.selfId = config.nodeId;
    this.addresses = new Map(config.peers.map((peer) => [peer.nodeId, peer.address]));
  }

  get memberIds(): NodeId[] {
    return [...this.addresses.keys()];
  }

  addressOf(id: NodeId): string | undefined {
    return this.addresses.get(id);
  }

  /** Refuses what was meant for another cluster or node, or comes from a stranger: a stale address list must not mix two logs. */
  assertAddressedToSelf(clusterId: string, recipientId: NodeId, senderId: NodeId): void {
    if (clusterId !== this.clusterId || recipientId !== this.selfId) {
      throw new RingraftError(
        'WRONG_CLUSTER',
        `this is node ${this.selfId} of cluster ${this.clusterId}, the message is for node ${recipientId} of cluster ${clusterId}`,
      );
    }
    if (senderId === this.selfId || !this.addresses.has(senderId)) {
      throw new RingraftError('WRONG_CLUSTER', `${senderId} is no other member of cluster ${this.clusterId}`);
    }
  }
}
