import { Injectable } from '@nestjs/common';
import type { HealthCheck, HealthResult } from '@app/platform';
import { Raft } from '@app/raft';

/** Ready only while the cluster has a leader that this node knows. */
@Injectable()
export class KnowsLeader implements HealthCheck {
  readonly name = 'leader';

  constructor(private readonly raft: Raft) {}

  check(): HealthResult {
    if (this.raft.leaderId !== undefined) return { ok: true };
    return { ok: false, reason: 'no leader is known; a majority of the cluster may be down or out of reach' };
  }
}
