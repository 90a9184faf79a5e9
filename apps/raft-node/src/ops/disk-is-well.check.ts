import { Injectable } from '@nestjs/common';
import type { HealthCheck, HealthResult } from '@app/platform';
import { NodeCondition } from '../condition/node-condition.js';

/** Ready only while the disk has room and is fast enough to lead with. A node that is not still does what it can. */
@Injectable()
export class DiskIsWell implements HealthCheck {
  readonly name = 'disk';

  constructor(private readonly condition: NodeCondition) {}

  check(): HealthResult {
    const { condition } = this;
    const reason =
      condition.detailOf('storage_exhausted') ?? condition.detailOf('storage_full') ?? condition.detailOf('disk_slow');
    return reason === undefined ? { ok: true } : { ok: false, reason };
  }
}
