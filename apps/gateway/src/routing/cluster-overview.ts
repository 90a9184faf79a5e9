import { Injectable } from '@nestjs/common';
import { Metadata } from '@grpc/grpc-js';
import type { PlacedCluster, PlacedNode } from '@app/placement';
import { MembershipClient, Role, type StatusResponse } from '@app/rpc';
import { GatewayConfig } from '../gateway.config.js';
import { CurrentPlacement } from '../hashing/current-placement.js';
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
  readonly nodes: readonly NodeStatus[];
}

/** Asks the nodes themselves. A node that does not answer in `statusTimeoutMs` is reported as such. */
@Injectable()
export class ClusterOverview {
  constructor(
    private readonly config: GatewayConfig,
    private readonly placement: CurrentPlacement,
    private readonly streams: NodeStreams,
  ) {}

  async all(): Promise<ClusterStatus[]> {
    const slots = this.placement.map.slotCounts();
    return Promise.all(this.placement.clusters.map((cluster, index) => this.of(cluster, slots[index] ?? 0)));
  }

  async leaderOf(cluster: PlacedCluster): Promise<PlacedNode | undefined> {
    return (await this.of(cluster, 0)).leader?.node;
  }

  private async of(cluster: PlacedCluster, slots: number): Promise<ClusterStatus> {
    const nodes = await Promise.all(cluster.nodes.map((node) => this.ask(node)));
    const leader = nodes
      .filter(({ status }) => status?.role === Role.LEADER)
      .reduce<NodeStatus | undefined>(
        (best, node) => ((best?.status?.term ?? -1) < (node.status?.term ?? 0) ? node : best),
        undefined,
      );
    return { cluster, slots, leader, nodes };
  }

  private ask(node: PlacedNode): Promise<NodeStatus> {
    return new Promise((resolve) => {
      const client = this.streams.channelTo(node.address).client(MembershipClient);
      const deadline = Date.now() + this.config.statusTimeoutMs;
      client.status({}, new Metadata(), { deadline }, (error, status) =>
        resolve(
          error
            ? { node, status: undefined, failure: statusFailure(error, this.config.statusTimeoutMs) }
            : { node, status, failure: undefined },
        ),
      );
    });
  }
}
