import { Injectable } from '@nestjs/common';
import { Counter, Gauge, Registry } from 'prom-client';

/** How a backup ended: `refused` before its first byte. */
const RESULTS = ['complete', 'refused', 'failed', 'cancelled'] as const;
export type BackupResult = (typeof RESULTS)[number];

/** Backups that were asked of this node. */
@Injectable()
export class BackupMetrics {
  private readonly outcomes: Counter<'result'>;
  private readonly bytes: Counter;
  private readonly inProgress: Gauge;

  constructor(registry: Registry) {
    const registers = [registry];
    this.outcomes = new Counter({
      name: 'ringraft_backup_total',
      help: 'Backups that were asked for and have ended',
      labelNames: ['result'],
      registers,
    });
    // From 0 on: of a series that begins with its first failure, nobody sees an increase.
    for (const result of RESULTS) this.outcomes.inc({ result }, 0);
    this.bytes = new Counter({
      name: 'ringraft_backup_bytes_total',
      help: 'Bytes of backups that were sent',
      registers,
    });
    this.inProgress = new Gauge({ name: 'ringraft_backup_in_progress', help: 'Backups that are under way', registers });
  }

  started(): void {
    this.inProgress.inc();
  }

  sent(bytes: number): void {
    this.bytes.inc(bytes);
  }

  ended(result: BackupResult): void {
    this.inProgress.dec();
    this.outcomes.inc({ result });
  }
}
