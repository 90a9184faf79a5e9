import { Registry } from 'prom-client';
import { loadConfig } from '@app/platform';
import { GatewayConfig } from '../gateway.config.js';
import { CurrentPlacement } from '../hashing/current-placement.js';
import { LeaderCache } from '../leader-cache/leader-cache.js';
import { ClusterMembers } from '../members/cluster-members.js';
import { GatewayMetrics } from '../ops/gateway-metrics.js';
import { ClusterCaller } from '../routing/cluster-caller.js';
import { KvRouter } from '../routing/kv-router.js';
import { NodeStreams } from '../routing/node-streams.js';
import { WriteSessions } from '../routing/write-sessions.js';

/** The routing part of a gateway, assembled as its modules do. */
export function createTestRouter(clusters: string, env: Readonly<Record<string, string>> = {}) {
  const config = loadConfig(GatewayConfig, { env: { RINGRAFT_CLUSTERS: clusters, ...env } });
  const metrics = new GatewayMetrics(new Registry());
  const placement = new CurrentPlacement(config);
  const leaders = new LeaderCache(metrics);
  const members = new ClusterMembers(placement);
  const nodes = new NodeStreams(config);
  const caller = new ClusterCaller(config, leaders, members, nodes, metrics);
  const router = new KvRouter(config, placement, caller, new WriteSessions(caller));
  return { router, leaders, metrics, placement, stop: () => nodes.onApplicationShutdown() };
}
