import { Controller, UseFilters } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import type { QuarantineRequest, QuarantineResponse, StateHashRequest, StateHashResponse } from '@app/rpc';
import { RpcErrorFilter } from '../rpc-error.filter.js';
import { ConsistencyDesk } from './consistency-desk.js';

/** raft.v1.Consistency */
@Controller()
@UseFilters(RpcErrorFilter)
export class ConsistencyController {
  constructor(private readonly desk: ConsistencyDesk) {}

  @GrpcMethod('Consistency', 'StateHash')
  stateHash(request: StateHashRequest): StateHashResponse {
    return this.desk.stateHash(request);
  }

  @GrpcMethod('Consistency', 'Quarantine')
  quarantine(request: QuarantineRequest): Promise<QuarantineResponse> {
    return this.desk.quarantine(request);
  }
}
