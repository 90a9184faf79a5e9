import { Controller, UseFilters } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import type {
  AddNodeRequest,
  ChangeResponse,
  PromoteNodeRequest,
  RemoveNodeRequest,
  ReplaceNodeRequest,
  StatusResponse,
  TransferLeadershipRequest,
  TransferLeadershipResponse,
  UpdateNodeRequest,
} from '@app/rpc';
import { RpcErrorFilter } from '../rpc-error.filter.js';
import { MembershipChanges } from './membership-changes.js';
import { NodeStatus } from './node-status.js';

/** admin.v1.Membership */
@Controller()
@UseFilters(RpcErrorFilter)
export class MembershipController {
  constructor(
    private readonly nodeStatus: NodeStatus,
    private readonly changes: MembershipChanges,
  ) {}

  @GrpcMethod('Membership', 'Status')
  status(): Promise<StatusResponse> {
    return this.nodeStatus.read();
  }

  @GrpcMethod('Membership', 'AddNode')
  async addNode({ nodeId, address, staysLearner }: AddNodeRequest): Promise<ChangeResponse> {
    return this.changed(await this.changes.add(nodeId, address, staysLearner));
  }

  @GrpcMethod('Membership', 'PromoteNode')
  async promoteNode({ nodeId }: PromoteNodeRequest): Promise<ChangeResponse> {
    return this.changed(await this.changes.promote(nodeId));
  }

  @GrpcMethod('Membership', 'RemoveNode')
  async removeNode({ nodeId }: RemoveNodeRequest): Promise<ChangeResponse> {
    return this.changed(await this.changes.remove(nodeId));
  }

  @GrpcMethod('Membership', 'ReplaceNode')
  async replaceNode({ nodeId, newNodeId, newAddress }: ReplaceNodeRequest): Promise<ChangeResponse> {
    return this.changed(await this.changes.replace(nodeId, newNodeId, newAddress));
  }

  @GrpcMethod('Membership', 'UpdateNode')
  async updateNode({ nodeId, address }: UpdateNodeRequest): Promise<ChangeResponse> {
    return this.changed(await this.changes.move(nodeId, address));
  }

  @GrpcMethod('Membership', 'TransferLeadership')
  async transferLeadership({ nodeId }: TransferLeadershipRequest): Promise<TransferLeadershipResponse> {
    const { id, term } = await this.changes.transferLeadership(nodeId === '' ? undefined : nodeId);
    return { leaderId: id, term };
  }

  private changed(configurationIndex: number): ChangeResponse {
    return { configurationIndex, members: this.nodeStatus.members() };
  }
}
