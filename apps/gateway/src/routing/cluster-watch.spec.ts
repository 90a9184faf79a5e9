import { Registry } from 'prom-client';
import { createLog, loadConfig } from '@app/platform';
import { GatewayConfig } from '../gateway.config.js';
import { CurrentPlacement } from '../hashing/current-placement.js';
import { LeaderCache } from '../leader-cache/leader-cache.js';
import { ClusterMembers } from '../members/cluster-members.js';
import { GatewayMetrics } from '../ops/gateway-metrics.js';
import { FakeCluster } from '../testing/fake-cluster.js';
import { ClusterOverview } from './cluster-overview.js';
import { ClusterWatch } from './cluster-watch.js';
import { NodeStreams } from './node-streams.js';

const DEADLINE_MS = 20_000;

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error('the condition never held');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('ClusterWatch', () => {
  const cleanups: (() => void)[] = [];
  afterEach(() => {
    for (const cleanup of cleanups.splice(0).reverse()) cleanup();
  });

  async function start(id: string, nodes?: number): Promise<FakeCluster> {
    const cluster = await FakeCluster.start(id, nodes);
    cleanups.push(() => cluster.stop());
    return cluster;
  }

  /** The part of a gateway that knows of members, started with these clusters. */
  function watching(clusters: string) {
    const config = loadConfig(GatewayConfig, {
      env: { RINGRAFT_CLUSTERS: clusters, RINGRAFT_STATUS_TIMEOUT_MS: '300', RINGRAFT_REQUEST_TIMEOUT_MS: '50' },
    });
    const placement = new CurrentPlacement(config);
    const leaders = new LeaderCache(new GatewayMetrics(new Registry()));
    const members = new ClusterMembers(placement);
    const streams = new NodeStreams(config);
    const overview = new ClusterOverview(config, placement, members, streams);
    const log = createLog({ level: 'silent', fields: {} });
    const watch = new ClusterWatch(placement, leaders, members, overview, streams, log);
    watch.onApplicationBootstrap();
    cleanups.push(() => {
      watch.onModuleDestroy();
      streams.onApplicationShutdown();
    });
    const ids = (clusterId = 'c1') => members.of(clusterId).map((node) => node.id);
    return { watch, leaders, streams, overview, members, ids };
  }

  it('finds all members and the leader by the address of any one of them', async () => {
    const cluster = await start('c1');
    const { watch, leaders, ids } = watching(`c1=${cluster.nodes[2]!.address}`);
    await until(() => leaders.isKnown('c1'));
    expect(ids()).toEqual(['c1-n1', 'c1-n2', 'c1-n3']);
    expect(leaders.peek('c1')).toEqual({ id: 'c1-n1', address: cluster.nodes[0]!.address });
    expect(watch.check()).toEqual({ ok: true });
  });

  it('finds them by a name', async () => {
    const cluster = await start('c1');
    const { ids } = watching(`c1=localhost:${cluster.nodes[1]!.port}`);
    await until(() => ids().length === 3);
    expect(ids()).toEqual(['c1-n1', 'c1-n2', 'c1-n3']);
  });

  it('follows members that come and go, and closes what leads to those that have left', async () => {
    const cluster = await start('c1', 4);
    const [n1, n2, n3, n4] = cluster.nodes;
    cluster.change(n1!, n2!, n3!);
    const { leaders, streams, ids } = watching(cluster.listing);
    await until(() => leaders.isKnown('c1') && ids().length === 3);
    cluster.leader = n2;
    cluster.term += 1;
    cluster.change(n2!, n3!, n4!);
    await until(() => leaders.peek('c1')?.id === 'c1-n2' && ids().includes('c1-n4'));
    expect(ids()).toEqual(['c1-n2', 'c1-n3', 'c1-n4']);
    await until(() => !streams.addresses.includes(n1!.address));
  });

  it('asks at once when a leader is doubted, and not as often as it is doubted', async () => {
    const cluster = await start('c1');
    const { leaders, ids } = watching(cluster.listing);
    await until(() => leaders.isKnown('c1'));
    const before = cluster.nodes[1]!.statusCalls;
    cluster.change(cluster.nodes[0]!, cluster.nodes[1]!);
    const began = performance.now();
    for (let i = 0; i < 1_000; i++) {
      const known = leaders.peek('c1') ?? { id: 'c1-n1', address: cluster.nodes[0]!.address };
      leaders.doubt('c1', known);
      leaders.learn('c1', known);
    }
    leaders.doubt('c1', leaders.peek('c1')!);
    await until(() => leaders.isKnown('c1') && ids().length === 2);
    const rounds = 2 + (performance.now() - began) / 50;
    expect(cluster.nodes[1]!.statusCalls - before).toBeLessThanOrEqual(rounds);
  });

  it('goes back to the seeds when nobody whom it knows is there any more', async () => {
    const cluster = await start('c1', 3);
    const [n1, n2, n3] = cluster.nodes;
    cluster.change(n2!);
    cluster.leader = n2;
    const { leaders, ids } = watching(`c1=${n1!.address}`);
    await until(() => leaders.isKnown('c1'));
    expect(ids()).toEqual(['c1-n2']);
    n2!.kill();
    cluster.leader = n3;
    cluster.term += 1;
    cluster.change(n3!);
    await until(() => ids().includes('c1-n3'));
    leaders.doubt('c1', { id: 'c1-n2', address: n2!.address });
    await until(() => leaders.peek('c1')?.id === 'c1-n3');
  });

  it('is not ready with a seed of another cluster, and names it', async () => {
    const [c1, c2] = [await start('c1', 1), await start('c2', 1)];
    const { watch, streams, overview } = watching(`c1=${c2.nodes[0]!.address};c2=${c2.nodes[0]!.address}`);
    const found = `at ${c2.nodes[0]!.address} is node c2-n1 of cluster c2, not one of c1`;
    await until(() => watch.check().reason?.includes(found) === true);
    expect(watch.check()).toMatchObject({
      ok: false,
      reason: expect.stringContaining('no known leader of cluster c1') as string,
    });
    expect((await overview.all())[0]).toMatchObject({ leader: undefined, nodes: [{ failure: found }] });
    // And what is sent there all the same is refused.
    const stream = streams.streamTo('c1', c2.nodes[0]!.address);
    const result = await stream.execute({ command: new Uint8Array(1), timeoutMs: DEADLINE_MS });
    expect(result.code).toBe('WRONG_CLUSTER');
    expect([c1, c2].flatMap(({ nodes }) => nodes[0]!.requests)).toEqual([]);
  });

  it('is ready when another seed leads to the cluster, and names the wrong one all the same', async () => {
    const [c1, c2] = [await start('c1', 1), await start('c2', 1)];
    const { watch } = watching(`c1=${c1.nodes[0]!.address}|${c2.nodes[0]!.address};c2=${c2.nodes[0]!.address}`);
    await until(() => watch.check().ok);
    expect(watch.check().reason).toContain('is node c2-n1 of cluster c2, not one of c1');
  });

  it('shows members that were unknown when it was asked', async () => {
    const cluster = await start('c1');
    const { overview } = watching(`c1=wrong-name@${cluster.nodes[1]!.address}`);
    const [status] = await overview.all();
    expect(status?.nodes.map(({ node, status: answer }) => [node.id, answer?.nodeId])).toEqual([
      ['c1-n1', 'c1-n1'],
      ['c1-n2', 'c1-n2'],
      ['c1-n3', 'c1-n3'],
    ]);
    expect(status?.leader?.node.id).toBe('c1-n1');
  });
});
