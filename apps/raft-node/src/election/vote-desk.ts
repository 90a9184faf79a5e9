import { Injectable } from '@nestjs/common';
import type { RequestVote, RequestVoteResponse, Term } from '@app/raft';
import { RingraftError } from '@app/rpc';
import { PeerInbox } from '../peers/peer-inbox.js';

interface WaitingCandidate {
  /** Of the request. */
  readonly term: Term;
  resolve(response: RequestVoteResponse): void;
  reject(error: Error): void;
}

/**
 * Where candidates wait for the core's answer, which comes only once the vote is on the disk, and not at all while
 * this node has a live leader. At most one call per candidate and kind waits: a later one takes the place of an earlier.
 */
@Injectable()
export class VoteDesk {
  private readonly waiting = new Map<string, WaitingCandidate>();

  constructor(private readonly inbox: PeerInbox) {}

  /** `incarnation` is that of the candidate, if it named one. */
  ask(request: RequestVote, incarnation: string | undefined): Promise<RequestVoteResponse> {
    return new Promise((resolve, reject) => {
      const key = keyOf(request.from, request.preVote);
      this.waiting
        .get(key)
        ?.reject(new RingraftError('TIMED_OUT', 'replaced by a later request of the same candidate'));
      this.waiting.set(key, { term: request.term, resolve, reject });
      this.inbox.received(request, incarnation);
    });
  }

  answer(response: RequestVoteResponse): void {
    const key = keyOf(response.to, response.preVote);
    const candidate = this.waiting.get(key);
    if (candidate === undefined || answersEarlierRequest(response, candidate.term)) return;
    this.waiting.delete(key);
    candidate.resolve(response);
  }
}

function keyOf(candidate: string, isPreVote: boolean): string {
  return `${candidate}${isPreVote ? '?' : '!'}`;
}

/** A vote is for the term that it was asked for in; only a refused pre-vote may have a lower one, the voter's own. */
function answersEarlierRequest({ term, preVote, voteGranted }: RequestVoteResponse, requestTerm: Term): boolean {
  return term < requestTerm && (voteGranted || !preVote);
}
