import type { RequestVote, RequestVoteResponse } from '@app/raft';
import { RequestVoteRequest, RequestVoteResponse as WireResponse } from '@app/rpc';
import { fromWireRequest, fromWireResponse, toWireRequest, toWireResponse } from './vote-wire.js';

const request: RequestVote = {
  type: 'RequestVote',
  from: 'a',
  to: 'b',
  term: 7,
  lastLogIndex: 12,
  lastLogTerm: 6,
  preVote: true,
  isTransfer: false,
};

const A = { incarnation: 'disk of a', address: '127.0.0.1:1' };

describe('RequestVote over the wire', () => {
  it('arrives as it was sent', () => {
    const bytes = RequestVoteRequest.encode(toWireRequest('c1', A, 'disk of b', request)).finish();
    expect(fromWireRequest(RequestVoteRequest.decode(bytes))).toEqual(request);
  });

  it('arrives as it was answered, with both ends turned round', () => {
    const response: RequestVoteResponse = {
      type: 'RequestVoteResponse',
      from: 'b',
      to: 'a',
      term: 8,
      voteGranted: false,
      preVote: true,
    };
    const bytes = WireResponse.encode(toWireResponse('disk of b', response)).finish();
    expect(fromWireResponse(request, WireResponse.decode(bytes))).toEqual(response);
  });

  it.each([
    ['a log that ends in a later term', { lastLogTerm: 8 }],
    ['an empty log with a term', { lastLogIndex: 0 }],
    ['a log without term', { lastLogTerm: 0 }],
  ])('refuses %s: nobody would answer', (_what, damage) => {
    const wire = toWireRequest('c1', A, 'disk of b', { ...request, ...damage });
    expect(() => fromWireRequest(wire)).toThrow(expect.objectContaining({ code: 'INVALID_REQUEST' }) as Error);
  });
});
