import { Inject, Injectable } from '@nestjs/common';
import { StateMachine } from '@app/kv';
import { LOG, type Log } from '@app/platform';
import { Raft } from '@app/raft';
import type { QuarantineRequest, QuarantineResponse, StateHashRequest, StateHashResponse } from '@app/rpc';
import { PeerDirectory } from '../peers/peer-directory.js';
import { divergence } from './consistency-check.js';
import { Quarantine } from './quarantine.js';
import { areEqual, isMajority } from './state-comparison.js';

/** Answers what leaders ask about this node's state. */
@Injectable()
export class ConsistencyDesk {
  constructor(
    private readonly directory: PeerDirectory,
    private readonly raft: Raft,
    private readonly stateMachine: StateMachine,
    private readonly quarantined: Quarantine,
    @Inject(LOG) private readonly log: Log,
  ) {}

  /** What was applied is committed, so anyone who asks, a leader of the past too, gets the one true answer. */
  stateHash({ clusterId, recipientId, leaderId, index }: StateHashRequest): StateHashResponse {
    this.directory.assertAddressedToSelf(clusterId, recipientId, leaderId);
    const { hashTrail } = this.stateMachine;
    return {
      nodeId: this.directory.selfId,
      appliedIndex: hashTrail.lastIndex,
      firstIndex: hashTrail.firstIndex,
      hashes: hashTrail.at(index),
    };
  }

  /** Believes nothing: the sender must be the leader of this term, the agreeing a majority, and the state really another. */
  async quarantine(request: QuarantineRequest): Promise<QuarantineResponse> {
    const { clusterId, recipientId, leaderId, term, index, expected, agreeingIds } = request;
    this.directory.assertAddressedToSelf(clusterId, recipientId, leaderId);
    const own = this.stateMachine.hashTrail.at(index);
    const status = this.raft.status();
    const isFromLeader = status.term === term && status.leaderId === leaderId;
    const isOutvoted =
      expected !== undefined &&
      own !== undefined &&
      !areEqual(own, expected) &&
      !agreeingIds.includes(status.id) &&
      isMajority(status.configuration, agreeingIds);
    if (!this.quarantined.isEntered) {
      if (isFromLeader && isOutvoted) await this.quarantined.enter(divergence(index, expected, own, agreeingIds));
      else this.log.warn({ index, term, leaderId, own, expected }, 'a quarantine was asked for without a reason');
    }
    return { isQuarantined: this.quarantined.isEntered };
  }
}
