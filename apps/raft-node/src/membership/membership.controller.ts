import { Controller, UseFilters } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import type { StatusResponse } from '@app/rpc';
import { RpcErrorFilter } from '../rpc-error.filter.js';
import { NodeStatus } from './node-status.js';

/** admin.v1.Membership */
@Controller()
@UseFilters(RpcErrorFilter)
export class MembershipController {
  constructor(private readonly nodeStatus: NodeStatus) {}

  @GrpcMethod('Membership', 'Status')
  status(): StatusResponse {
    return this.nodeStatus.read();
  }
}
