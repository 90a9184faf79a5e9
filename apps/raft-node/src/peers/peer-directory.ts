import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { membersOf, recordOf, type Configuration, type NodeId } from '@app/raft';
import { RingraftError } from '@app/rpc';
import { RaftNodeConfig } from '../raft-node.config.js';
import { INCARNATION } from '../storage/storage.module.js';

/** In election timeouts: by then a leader has taken leave of a member that was removed. */
const LINGER_TIMEOUTS = 10;

/** Candidates of whom the configuration has no address, and to whom something may have to be said. */
const CANDIDATES_MAX = 64;

/**
 * Who the members of this cluster are and where their gRPC servers listen: by the configuration in force, which the driver keeps it informed
 * of. What this node was started with is for members of whom the configuration says nothing, as at the start of a cluster.
 */
@Injectable()
export class PeerDirectory implements OnApplicationShutdown {
  readonly clusterId: string;
  readonly selfId: NodeId;
  private readonly configured: ReadonlyMap<NodeId, string>;
  /** The members in force. */
  private members: ReadonlyMap<NodeId, string>;
  private incarnations: Configuration['incarnations'];
  /** Who left a moment ago, and has to be told. */
  private readonly former = new Map<NodeId, string>();
  private readonly candidates = new Map<NodeId, string>();
  private readonly lingering = new Set<NodeJS.Timeout>();
  private readonly vacatedListeners: ((address: string) => void)[] = [];

  constructor(
    private readonly config: RaftNodeConfig,
    /** Names this node's data directory, in all that it says to other members. */
    @Inject(INCARNATION) readonly selfIncarnation: string,
  ) {
    this.clusterId = config.clusterId;
    this.selfId = config.nodeId;
    this.configured = new Map(config.peers.map((peer) => [peer.nodeId, peer.address]));
    this.members = this.configured;
  }

  /** Where others find this node. */
  get selfAddress(): string {
    return this.members.get(this.selfId) ?? this.configured.get(this.selfId) ?? '';
  }

  /** Of those in force whose address is known, this node among them. */
  get memberIds(): NodeId[] {
    return [...this.members.keys()];
  }

  /** Also of who has left, as long as there may be something to say to it. */
  addressOf(id: NodeId): string | undefined {
    return this.members.get(id) ?? this.former.get(id) ?? this.candidates.get(id) ?? this.configured.get(id);
  }

  /** The data directory that the cluster knows a member by; empty if none is recorded. */
  incarnationOf(id: NodeId): string {
    return recordOf(this.incarnations, id) ?? '';
  }

  /** Called once nobody has been at an address for a while: what leads there can be closed. */
  onVacated(listener: (address: string) => void): void {
    this.vacatedListeners.push(listener);
  }

  /** This configuration is in force from now on. */
  follow(configuration: Configuration): void {
    const before = this.members;
    const known = membersOf(configuration).map((id) => [id, this.addressIn(configuration, id)] as const);
    this.members = new Map(known.filter((pair): pair is readonly [NodeId, string] => pair[1] !== undefined));
    this.incarnations = configuration.incarnations;
    for (const id of this.members.keys()) this.former.delete(id);
    for (const [id, address] of before) if (this.members.get(id) !== address) this.leave(id, address);
  }

  /** What the configuration does not say, and this node knows: of members without an address or, with `trustPeers`, with another one. */
  unrecordedIn(configuration: Configuration): Record<NodeId, string> {
    const unrecorded = membersOf(configuration)
      .map((id) => [id, this.addressIn(configuration, id)] as const)
      .filter(([id, address]) => address !== undefined && recordOf(configuration.addresses, id) !== address);
    return Object.fromEntries(unrecorded) as Record<NodeId, string>;
  }

  /** A candidate says where it is. */
  candidateIsAt(id: NodeId, address: string): void {
    if (address === '' || this.members.has(id)) return;
    this.candidates.delete(id);
    this.candidates.set(id, address);
    const [oldest] = this.candidates.keys();
    if (this.candidates.size > CANDIDATES_MAX) this.candidates.delete(oldest!);
  }

  /**
   * Refuses what was meant for another cluster or node: a stale address list must not mix two logs. So that two clusters of one name do not
   * either, a sender that this node has not heard of (it may have been away while others came) must know it by its data directory, as
   * those do that have it in their configuration. A node that is no member yet has nothing to lose.
   */
  assertAddressedToSelf(clusterId: string, recipientId: NodeId, senderId: NodeId, recipientIncarnation = ''): void {
    if (clusterId !== this.clusterId || recipientId !== this.selfId) {
      throw new RingraftError(
        'WRONG_CLUSTER',
        `this is node ${this.selfId} of cluster ${this.clusterId}, the message is for node ${recipientId} of cluster ${clusterId}`,
      );
    }
    if (senderId === this.selfId) throw new RingraftError('WRONG_CLUSTER', `${senderId} is this node itself`);
    if (this.members.size === 0 || this.members.has(senderId) || this.configured.has(senderId)) return;
    if (recipientIncarnation === this.selfIncarnation) return;
    throw new RingraftError(
      'WRONG_CLUSTER',
      `${senderId} is no member of cluster ${this.clusterId} that this node knows of, and does not know this node by its data directory`,
    );
  }

  onApplicationShutdown(): void {
    for (const timer of this.lingering) clearTimeout(timer);
  }

  private addressIn({ addresses }: Configuration, id: NodeId): string | undefined {
    const [recorded, configured] = [recordOf(addresses, id), this.configured.get(id)];
    return this.config.trustPeers ? (configured ?? recorded) : (recorded ?? configured);
  }

  private leave(id: NodeId, address: string): void {
    if (!this.members.has(id)) this.former.set(id, address);
    const timer = setTimeout(() => {
      this.lingering.delete(timer);
      if (this.former.get(id) === address) this.former.delete(id);
      if ([...this.members.values(), ...this.former.values()].includes(address)) return;
      for (const listener of this.vacatedListeners) listener(address);
    }, LINGER_TIMEOUTS * this.config.electionTimeoutMs);
    timer.unref();
    this.lingering.add(timer);
  }
}
