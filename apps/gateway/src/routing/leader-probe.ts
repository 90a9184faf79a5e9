import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import type { HealthCheck, HealthResult } from '@app/platform';
import { CurrentPlacement } from '../hashing/current-placement.js';
import { LeaderCache } from '../leader-cache/leader-cache.js';
import { ClusterOverview } from './cluster-overview.js';

/** How often clusters without a known leader are asked for one. */
const PROBE_INTERVAL_MS = 250;

/**
 * Looks for the leaders that no request has found: at the start, and after a leader was lost while nobody asked. So a
 * gateway that was started before its nodes becomes ready by itself.
 */
@Injectable()
export class LeaderProbe implements HealthCheck, OnApplicationBootstrap, OnModuleDestroy {
  readonly name = 'leaders';
  private timer: NodeJS.Timeout | undefined;
  private isProbing = false;

  constructor(
    private readonly placement: CurrentPlacement,
    private readonly leaders: LeaderCache,
    private readonly overview: ClusterOverview,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.probe(), PROBE_INTERVAL_MS);
    void this.probe();
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
  }

  /** Ready means that every cluster has a leader as far as this gateway knows. */
  check(): HealthResult {
    const missing = this.withoutLeader().map(({ id }) => id);
    return missing.length === 0
      ? { ok: true }
      : { ok: false, reason: `no known leader of cluster ${missing.join(', ')}` };
  }

  private withoutLeader() {
    return this.placement.clusters.filter(({ id }) => !this.leaders.isKnown(id));
  }

  /** Never rejects. */
  private async probe(): Promise<void> {
    if (this.isProbing) return;
    this.isProbing = true;
    await Promise.all(
      this.withoutLeader().map(async (cluster) => {
        const leader = await this.overview.leaderOf(cluster);
        if (leader !== undefined && !this.leaders.isKnown(cluster.id)) this.leaders.learn(cluster.id, leader);
      }),
    );
    this.isProbing = false;
  }
}
