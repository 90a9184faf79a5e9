import { Controller, UseFilters } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import { NotifyMembershipRequest, RequestVoteRequest, RequestVoteResponse, TimeoutNowRequest } from '@app/rpc';
import { RpcErrorFilter } from '../rpc-error.filter.js';
import { PeerDirectory } from '../peers/peer-directory.js';
import { PeerInbox } from '../peers/peer-inbox.js';
import { fromWireNotice, fromWireTimeoutNow } from './notice-wire.js';
import { VoteDesk } from './vote-desk.js';
import { fromWireRequest, toWireResponse } from './vote-wire.js';

/** raft.v1.Election */
@Controller()
@UseFilters(RpcErrorFilter)
export class ElectionController {
  constructor(
    private readonly directory: PeerDirectory,
    private readonly desk: VoteDesk,
    private readonly inbox: PeerInbox,
  ) {}

  @GrpcMethod('Election', 'RequestVote')
  async requestVote(request: RequestVoteRequest): Promise<RequestVoteResponse> {
    const { clusterId, recipientId, candidateId, recipientIncarnation, candidateAddress } = request;
    this.directory.assertAddressedToSelf(clusterId, recipientId, candidateId, recipientIncarnation);
    this.directory.candidateIsAt(candidateId, candidateAddress);
    const response = await this.desk.ask(fromWireRequest(request), request.incarnation || undefined);
    return toWireResponse(this.directory.selfIncarnation, response);
  }

  @GrpcMethod('Election', 'TimeoutNow')
  timeoutNow(request: TimeoutNowRequest): Record<string, never> {
    this.directory.assertAddressedToSelf(request.clusterId, request.recipientId, request.leaderId);
    this.inbox.received(fromWireTimeoutNow(request), request.incarnation || undefined);
    return {};
  }

  @GrpcMethod('Election', 'NotifyMembership')
  notifyMembership(request: NotifyMembershipRequest): Record<string, never> {
    this.directory.assertAddressedToSelf(request.clusterId, request.recipientId, request.senderId);
    this.inbox.received(fromWireNotice(request), undefined);
    return {};
  }
}
