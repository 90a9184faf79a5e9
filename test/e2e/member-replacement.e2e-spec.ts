import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { LocalNode } from '../../tools/local-cluster/local-cluster.js';
import { eventually } from '../support/eventually.js';
import { RecordedLoad } from '../support/recorded-load.js';
import { runApp } from '../support/run-app.js';
import { PATIENT_GATEWAYS } from '../support/test-cluster.js';
import { TestSystem } from '../support/test-system.js';

const DEADLINE_MS = 90_000;
const COMMAND_TIMEOUT_MS = 120_000;
const REQUESTS = 100;

describe('a dead node of each of three clusters', () => {
  let system: TestSystem;

  /** The nodes that a cluster begins with; the fourth is for later. */
  const firstOf = (clusterId: string): LocalNode[] => system.cluster.nodesOf(clusterId).slice(0, 3);
  const peersOf = (nodes: readonly LocalNode[]): Record<string, string> => ({
    RINGRAFT_PEERS: nodes.map(({ name, address }) => `${name}=${address}`).join(','),
  });

  beforeAll(async () => {
    system = await TestSystem.layOut({ clusters: 3, nodes: 4, gateways: 1, env: PATIENT_GATEWAYS });
    const { clusterIds, gateways } = system.cluster;
    const nodes = clusterIds.flatMap(firstOf);
    for (const node of nodes) node.start(peersOf(firstOf(node.clusterId)));
    const seeds = clusterIds.map((id) => `${id}=${firstOf(id)[0]!.address}`).join(';');
    gateways[0]!.start({ RINGRAFT_CLUSTERS: seeds });
    await Promise.all([...nodes, gateways[0]!].map((server) => server.ready(DEADLINE_MS)));
  }, 180_000);

  afterAll(() => system?.dispose(), 60_000);

  it('is replaced under load by the documented command: no request fails, and all are linearizable', async () => {
    const { clusterIds, gateways, dataDir } = system.cluster;
    const { url } = gateways[0]!;
    const load = new RecordedLoad(url, new Map(clusterIds.map((id) => [id, system.keyTagOf(id)])));
    await load.goOn(REQUESTS, DEADLINE_MS);

    for (const clusterId of clusterIds) {
      const dead = await system.leaderOf(clusterId);
      await dead.kill();
      rmSync(join(dataDir, dead.name), { recursive: true });
      const spare = system.cluster.nodesOf(clusterId)[3]!;
      spare.start({ ...peersOf([spare]), RINGRAFT_JOIN: 'true' });
      await eventually('the new node answers', () => system.grpc(spare).status(), DEADLINE_MS);
      const { code, stdout, stderr } = await runApp('ringctl', {
        args: ['member', 'replace', clusterId, dead.name, spare.name, spare.address, '--endpoint', url],
        timeoutMs: COMMAND_TIMEOUT_MS,
      });
      expect({ code, stderr }).toMatchObject({ code: 0 });
      expect(stdout + stderr).toContain(spare.name);
      await load.goOn(REQUESTS, DEADLINE_MS);
    }

    const expected = clusterIds.map((id) => {
      const running = system.cluster.nodesOf(id).filter(({ isRunning }) => isRunning);
      return running.map(({ name }) => name);
    });
    await eventually(
      'the gateway shows who is there now',
      async () => {
        const { clusters } = (await system.http().get('/v1/cluster')).json<{
          clusters: { nodes: { id: string }[] }[];
        }>();
        const shown = clusters.map(({ nodes }) => nodes.map(({ id }) => id).sort());
        return JSON.stringify(shown) === JSON.stringify(expected);
      },
      DEADLINE_MS,
    );
    const faults = await load.stop();
    process.stdout.write(`replacement: ${load.succeeded} requests, longest gap ${Math.round(load.longestGapMs)} ms\n`);
    expect(load.failures).toEqual([]);
    expect(faults).toEqual([]);
    for (const id of clusterIds) {
      const running = system.cluster.nodesOf(id).filter(({ isRunning }) => isRunning);
      expect(await system.convergedRevisionOf(id, running)).toBeGreaterThan(0);
    }
  }, 500_000);
});
