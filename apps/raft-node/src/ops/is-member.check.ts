import { Injectable } from '@nestjs/common';
import type { HealthCheck, HealthResult } from '@app/platform';
import { Raft, membersOf } from '@app/raft';
import { expulsionAdvice } from '../consensus/expulsion.js';

const NOT_YET =
  'it waits to be taken into a cluster: add it on the leader (admin.v1.Membership/AddNode or ReplaceNode) with its address';

/** Never ready while the cluster does not regard this node as its member. */
@Injectable()
export class IsMember implements HealthCheck {
  readonly name = 'member';

  constructor(private readonly raft: Raft) {}

  check(): HealthResult {
    const { expulsion, configuration } = this.raft.status();
    if (expulsion !== undefined) return { ok: false, reason: expulsionAdvice(expulsion) };
    return membersOf(configuration).length > 0 ? { ok: true } : { ok: false, reason: NOT_YET };
  }
}
