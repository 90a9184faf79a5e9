import { Injectable } from '@nestjs/common';
import { Counter, Gauge, Registry } from 'prom-client';

/** How a transfer ended. */
const RESULTS = ['complete', 'failed', 'cancelled'] as const;
export type TransferResult = (typeof RESULTS)[number];

/** States on their way from and to this node. */
@Injectable()
export class SnapshotMetrics {
  private readonly sent: Counter<'result'>;
  private readonly received: Counter<'result'>;
  private readonly sentBytes: Counter;
  private readonly receivedBytes: Counter;
  private readonly skippedRanges: Counter;
  private readonly inProgress: Gauge<'direction'>;

  constructor(registry: Registry) {
    const registers = [registry];
    this.sent = new Counter({
      name: 'ringraft_snapshot_send_total',
      help: 'Transfers of the state to other members that have ended',
      labelNames: ['result'],
      registers,
    });
    this.received = new Counter({
      name: 'ringraft_snapshot_receive_total',
      help: 'Streams of a state to this node that have ended; a transfer may need several',
      labelNames: ['result'],
      registers,
    });
    this.sentBytes = new Counter({
      name: 'ringraft_snapshot_send_bytes_total',
      help: 'Bytes of rows that were sent',
      registers,
    });
    this.receivedBytes = new Counter({
      name: 'ringraft_snapshot_receive_bytes_total',
      help: 'Bytes of rows that were received and stored',
      registers,
    });
    this.skippedRanges = new Counter({
      name: 'ringraft_snapshot_ranges_skipped_total',
      help: 'Ranges that the other member held already, so that their rows were not sent',
      registers,
    });
    this.inProgress = new Gauge({
      name: 'ringraft_snapshot_in_progress',
      help: 'Transfers of a state that are under way',
      labelNames: ['direction'],
      registers,
    });
    // From 0 on: of a series that begins with its first failure, nobody sees an increase.
    for (const result of RESULTS) {
      this.sent.inc({ result }, 0);
      this.received.inc({ result }, 0);
    }
    this.inProgress.set({ direction: 'send' }, 0);
    this.inProgress.set({ direction: 'receive' }, 0);
  }

  sendStarted(): void {
    this.inProgress.inc({ direction: 'send' });
  }

  sendEnded(result: TransferResult): void {
    this.inProgress.dec({ direction: 'send' });
    this.sent.inc({ result });
  }

  rowsSent(bytes: number): void {
    this.sentBytes.inc(bytes);
  }

  rangeSkipped(): void {
    this.skippedRanges.inc();
  }

  receiveStarted(): void {
    this.inProgress.inc({ direction: 'receive' });
  }

  receiveEnded(result: TransferResult): void {
    this.inProgress.dec({ direction: 'receive' });
    this.received.inc({ result });
  }

  rowsStored(bytes: number): void {
    this.receivedBytes.inc(bytes);
  }
}
