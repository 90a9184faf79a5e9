import { Injectable } from '@nestjs/common';
import type { HealthCheck, HealthResult } from '@app/platform';
import { Raft } from '@app/raft';
import { expulsionAdvice } from '../consensus/expulsion.js';

/** Never ready while the cluster does not regard this node as its member. */
@Injectable()
export class IsMember implements HealthCheck {
  readonly name = 'member';

  constructor(private readonly raft: Raft) {}

  check(): HealthResult {
    const { expulsion } = this.raft.status();
    return expulsion === undefined ? { ok: true } : { ok: false, reason: expulsionAdvice(expulsion) };
  }
}
