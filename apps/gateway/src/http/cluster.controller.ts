import { Controller, Get, Header, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { SLOT_COUNT } from '@app/placement';
import { ROLE_NAMES, clusterHealth, isChanging } from '@app/rpc';
import { CurrentPlacement } from '../hashing/current-placement.js';
import { ClusterOverview, type ClusterStatus, type NodeStatus } from '../routing/cluster-overview.js';
import { type ClusterView, type NodeView, PlacementView } from './dto/cluster.dto.js';
import { QueryPipe } from './dto/dto.pipe.js';
import { NoQuery } from './dto/no-query.dto.js';

/** `GET /v1/cluster`: what the nodes say of themselves; answers even when they are all down. */
@Controller('v1/cluster')
@ApiTags('Cluster')
export class ClusterController {
  constructor(
    private readonly placement: CurrentPlacement,
    private readonly overview: ClusterOverview,
  ) {}

  @Get()
  @Header('Cache-Control', 'no-store')
  @ApiOkResponse({ type: PlacementView })
  async cluster(@Query(new QueryPipe(NoQuery)) _query: NoQuery): Promise<PlacementView> {
    const clusters = await this.overview.all();
    return { epoch: this.placement.map.epoch, slot_count: SLOT_COUNT, clusters: clusters.map(clusterView) };
  }
}

function clusterView(status: ClusterStatus): ClusterView {
  const { cluster, slots, leader, nodes } = status;
  const areAllWell = nodes.every((node) => node.status !== undefined && node.status.unhealthyReasons.length === 0);
  return {
    id: cluster.id,
    weight: cluster.weight,
    slots,
    health: clusterHealth(leader?.status && { ...leader.status, nodeId: leader.node.id }, areAllWell),
    leader: leader?.node.id ?? null,
    term: leader?.status?.term ?? null,
    configuration_index: leader?.status?.configurationIndex ?? null,
    is_changing: leader?.status === undefined ? null : isChanging(leader.status),
    nodes: nodes.map((node) => nodeView(node, leader)),
  };
}

function nodeView({ node, status, failure }: NodeStatus, leader: NodeStatus | undefined): NodeView {
  const commitIndex = leader?.status?.commitIndex;
  const member = leader?.status?.members.find(({ nodeId }) => nodeId === node.id);
  return {
    id: node.id,
    address: node.address,
    is_reachable: status !== undefined,
    role: status === undefined ? null : ROLE_NAMES[status.role],
    term: status?.term ?? null,
    first_index: status?.firstIndex ?? null,
    last_index: status?.lastIndex ?? null,
    commit_index: status?.commitIndex ?? null,
    applied_index: status?.appliedIndex ?? null,
    lag: status === undefined || commitIndex === undefined ? null : Math.max(0, commitIndex - status.appliedIndex),
    revision: status === undefined ? null : String(status.revision),
    log_bytes: status?.logBytes ?? null,
    state_bytes: status?.stateBytes ?? null,
    uptime_seconds: status?.uptimeSeconds ?? null,
    version: status?.version ?? null,
    is_quarantined: status?.isQuarantined ?? null,
    // A node of another version may not tell.
    expulsion: status?.expulsion || null,
    content_hash: status?.contentHash || null,
    history_hash: status?.historyHash || null,
    unhealthy_reasons: status?.unhealthyReasons ?? [failure ?? 'it did not answer'],
    is_learner: member?.isLearner ?? null,
    is_joining: member?.isJoining ?? null,
    replaces: member?.replaces || null,
    match_index: member?.matchIndex ?? null,
    is_active: member?.isActive ?? null,
  };
}
