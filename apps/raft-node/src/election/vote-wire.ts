/** RequestVote between the core's messages and those of raft.v1.Election. */
import type { RequestVote, RequestVoteResponse } from '@app/raft';
import { RequestVoteRequest, RequestVoteResponse as WireResponse, RingraftError } from '@app/rpc';

/** `incarnation` is the sender's, here and in the answer. */
export function toWireRequest(
  clusterId: string,
  { incarnation, address }: { readonly incarnation: string; readonly address: string },
  recipientIncarnation: string,
  message: RequestVote,
): RequestVoteRequest {
  return {
    clusterId,
    candidateId: message.from,
    recipientId: message.to,
    term: message.term,
    lastLogIndex: message.lastLogIndex,
    lastLogTerm: message.lastLogTerm,
    preVote: message.preVote,
    isTransfer: message.isTransfer,
    incarnation,
    recipientIncarnation,
    candidateAddress: address,
  };
}

/** Throws INVALID_REQUEST for what no candidate sends: the core would pass over it and the caller wait in vain. */
export function fromWireRequest(wire: RequestVoteRequest): RequestVote {
  const { term, lastLogIndex, lastLogTerm } = wire;
  if (lastLogTerm > term || (lastLogIndex === 0) !== (lastLogTerm === 0)) {
    throw new RingraftError(
      'INVALID_REQUEST',
      `a log cannot end with entry ${lastLogIndex} of term ${lastLogTerm} in term ${term}`,
    );
  }
  return {
    type: 'RequestVote',
    from: wire.candidateId,
    to: wire.recipientId,
    term: wire.term,
    lastLogIndex: wire.lastLogIndex,
    lastLogTerm: wire.lastLogTerm,
    preVote: wire.preVote,
    isTransfer: wire.isTransfer,
  };
}

export function toWireResponse(incarnation: string, message: RequestVoteResponse): WireResponse {
  return { term: message.term, voteGranted: message.voteGranted, preVote: message.preVote, incarnation };
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
