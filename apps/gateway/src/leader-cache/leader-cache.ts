import { Injectable } from '@nestjs/common';
import type { PlacedNode } from '@app/placement';
import { GatewayMetrics } from '../ops/gateway-metrics.js';

/**
 * Who leads each cluster, as far as answers have told. It may be wrong at any time: a wrong leader refuses, and the
 * refusal corrects the cache. Nothing but speed depends on it.
 */
@Injectable()
export class LeaderCache {
  private readonly leaders = new Map<string, PlacedNode>();
  private doubted: ((clusterId: string) => void) | undefined;

  constructor(private readonly metrics: GatewayMetrics) {}

  /** For a request that is about to be sent; counts hits and misses. */
  leaderOf(clusterId: string): PlacedNode | undefined {
    const leader = this.leaders.get(clusterId);
    if (leader === undefined) this.metrics.leaderCacheMisses.inc();
    else this.metrics.leaderCacheHits.inc();
    return leader;
  }

  isKnown(clusterId: string): boolean {
    return this.leaders.has(clusterId);
  }

  /** Without counting: not for a request. */
  peek(clusterId: string): PlacedNode | undefined {
    return this.leaders.get(clusterId);
  }

  /** Where known leaders are. */
  get addresses(): string[] {
    return [...this.leaders.values()].map(({ address }) => address);
  }

  /** Called whenever a leader was dropped. */
  onDoubt(listener: ((clusterId: string) => void) | undefined): void {
    this.doubted = listener;
  }

  /** `node` answered as a leader does, or was named as the leader. */
  learn(clusterId: string, node: PlacedNode): void {
    if (this.leaders.get(clusterId)?.address !== node.address) this.leaders.set(clusterId, node);
  }

  /** `node` did not answer as a leader does. Without effect if the cache has moved on to another. */
  doubt(clusterId: string, node: PlacedNode): void {
    if (this.leaders.get(clusterId)?.address !== node.address) return;
    this.leaders.delete(clusterId);
    this.metrics.leaderCacheStale.inc();
    this.doubted?.(clusterId);
  }
}
