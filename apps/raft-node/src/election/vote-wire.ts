/** RequestVote between the core's messages and those of raft.v1.Election. */
import type { RequestVote, RequestVoteResponse } from '@app/raft';
import { RequestVoteRequest, RequestVoteResponse as WireResponse } from '@app/rpc';

export function toWireRequest(clusterId: string, message: RequestVote): RequestVoteRequest {
  return {
    clusterId,
    candidateId: message.from,
    recipientId: message.to,
    term: message.term,
    lastLogIndex: message.lastLogIndex,
    lastLogTerm: message.lastLogTerm,
    preVote: message.preVote,
  };
}

export function fromWireRequest(wire: RequestVoteRequest): RequestVote {
  return {
    type: 'RequestVote',
    from: wire.candidateId,
    to: wire.recipientId,
    term: wire.term,
    lastLogIndex: wire.lastLogIndex,
    lastLogTerm: wire.lastLogTerm,
    preVote: wire.preVote,
  };
}

export function toWireResponse(message: RequestVoteResponse): WireResponse {
  return { term: message.term, voteGranted: message.voteGranted, preVote: message.preVote };
}

/** `request` is what is being answered. */
export function fromWireResponse(request: RequestVote, wire: WireResponse): RequestVoteResponse {
  return {
    type: 'RequestVoteResponse',
    from: request.to,
    to: request.from,
    term: wire.term,
    voteGranted: wire.voteGranted,
    preVote: wire.preVote,
  };
}
