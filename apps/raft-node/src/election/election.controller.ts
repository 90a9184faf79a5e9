import { Controller, UseFilters } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import { RequestVoteRequest, RequestVoteResponse } from '@app/rpc';
import { RpcErrorFilter } from '../rpc-error.filter.js';
import { PeerDirectory } from '../peers/peer-directory.js';
import { VoteDesk } from './vote-desk.js';
import { fromWireRequest, toWireResponse } from './vote-wire.js';

/** raft.v1.Election */
@Controller()
@UseFilters(RpcErrorFilter)
export class ElectionController {
  constructor(
    private readonly directory: PeerDirectory,
    private readonly desk: VoteDesk,
  ) {}

  @GrpcMethod('Election', 'RequestVote')
  async requestVote(request: RequestVoteRequest): Promise<RequestVoteResponse> {
    this.directory.assertAddressedToSelf(request.clusterId, request.recipientId, request.candidateId);
    return toWireResponse(await this.desk.ask(fromWireRequest(request)));
  }
}
