import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { LOG, type Log } from '@app/platform';
import { StateStore } from '@app/storage';
import { RaftNodeConfig } from '../raft-node.config.js';
import { DiskPulse } from './disk-pulse.js';
import { NodeCondition } from './node-condition.js';

const INTERVAL_MS = 250;

/** A batch of the state database is larger than a write of the log, and nobody waits for it. */
const STATE_FACTOR = 20;

/** Fast again means this share of what counts as slow, for as long as the trouble has to stay away before it is over. */
const RECOVERY_SHARE = 0.5;
const CALM_MS = 2_000;

/**
 * Notices a disk that is slow, or hangs, by the age of the write under way and by how long the last ones took. A leader with such a
 * disk delays every client of its cluster, while heartbeats, which need no disk, keep it in office.
 */
@Injectable()
export class DiskSpeedMonitor implements OnApplicationBootstrap, OnApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;
  private calmSinceMs: number | undefined;

  constructor(
    private readonly config: RaftNodeConfig,
    private readonly condition: NodeCondition,
    private readonly pulse: DiskPulse,
    @Inject(StateStore) private readonly store: Pick<StateStore, 'writingSinceMs'>,
    @Inject(LOG) private readonly log: Log,
  ) {}

  onApplicationBootstrap(): void {
    // Behind the completions that came while the event loop was held up: they are no sign of a slow disk.
    this.timer = setInterval(() => setImmediate(() => this.look(performance.now())), INTERVAL_MS);
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  /** `nowMs` is a time of `performance.now()`. */
  look(nowMs: number): void {
    const isRaised = this.condition.has('disk_slow');
    const limitMs = isRaised ? this.config.slowDiskMs * RECOVERY_SHARE : this.config.slowDiskMs;
    const trouble = this.trouble(nowMs, limitMs);
    if (trouble !== undefined) {
      this.calmSinceMs = undefined;
      this.condition.raise('disk_slow', trouble);
      if (!isRaised) this.log.warn({ reason: trouble, slowDiskMs: this.config.slowDiskMs }, 'the disk is slow');
    } else if (isRaised) {
      this.calmSinceMs ??= nowMs;
      if (nowMs - this.calmSinceMs < CALM_MS) return;
      this.calmSinceMs = undefined;
      this.condition.clear('disk_slow');
      this.log.info('the disk is fast again');
    }
  }

  private trouble(nowMs: number, limitMs: number): string | undefined {
    const { dataDir } = this.config;
    const ageMs = Math.round(this.pulse.ageMs);
    if (ageMs > limitMs) return `a write of the log in ${dataDir} has been under way for ${ageMs} ms`;
    const medianMs = Math.round(this.pulse.medianMs);
    if (medianMs > limitMs)
      return `every second of the last writes of the log in ${dataDir} took more than ${medianMs} ms`;
    const { writingSinceMs } = this.store;
    const batchMs = writingSinceMs === undefined ? 0 : Math.round(nowMs - writingSinceMs);
    if (batchMs > limitMs * STATE_FACTOR) {
      return `a write of the state database in ${dataDir} has been under way for ${batchMs} ms`;
    }
    return undefined;
  }
}
