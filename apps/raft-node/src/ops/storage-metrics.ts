import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { DiskPulse } from '../condition/disk-pulse.js';
import { FreeSpaceMonitor } from '../condition/free-space-monitor.js';
import { NodeCondition } from '../condition/node-condition.js';
import { ConsistencyCheck, type CheckResult } from '../consistency/consistency-check.js';
import { StateScrub } from '../consistency/state-scrub.js';

/** From a fast SSD to a disk that is about to be given up. */
const SYNC_SECONDS = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** The disk, and whether what is on it is what it should be. */
@Injectable()
export class StorageMetrics implements OnModuleInit {
  constructor(
    private readonly registry: Registry,
    private readonly pulse: DiskPulse,
    private readonly space: FreeSpaceMonitor,
    private readonly condition: NodeCondition,
    private readonly consistencyCheck: ConsistencyCheck,
    private readonly scrub: StateScrub,
  ) {}

  onModuleInit(): void {
    const syncs = new Histogram({
      name: 'ringraft_log_fsync_duration_seconds',
      help: 'How long a write of the log took to reach the disk, with its sync',
      buckets: SYNC_SECONDS,
      registers: [this.registry],
    });
    this.pulse.onWritten((durationMs) => syncs.observe(durationMs / 1_000));
    this.gauge(
      'log_write_age_seconds',
      'How long the write of the log that is under way has taken so far',
      () => this.pulse.ageMs / 1_000,
    );
    this.gauge('disk_free_bytes', 'Free space of the data directory', () => this.space.freeBytes ?? NaN);
    this.gauge('storage_full', 'Whether writes are refused for want of space (1) or not (0)', () =>
      this.condition.has('storage_full') ? 1 : 0,
    );
    this.gauge('disk_slow', 'Whether the disk is too slow to lead with (1) or not (0)', () =>
      this.condition.has('disk_slow') ? 1 : 0,
    );
    this.gauge('quarantined', 'Whether this node is in quarantine (1) or not (0)', () =>
      this.condition.has('quarantined') ? 1 : 0,
    );
    this.gauge(
      'state_diverged',
      'On a leader, members whose state differs from that of the others; on any node, 1 if it is in quarantine',
      () => this.divergedCount(),
    );
    const { consistencyCheck, scrub } = this;
    new Counter({
      name: 'ringraft_consistency_checks_total',
      help: 'Comparisons of the states of all members by this node as leader, by result',
      labelNames: ['result'],
      registers: [this.registry],
      collect() {
        this.reset();
        for (const result of Object.keys(consistencyCheck.counts) as CheckResult[]) {
          this.inc({ result }, consistencyCheck.counts[result]);
        }
      },
    });
    new Counter({
      name: 'ringraft_state_scrubs_total',
      help: 'How often this node has verified its whole state on the disk',
      registers: [this.registry],
      collect() {
        this.reset();
        this.inc(scrub.completed);
      },
    });
  }

  private divergedCount(): number {
    const { differingIds, undecided } = this.consistencyCheck;
    const known = differingIds.length + (undecided === undefined ? 0 : 1);
    return Math.max(known, this.condition.has('quarantined') ? 1 : 0);
  }

  private gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name: `ringraft_${name}`,
      help,
      registers: [this.registry],
      collect() {
        this.set(read());
      },
    });
  }
}
