import { setTimeout as pause } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { decodeAnswer, type Answer } from '@app/kv';
import type { PlacedCluster } from '@app/placement';
import { Consistency, ERROR_TABLE, RingraftError, errorOfResult } from '@app/rpc';
import { GatewayConfig } from '../gateway.config.js';
import { LeaderCache } from '../leader-cache/leader-cache.js';
import { ClusterMembers } from '../members/cluster-members.js';
import { GatewayMetrics } from '../ops/gateway-metrics.js';
import { Backoff } from './backoff.js';
import { NodeStreams } from './node-streams.js';
import type { RequestTrace } from './request-trace.js';

/** Leader hints that are followed without a pause; nodes that name each other for longer are not to be believed. */
const HINTS_MAX = 3;

export interface ClusterCall {
  readonly cluster: PlacedCluster;
  /** In the encoding of libs/kv. */
  readonly command: Uint8Array;
  /**
   * Whether an attempt with an unknown outcome matters: not for what changes nothing (reads, opening a session), so it
   * ends as `not_applied` at the worst.
   */
  readonly changesState: boolean;
  readonly consistency?: Consistency;
  /** By `performance.now()`. */
  readonly deadlineMs: number;
  readonly trace?: RequestTrace | undefined;
}

export interface ClusterAnswer {
  readonly answer: Answer;
  /** An earlier attempt of the same call may have been applied, so a refusal says nothing about it. */
  readonly isUncertain: boolean;
}

/**
 * Carries one command to the leader of a cluster: finds it, follows hints, tries again until the deadline.
 *
 * A command that changes state must carry a session: an attempt whose outcome is unknown is repeated with the same
 * bytes, and only the session makes the repetition harmless. The error tells the truth about all attempts together:
 * `unknown` if any of them may have been applied and none was answered, else `not_applied`.
 */
@Injectable()
export class ClusterCaller {
  constructor(
    private readonly config: GatewayConfig,
    private readonly leaders: LeaderCache,
    private readonly members: ClusterMembers,
    private readonly nodes: NodeStreams,
    private readonly metrics: GatewayMetrics,
  ) {}

  async call(call: ClusterCall): Promise<ClusterAnswer> {
    const { cluster, command, changesState, deadlineMs, trace } = call;
    const consistency = call.consistency ?? Consistency.LINEARIZABLE;
    const asksLeader = consistency !== Consistency.STALE;
    let isUncertain = false;
    let backoff: Backoff | undefined;
    let hintsFollowed = 0;
    let last: RingraftError | undefined;
    let node = asksLeader ? this.leaders.leaderOf(cluster.id) : undefined;
    /** Where to go on while no leader is known. */
    let position: number | undefined;

    for (;;) {
      const remainingMs = deadlineMs - performance.now();
      if (remainingMs <= 0) throw outOfTime(cluster, isUncertain, last);
      if (last !== undefined) this.metrics.retries.inc();
      let target = node;
      if (target === undefined) {
        const voters = this.members.votersOf(cluster.id);
        position = position === undefined ? Math.floor(Math.random() * voters.length) : position + 1;
        target = voters[position % voters.length]!;
      }
      const result = await this.nodes.streamTo(cluster.id, target.address).execute({
        command,
        consistency,
        timeoutMs: Math.min(this.config.attemptTimeoutMs, remainingMs),
        requestId: trace?.sentTo(target.id),
      });
      if (result.code === '') {
        if (asksLeader) this.leaders.learn(cluster.id, target);
        return { answer: decodeAnswer(result.answer), isUncertain };
      }

      last = errorOfResult(result);
      if (changesState && last.outcome !== 'not_applied') isUncertain = true;
      if (!mayHelpToRetry(last)) throw isUncertain ? outOfTime(cluster, isUncertain, last) : last;
      if (asksLeader) this.leaders.doubt(cluster.id, target);

      const { leader } = result;
      const hinted = leader && this.members.named(cluster.id, leader.nodeId, leader.address);
      if (hinted !== undefined && hinted.address !== target.address && hintsFollowed < HINTS_MAX) {
        hintsFollowed += 1;
        this.leaders.learn(cluster.id, hinted);
        node = hinted;
        continue;
      }
      backoff ??= new Backoff(this.config.retryDelayMs, this.config.retryDelayMaxMs);
      const delayMs = backoff.nextMs();
      if (performance.now() + delayMs >= deadlineMs) throw outOfTime(cluster, isUncertain, last);
      await pause(delayMs);
      hintsFollowed = 0;
      node = asksLeader ? this.leaders.leaderOf(cluster.id) : undefined;
      if (node?.address === target.address && last.code === 'NODE_UNREACHABLE') node = undefined;
    }
  }
}

/** An overloaded queue is told to the caller at once: a retry would only make it longer. */
function mayHelpToRetry(error: RingraftError): boolean {
  if (error.code === 'OVERLOADED' || error.code === 'TOO_MANY_REQUESTS') return false;
  return error.outcome !== 'not_applied' || ERROR_TABLE[error.code].retryable;
}

function outOfTime(cluster: PlacedCluster, isUncertain: boolean, last: RingraftError | undefined): RingraftError {
  const reason = last === undefined ? 'there was no time left' : last.detail;
  return isUncertain
    ? new RingraftError('OUTCOME_UNKNOWN', `sent to cluster ${cluster.id} and not answered; last: ${reason}`)
    : new RingraftError('INVALID_LEADER', `no leader of cluster ${cluster.id} took it in time; last: ${reason}`);
}
