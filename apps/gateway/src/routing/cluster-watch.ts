import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { LOG, type HealthCheck, type HealthResult, type Log } from '@app/platform';
import type { PlacedCluster } from '@app/placement';
import { CurrentPlacement } from '../hashing/current-placement.js';
import { LeaderCache } from '../leader-cache/leader-cache.js';
import { ClusterMembers, haveSame } from '../members/cluster-members.js';
import { ClusterOverview } from './cluster-overview.js';
import { NodeStreams } from './node-streams.js';

/** How often clusters without a known leader are asked for one. */
const LOOK_INTERVAL_MS = 250;

/** How often the leader of each other cluster is asked who the members are. Their hints tell of most changes before. */
const REFRESH_INTERVAL_MS = 2_000;

/** However often leaders are doubted, a cluster is not asked again before. */
const ASK_INTERVAL_MIN_MS = 50;

interface Watched {
  readonly cluster: PlacedCluster;
  isAsking: boolean;
  askedAtMs: number;
}

/**
 * Asks clusters who leads them and who their members are: at the start, from time to time, and at once when a leader is doubted. So a gateway
 * that was started before its nodes becomes ready by itself, and one follows members that come and go.
 */
@Injectable()
export class ClusterWatch implements HealthCheck, OnApplicationBootstrap, OnModuleDestroy {
  readonly name = 'leaders';
  private readonly watched: ReadonlyMap<string, Watched>;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    placement: CurrentPlacement,
    private readonly leaders: LeaderCache,
    private readonly members: ClusterMembers,
    private readonly overview: ClusterOverview,
    private readonly streams: NodeStreams,
    @Inject(LOG) private readonly log: Log,
  ) {
    this.watched = new Map(
      placement.clusters.map((cluster) => [cluster.id, { cluster, isAsking: false, askedAtMs: -Infinity }]),
    );
  }

  onApplicationBootstrap(): void {
    this.leaders.onDoubt((clusterId) => {
      const watched = this.watched.get(clusterId);
      if (watched !== undefined) void this.ask(watched);
    });
    this.timer = setInterval(() => this.look(), LOOK_INTERVAL_MS);
    this.look();
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
    this.leaders.onDoubt(undefined);
  }

  /** Ready means that every cluster has a leader as far as this gateway knows. */
  check(): HealthResult {
    const missing = [...this.watched.keys()].filter((id) => !this.leaders.isKnown(id));
    const reasons = [
      ...(missing.length > 0 ? [`no known leader of cluster ${missing.join(', ')}`] : []),
      ...this.members.foreignNodes.map((found) => `refused: ${found}`),
    ];
    const ok = missing.length === 0;
    return reasons.length > 0 ? { ok, reason: reasons.join('; ') } : { ok };
  }

  private look(): void {
    const nowMs = performance.now();
    for (const watched of this.watched.values()) {
      const isDue = nowMs - watched.askedAtMs >= REFRESH_INTERVAL_MS;
      if (isDue || !this.leaders.isKnown(watched.cluster.id)) void this.ask(watched);
    }
    this.streams.retain(new Set([...this.members.addresses, ...this.leaders.addresses]));
  }

  /** Never rejects. */
  private async ask(watched: Watched): Promise<void> {
    const nowMs = performance.now();
    if (watched.isAsking || nowMs - watched.askedAtMs < ASK_INTERVAL_MIN_MS) return;
    watched.isAsking = true;
    watched.askedAtMs = nowMs;
    const { cluster } = watched;
    const before = this.members.of(cluster.id);
    const known = this.leaders.peek(cluster.id);
    if (known === undefined || !(await this.overview.doesLead(cluster, known))) {
      const leader = await this.overview.leaderOf(cluster);
      // Unless a request has found it meanwhile.
      if (leader !== undefined && this.leaders.peek(cluster.id) === known) this.leaders.learn(cluster.id, leader);
    }
    watched.isAsking = false;
    const now = this.members.of(cluster.id);
    if (!haveSame(before, now)) {
      this.log.info({ cluster: cluster.id, members: now.map(({ id, address }) => `${id}@${address}`) }, 'members');
    }
  }
}
