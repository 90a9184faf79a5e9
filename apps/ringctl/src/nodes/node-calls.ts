import { setTimeout as delay } from 'node:timers/promises';
import { Channels, MembershipClient, RingraftError, type Channel, type ErrorCode, type StatusResponse } from '@app/rpc';
import { CommandFailure } from '../command-failure.js';
import { EXIT } from '../exit-code.js';
import type { ClusterView } from '../system/system-view.js';
import { callNode } from './unary-call.js';

const RETRY_PAUSE_MS = 200;

/** What passes by itself, and was surely not carried out. */
const PASSING: ReadonlySet<ErrorCode> = new Set([
  'NOT_LEADER',
  'NO_LEADER',
  'NODE_UNREACHABLE',
  'SHUTTING_DOWN',
  'OVERLOADED',
]);

export interface LeaderCallOptions {
  /** Of all attempts together. */
  readonly timeoutMs: number;
  readonly interrupted?: AbortSignal;
}

/** Calls to the gRPC servers of nodes. */
export class NodeCalls {
  private readonly channels = new Channels();

  constructor(
    /** How a cluster is now. Throws a `CommandFailure` when nobody knows, or there is no such cluster. */
    private readonly clusterView: (clusterId: string, timeoutMs: number) => Promise<ClusterView>,
  ) {}

  /** The one connection to this node. */
  channelTo(address: string): Channel {
    return this.channels.channelTo(address);
  }

  /** What the node says of itself. Rejects with a `RingraftError`. */
  status(address: string, timeoutMs: number): Promise<StatusResponse> {
    const channel = this.channelTo(address);
    const client = channel.client(MembershipClient);
    return callNode(channel, client.status.bind(client), {}, timeoutMs);
  }

  /**
   * Does something at the leader of the cluster: finds it, follows the hints of nodes that are not, and tries again while there is none,
   * until `timeoutMs` have passed. `call` is repeated only after an error that says it was surely not carried out; it rejects with a
   * `RingraftError`, and so does this, with the last one.
   */
  async onLeader<T>(
    clusterId: string,
    { timeoutMs, interrupted }: LeaderCallOptions,
    call: (channel: Channel, timeoutMs: number) => Promise<T>,
  ): Promise<T> {
    const deadline = performance.now() + timeoutMs;
    const left = (): number => Math.max(1, deadline - performance.now());
    let hint: string | undefined;
    for (;;) {
      let failure: RingraftError;
      try {
        const address = hint ?? (await this.leaderAddress(clusterId, left()));
        return await call(this.channelTo(address), left());
      } catch (error) {
        if (!(error instanceof RingraftError) || !PASSING.has(error.code) || error.outcome !== 'not_applied')
          throw error;
        failure = error;
      }
      const previous = hint;
      hint = failure.fields.leader?.address || undefined;
      if (performance.now() >= deadline) throw failure;
      // A hint is followed at once; two nodes that name each other are not.
      if (hint === undefined || previous !== undefined) await pause(interrupted);
    }
  }

  /** Ends all connections. */
  close(): void {
    this.channels.close();
  }

  private async leaderAddress(clusterId: string, timeoutMs: number): Promise<string> {
    const { leader, nodes } = await this.clusterView(clusterId, timeoutMs);
    const address = nodes.find(({ id }) => id === leader)?.address;
    if (address === undefined || address === '')
      throw new RingraftError('NO_LEADER', `cluster ${clusterId} has no leader at the moment`);
    return address;
  }
}

async function pause(interrupted: AbortSignal | undefined): Promise<void> {
  try {
    await delay(RETRY_PAUSE_MS, undefined, interrupted ? { signal: interrupted } : {});
  } catch {
    throw new CommandFailure(EXIT.INTERRUPTED, 'interrupted: nothing was changed', { outcome: 'not_applied' });
  }
}
