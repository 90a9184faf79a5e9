import { Injectable } from '@nestjs/common';
import { Counter, Histogram, Registry } from 'prom-client';

/** From a batch of one small write to a state database that falls behind. */
const APPLY_SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1];

/** From a quorum in the same room to a leader that is about to find out that it has none. */
const READ_INDEX_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** What the driver does many times a second. Everything here is told per batch, never per operation. */
@Injectable()
export class ConsensusMetrics {
  private readonly applies: Histogram;
  private readonly commands: Counter;
  private readonly readIndexes: Histogram;

  constructor(registry: Registry) {
    const registers = [registry];
    this.applies = new Histogram({
      name: 'ringraft_apply_duration_seconds',
      help: 'How long the state machine took for a batch of committed entries',
      buckets: APPLY_SECONDS,
      registers,
    });
    this.commands = new Counter({
      name: 'ringraft_commands_applied_total',
      help: 'Commands of clients that the state machine has applied; one entry holds many',
      registers,
    });
    this.readIndexes = new Histogram({
      name: 'ringraft_read_index_duration_seconds',
      help: 'How long a quorum took to confirm the leader for a batch of reads',
      buckets: READ_INDEX_SECONDS,
      registers,
    });
  }

  applied(durationMs: number, commands: number): void {
    this.applies.observe(durationMs / 1_000);
    this.commands.inc(commands);
  }

  readsConfirmed(durationMs: number): void {
    this.readIndexes.observe(durationMs / 1_000);
  }
}
