import type { LocalNode } from '../../tools/local-cluster/local-cluster.js';
import { BalancedClient } from '../support/balanced-client.js';
import { eventually } from '../support/eventually.js';
import { Load } from '../support/load.js';
import { PATIENT_GATEWAYS } from '../support/test-cluster.js';
import { TestSystem } from '../support/test-system.js';

const DEADLINE_MS = 60_000;
const STOP_TIMEOUT_MS = 15_000;

describe('a rolling restart of all nodes of three clusters, and of one of two gateways, under load', () => {
  const load = new Load();
  let system: TestSystem;
  let http: BalancedClient;

  async function hasCaughtUp(node: LocalNode): Promise<void> {
    await node.ready(DEADLINE_MS);
    const leader = await system.leaderOf(node.clusterId);
    const { commitIndex } = await system.grpc(leader).status();
    await eventually(
      `${node.name} has caught up`,
      async () => (await system.grpc(node).status()).appliedIndex >= commitIndex,
      DEADLINE_MS,
    );
  }

  beforeAll(async () => {
    system = await TestSystem.start({ clusters: 3, nodes: 3, gateways: 2, env: PATIENT_GATEWAYS });
    http = new BalancedClient(system.cluster.gateways.map(({ url }) => url));
    for (const clusterId of system.cluster.clusterIds) {
      const keyTag = system.keyTagOf(clusterId);
      load.addWriter(http, keyTag, 'a');
      load.addCompareAndSetChain(http, keyTag, 'a');
      load.addIncrementer(http, keyTag, 'shared');
    }
  }, 120_000);

  afterAll(async () => {
    await load.stop().catch(() => undefined);
    await http?.end();
    await system?.dispose();
  }, 60_000);

  it('fails no request, and every process ends with exit code 0', async () => {
    for (const clusterId of system.cluster.clusterIds) {
      // The leader first: later the leadership may already be at a node that is not stopped any more.
      const leader = await system.leaderOf(clusterId);
      const others = system.cluster.nodesOf(clusterId).filter((node) => node !== leader);
      for (const node of [leader, ...others]) {
        expect(await node.stop(STOP_TIMEOUT_MS)).toEqual({ code: 0, signal: null });
        node.start();
        await hasCaughtUp(node);
        expect(load.hasFailed).toBe(false);
      }
    }
    const [gateway] = system.cluster.gateways;
    expect(await gateway!.stop(STOP_TIMEOUT_MS)).toEqual({ code: 0, signal: null });
    gateway!.start();
    await gateway!.ready(DEADLINE_MS);
    await load.stop();
    process.stdout.write(`rolling restart: longest request: ${Math.round(load.longestRequestMs)} ms\n`);
  }, 300_000);

  it('keeps the last acknowledged value of every key, and counts every increment once', async () => {
    await load.verify(http);
    for (const clusterId of system.cluster.clusterIds) {
      const counts = load.countsOf(system.keyTagOf(clusterId), 'shared');
      expect(counts.length).toBeGreaterThan(0);
      expect(counts).toEqual(counts.map((_, i) => i + 1));
    }
  }, 60_000);
});
