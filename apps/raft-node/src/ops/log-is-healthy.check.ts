import { Injectable } from '@nestjs/common';
import type { HealthCheck, HealthResult } from '@app/platform';
import { WriteAheadLog } from '@app/storage';

/** A log whose write or sync has failed never works again in this process. */
@Injectable()
export class LogIsHealthy implements HealthCheck {
  readonly name = 'log';

  constructor(private readonly log: WriteAheadLog) {}

  check(): HealthResult {
    return this.log.failure === undefined ? { ok: true } : { ok: false, reason: this.log.failure.message };
  }
}
