import { Injectable } from '@nestjs/common';
import { Counter, Gauge, Registry } from 'prom-client';

/** How a backup ended: `refused` before its first byte. */
export type BackupResult = 'complete' | 'refused' | 'failed' | 'cancelled';

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
