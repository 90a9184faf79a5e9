import { Injectable } from '@nestjs/common';
import type { HealthCheck, HealthResult } from '@app/platform';
import { NodeCondition } from '../condition/node-condition.js';
import { ConsistencyCheck } from '../consistency/consistency-check.js';

/** Ready only while nothing is known to be wrong with the state. */
@Injectable()
export class StateIsSound implements HealthCheck {
  readonly name = 'state';

  constructor(
    private readonly condition: NodeCondition,
    private readonly consistencyCheck: ConsistencyCheck,
  ) {}

  check(): HealthResult {
    const reason = this.condition.detailOf('quarantined') ?? this.consistencyCheck.undecided;
    return reason === undefined ? { ok: true } : { ok: false, reason };
  }
}
