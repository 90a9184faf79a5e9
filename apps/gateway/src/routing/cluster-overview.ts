import { Injectable } from '@nestjs/common';
import { Metadata } from '@grpc/grpc-js';
import type { PlacedCluster, PlacedNode } from '@app/placement';
import { MembershipClient, Role, type StatusResponse } from '@app/rpc';
import { GatewayConfig } from '../gateway.config.js';
import { CurrentPlacement } from '../hashing/current-placement.js';
import { ClusterMembers } from '../members/cluster-members.js';
import { NodeStreams } from './node-streams.js';
import { statusFailure } from './status-failure.js';

export interface NodeStatus {
  readonly node: PlacedNode;
  /** Undefined when the node did not answer in time; then `failure` says why. */
  readonly status: StatusResponse | undefined;
  readonly failure: string | undefined;
}

export interface ClusterStatus {
  readonly cluster: PlacedCluster;
  readonly slots: number;
  /** The node that leads in the highest term that anybody reports. */
  readonly leader: NodeStatus | undefined;
  /** One for each member. */
  readonly nodes: readonly NodeStatus[];
}

/**
 * Asks the nodes themselves, and learns from their answers who the members are. A node that does not answer in `statusTimeoutMs` is
 * reported as such.
 */
@Injectable()
export class ClusterOverview {
  constructor(
    private readonly config: GatewayConfig,
    private readonly placement: CurrentPlacement,
    private readonly members: ClusterMembers,
    private readonly streams: NodeStreams,
  ) {}

  async all(): Promise<ClusterStatus[]> {
    const slots = this.placement.map.slotCounts();
    return Promise.all(this.placement.clusters.map((cluster, index) => this.of(cluster, slots[index] ?? 0)));
  }

  /** Who leads, as a node says of itself or, if none does, as the one of the latest term says of another. */
  async leaderOf(cluster: PlacedCluster): Promise<PlacedNode | undefined> {
    const { leader, nodes } = await this.of(cluster, 0);
    if (leader !== undefined) return leader.node;
    const latest = latestOf(nodes.filter(({ status }) => status !== undefined && status.leaderId !== ''));
    return latest && this.members.named(cluster.id, latest.status!.leaderId, '');
  }

  /** Whether this node still says that it leads. */
  async doesLead(cluster: PlacedCluster, node: PlacedNode): Promise<boolean> {
    return (await this.ask(cluster, node)).status?.role === Role.LEADER;
  }

  private async of(cluster: PlacedCluster, slots: number): Promise<ClusterStatus> {
    const asked = new Map<string, NodeStatus>();
    const ask = async (nodes: readonly PlacedNode[]): Promise<void> => {
      const others = nodes.filter(({ address }) => !asked.has(address));
      for (const answer of await Promise.all(others.map((node) => this.ask(cluster, node)))) {
        asked.set(answer.node.address, answer);
      }
    };
    const { id } = cluster;
    await ask(this.members.of(id));
    // Those of whom the answers told.
    await ask(this.members.of(id));
    if (leaderAmong([...asked.values()]) === undefined) {
      // All that this gateway knew may have left while it was cut off.
      await ask(this.members.seedsOf(id));
      await ask(this.members.of(id));
    }
    const nodes = this.members.of(id).map((node): NodeStatus => {
      const answer = asked.get(node.address);
      return answer === undefined ? { node, status: undefined, failure: NOT_ASKED } : { ...answer, node };
    });
    return { cluster, slots, leader: leaderAmong(nodes), nodes };
  }

  private ask(cluster: PlacedCluster, node: PlacedNode): Promise<NodeStatus> {
    return new Promise((resolve) => {
      const client = this.streams.channelTo(node.address).client(MembershipClient);
      const deadline = Date.now() + this.config.statusTimeoutMs;
      client.status({}, new Metadata(), { deadline }, (error, status) => {
        const failure = error
          ? statusFailure(error, this.config.statusTimeoutMs)
          : this.members.heard(cluster.id, node.address, status);
        resolve(failure === undefined ? { node, status, failure } : { node, status: undefined, failure });
      });
    });
  }
}

const NOT_ASKED = 'it has become a member just now';

function leaderAmong(nodes: readonly NodeStatus[]): NodeStatus | undefined {
  return latestOf(nodes.filter(({ status }) => status?.role === Role.LEADER));
}

function latestOf(nodes: readonly NodeStatus[]): NodeStatus | undefined {
  return nodes.reduce<NodeStatus | undefined>(
    (best, node) => ((best?.status?.term ?? -1) < (node.status?.term ?? 0) ? node : best),
    undefined,
  );
}
