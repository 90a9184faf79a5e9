import { eventually } from '../support/eventually.js';
import { Load } from '../support/load.js';
import { PATIENT_GATEWAYS } from '../support/test-cluster.js';
import { TestSystem } from '../support/test-system.js';

const PROGRESS_DEADLINE_MS = 60_000;
const CATCH_UP_DEADLINE_MS = 60_000;
/** What every client does in a cluster before its leader is killed, and again before the next kill. */
const OPERATIONS_BETWEEN_KILLS = 15;

describe('kill -9 of the leader of each cluster, one after the other, under load', () => {
  const load = new Load();
  const keyTags = new Map<string, string>();
  const revisionsBefore = new Map<string, number>();
  let system: TestSystem;

  async function progress(clusterId: string): Promise<void> {
    const keyTag = keyTags.get(clusterId)!;
    const target = load.progressOf(keyTag) + OPERATIONS_BETWEEN_KILLS;
    await eventually(
      `each client of cluster ${clusterId} has finished ${OPERATIONS_BETWEEN_KILLS} operations`,
      () => load.hasFailed || load.progressOf(keyTag) >= target,
      PROGRESS_DEADLINE_MS,
    );
  }

  /** Kills the leader and starts it again once the others serve. */
  async function replaceLeader(clusterId: string): Promise<void> {
    await progress(clusterId);
    const leader = await system.leaderOf(clusterId);
    await leader.kill();
    await progress(clusterId);
    const successor = await system.leaderOf(clusterId, leader);
    leader.start();
    const { commitIndex } = await system.grpc(successor).status();
    await eventually(
      `${leader.name} has caught up`,
      async () => (await system.grpc(leader).status()).appliedIndex >= commitIndex,
      CATCH_UP_DEADLINE_MS,
    );
  }

  beforeAll(async () => {
    system = await TestSystem.start({ clusters: 3, nodes: 3, gateways: 1, env: PATIENT_GATEWAYS });
    const http = system.http();
    for (const clusterId of system.cluster.clusterIds) {
      const keyTag = system.keyTagOf(clusterId);
      keyTags.set(clusterId, keyTag);
      revisionsBefore.set(clusterId, await system.convergedRevisionOf(clusterId));
      load.addWriter(http, keyTag, 'a');
      load.addWriter(http, keyTag, 'b');
      load.addCompareAndSetChain(http, keyTag, 'a');
      load.addIncrementer(http, keyTag, 'shared');
      load.addIncrementer(http, keyTag, 'shared');
    }
  }, 120_000);

  afterAll(() => system?.dispose(), 60_000);

  it('fails no request', async () => {
    for (const clusterId of system.cluster.clusterIds) await replaceLeader(clusterId);
    await load.stop();
    process.stdout.write(`failover: longest request: ${Math.round(load.longestRequestMs)} ms\n`);
    expect(load.longestRequestMs).toBeLessThan(20_000);
  }, 300_000);

  it('keeps the last acknowledged value and ETag of every key', async () => {
    expect(load.writtenKeys.length).toBeGreaterThan(0);
    await load.verify(system.http());
  }, 60_000);

  it('applies every acknowledged write exactly once: each has a revision of its own, and there is no other', async () => {
    for (const clusterId of system.cluster.clusterIds) {
      const before = revisionsBefore.get(clusterId)!;
      const revisions = load.revisionsOf(clusterId);
      expect(revisions.length).toBeGreaterThan(0);
      expect(revisions).toEqual(revisions.map((_, i) => before + 1 + i));
      expect(await system.convergedRevisionOf(clusterId)).toBe(before + revisions.length);
    }
  }, 60_000);

  it('counts every acknowledged increment exactly once', () => {
    for (const keyTag of keyTags.values()) {
      const counts = load.countsOf(keyTag, 'shared');
      expect(counts.length).toBeGreaterThan(0);
      expect(counts).toEqual(counts.map((_, i) => i + 1));
    }
  });

  it('ended no process but those that were killed, and they run again', () => {
    expect(system.ended).toEqual([]);
  });
});
