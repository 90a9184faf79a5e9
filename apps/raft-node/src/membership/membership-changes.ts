import { setTimeout as delay } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import {
  Raft,
  isJoint,
  type ChangeRejection,
  type LogIndex,
  type MembershipChange,
  type NodeId,
  type Term,
  type TransferRejection,
} from '@app/raft';
import { RingraftError } from '@app/rpc';
import { RaftDriver, type ChangeOutcome } from '../consensus/raft-driver.js';
import type { Refusal } from '../fsm/operation-desk.js';
import { PeerDirectory } from '../peers/peer-directory.js';
import { RaftNodeConfig } from '../raft-node.config.js';
import { NewcomerCheck } from './newcomer-check.js';

/** What passes by itself: it is tried again until the deadline. */
const PASSING: ReadonlySet<string> = new Set([
  'not_ready',
  'change_in_progress',
  'not_caught_up',
  'leadership_transfer',
  'transfer_in_progress',
] satisfies (ChangeRejection | TransferRejection)[]);

/**
 * Changes of the membership for operators, on the leader: each method resolves once its change is committed and no joint configuration is
 * left, and rejects with a `RingraftError` that says whether it may still take effect. What stands in the way only for a while (a change
 * under way, a learner that has not caught up) is waited for, up to `operationTimeoutMs`.
 */
@Injectable()
export class MembershipChanges {
  constructor(
    private readonly config: RaftNodeConfig,
    private readonly directory: PeerDirectory,
    private readonly driver: RaftDriver,
    private readonly raft: Raft,
    private readonly newcomers: NewcomerCheck,
  ) {}

  /**
   * As a learner that becomes a voter by itself once it has caught up, unless it is to stay one. `address` may be empty if this node was started
   * with that of the newcomer.
   */
  async add(id: NodeId, address: string, staysLearner: boolean): Promise<LogIndex> {
    const place = await this.placeOf(id, address);
    return this.change({
      addLearners: [id],
      addresses: { [id]: place },
      ...(!staysLearner && { joining: { [id]: id } }),
    });
  }

  /** As a learner that takes the voter's place once it has caught up. */
  async replace(id: NodeId, newId: NodeId, newAddress: string): Promise<LogIndex> {
    const place = await this.placeOf(newId, newAddress);
    return this.change({ addLearners: [newId], addresses: { [newId]: place }, joining: { [newId]: id } });
  }

  /** The member is to be found there from now on. */
  async move(id: NodeId, address: string): Promise<LogIndex> {
    this.assertLeads();
    await this.newcomers.check(id, address);
    return this.change({ addresses: { [id]: address } });
  }

  promote(id: NodeId): Promise<LogIndex> {
    return this.change({ promote: [id] });
  }

  remove(id: NodeId): Promise<LogIndex> {
    return this.change({ remove: [id] });
  }

  /** To the given voter or, without one, to the most up-to-date one within reach. Resolves with whoever leads then, as a rule that one. */
  async transferLeadership(to: NodeId | undefined): Promise<{ readonly id: NodeId; readonly term: Term }> {
    const deadlineMs = this.deadline();
    for (;;) {
      const outcome = await this.beginTransfer(to, deadlineMs);
      if (typeof outcome === 'object') {
        if ('code' in outcome) throw this.errorOf(outcome);
        return outcome;
      }
      if (!PASSING.has(outcome) || performance.now() >= deadlineMs) throw this.transferError(outcome, to);
      await delay(this.config.heartbeatMs);
    }
  }

  private async placeOf(id: NodeId, given: string): Promise<string> {
    this.assertLeads();
    if (id === '') throw new RingraftError('INVALID_REQUEST', 'node_id: must not be empty');
    const address = given === '' ? this.directory.addressOf(id) : given;
    if (address === undefined) {
      const detail = `address: must be given, as host:port: the leader was not started with an address of "${id}"`;
      throw new RingraftError('INVALID_REQUEST', detail);
    }
    await this.newcomers.check(id, address);
    return address;
  }

  /** So that only a leader looks at addresses. */
  private assertLeads(): void {
    if (!this.raft.isLeader) throw this.notLeader();
  }

  private async change(change: MembershipChange): Promise<LogIndex> {
    const deadlineMs = this.deadline();
    for (;;) {
      const outcome = await new Promise<ChangeOutcome>((resolve) =>
        this.driver.changeMembership(change, deadlineMs, resolve),
      );
      if (outcome.kind === 'applied') return this.left(deadlineMs);
      if (outcome.kind === 'refused') throw this.errorOf(outcome.refusal);
      const { reason, detail } = outcome;
      if (!PASSING.has(reason)) {
        if (reason === 'not_leader') throw this.notLeader();
        throw new RingraftError(reason === 'would_lose_quorum' ? 'WOULD_LOSE_QUORUM' : 'INVALID_REQUEST', detail);
      }
      if (performance.now() >= deadlineMs) throw new RingraftError('TIMED_OUT', detail, { reason });
      await delay(this.config.heartbeatMs);
    }
  }

  /** Whoever leads leaves a joint configuration by itself. */
  private async left(deadlineMs: number): Promise<LogIndex> {
    for (;;) {
      const { configuration, configurationIndex } = this.raft.status();
      if (!isJoint(configuration)) return configurationIndex;
      if (performance.now() >= deadlineMs) {
        throw new RingraftError('OUTCOME_UNKNOWN', 'the change is committed, and its joint configuration not yet left');
      }
      await delay(this.config.heartbeatMs);
    }
  }

  private beginTransfer(
    to: NodeId | undefined,
    deadlineMs: number,
  ): Promise<Refusal | TransferRejection | 'taken_back' | { readonly id: NodeId; readonly term: Term }> {
    return new Promise((resolve) => {
      const rejection = this.driver.transferLeadership(to, deadlineMs, (outcome) => resolve(outcome ?? 'taken_back'));
      if (rejection !== undefined) resolve(rejection);
    });
  }

  private transferError(reason: TransferRejection | 'taken_back', to: NodeId | undefined): RingraftError {
    switch (reason) {
      case 'not_leader':
        return this.notLeader();
      case 'not_a_voter':
        return new RingraftError('INVALID_REQUEST', `node_id: ${to} is no voter`);
      case 'already_leader':
        return new RingraftError('INVALID_REQUEST', `node_id: ${to} leads already`);
      case 'unreachable':
        return new RingraftError(
          'TIMED_OUT',
          to === undefined ? 'no other voter is within reach' : `${to} is not within reach`,
        );
      case 'transfer_in_progress':
        return new RingraftError('TIMED_OUT', 'the leadership was being handed to another node');
      case 'taken_back':
        return new RingraftError('TIMED_OUT', 'the successor did not take over within an election timeout');
    }
  }

  private errorOf({ code, detail, outcome }: Refusal): RingraftError {
    if (code === 'NOT_LEADER' && outcome === undefined) return this.notLeader();
    return new RingraftError(code, detail, {}, outcome === undefined ? {} : { outcome });
  }

  private notLeader(): RingraftError {
    const { leaderId } = this.driver;
    if (leaderId === undefined || leaderId === this.directory.selfId) {
      return new RingraftError('NO_LEADER', 'the cluster has no leader at the moment');
    }
    const address = this.directory.addressOf(leaderId) ?? '';
    return new RingraftError('NOT_LEADER', `the leader is ${leaderId}`, { leader: { nodeId: leaderId, address } });
  }

  private deadline(): number {
    return performance.now() + this.config.operationTimeoutMs;
  }
}
