import { Injectable } from '@nestjs/common';
import type { HealthCheck, HealthResult } from '@app/platform';
import { Raft } from '@app/raft';

/** Entries that a node may be behind and still count as caught up: more than a busy one has on its way. */
const LAG_ENTRIES_MAX = 1_000;

/** Ready only while what is known to be committed is applied. */
@Injectable()
export class HasCaughtUp implements HealthCheck {
  readonly name = 'applied';

  constructor(private readonly raft: Raft) {}

  check(): HealthResult {
    const { commitIndex, appliedIndex } = this.raft.status();
    const lag = commitIndex - appliedIndex;
    return lag <= LAG_ENTRIES_MAX
      ? { ok: true }
      : { ok: false, reason: `${lag} committed entries are not applied yet` };
  }
}
