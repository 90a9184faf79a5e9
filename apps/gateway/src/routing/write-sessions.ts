import { Injectable } from '@nestjs/common';
import { encodeCommand } from '@app/kv';
import type { PlacedCluster } from '@app/placement';
import { RingraftError } from '@app/rpc';
import { ClusterCaller } from './cluster-caller.js';
import { WriteSession } from './write-session.js';

/** The sessions that writes are sent under: one for each cluster, opened by the first write and shared by all. */
@Injectable()
export class WriteSessions {
  private readonly sessions = new Map<string, WriteSession>();
  private readonly opening = new Map<string, Promise<WriteSession>>();

  constructor(private readonly caller: ClusterCaller) {}

  /** Throws what the cluster refused the opening with, which is never `unknown`: nothing of the write was sent. */
  async of(cluster: PlacedCluster, deadlineMs: number): Promise<WriteSession> {
    for (;;) {
      const session = this.sessions.get(cluster.id);
      if (session?.isUsable) return session;
      try {
        return await this.openOnce(cluster, deadlineMs);
      } catch (error) {
        // The opening may have been another write's, begun earlier, and with that one's deadline.
        if (performance.now() >= deadlineMs || !(error instanceof RingraftError && error.rule.retryable)) throw error;
      }
    }
  }

  private openOnce(cluster: PlacedCluster, deadlineMs: number): Promise<WriteSession> {
    let opening = this.opening.get(cluster.id);
    if (opening === undefined) {
      opening = this.open(cluster, deadlineMs).finally(() => this.opening.delete(cluster.id));
      this.opening.set(cluster.id, opening);
    }
    return opening;
  }

  private async open(cluster: PlacedCluster, deadlineMs: number): Promise<WriteSession> {
    const command = encodeCommand({ kind: 'openSession' });
    const { answer } = await this.caller.call({ cluster, command, changesState: false, deadlineMs });
    if (answer.kind !== 'openSession') {
      throw new RingraftError('INTERNAL', `cluster ${cluster.id} opened no session`, {}, { outcome: 'not_applied' });
    }
    const session = new WriteSession(answer.clientId);
    this.sessions.set(cluster.id, session);
    return session;
  }
}
