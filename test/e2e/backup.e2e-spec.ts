import { join } from 'node:path';
import type { SaveResponse } from '@app/rpc';
import { BackupClient } from '@app/rpc';
import { restoreBackup, verifyBackup, type BackupSummary } from '@app/storage';
import { eventually } from '../support/eventually.js';
import { TestSystem } from '../support/test-system.js';

const DEADLINE_MS = 60_000;
/** RINGRAFT_TEST_BACKUP_FULL=1: three clusters of three nodes instead of one. */
const CLUSTERS = process.env.RINGRAFT_TEST_BACKUP_FULL ? 3 : 1;
const NODES = 3;
const KEYS_BEFORE = 300;

interface Saved {
  readonly file: Buffer;
  readonly summary: BackupSummary;
  /** Acknowledged before the save was asked for: key and revision. */
  readonly before: ReadonlyMap<string, number>;
}

async function* streamOf(file: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(file);
}

describe('a backup that is saved during load and restored into a new cluster', () => {
  let old: TestSystem;
  let fresh: TestSystem;
  const systems: TestSystem[] = [];
  const clusterIds = Array.from({ length: CLUSTERS }, (_, i) => `c${i + 1}`);
  const saved = new Map<string, Saved>();

  async function saveDuringLoad(clusterId: string): Promise<void> {
    const leader = old.grpc(await old.leaderOf(clusterId));
    const acknowledged = new Map<string, number>();
    const write = async (i: number): Promise<void> => {
      const { revision } = await leader.set(`key-${i}`, `value of ${i}`);
      acknowledged.set(`key-${i}`, Number(revision));
    };
    await Promise.all(Array.from({ length: KEYS_BEFORE }, (_, i) => write(i)));
    let isLoading = true;
    const load = (async () => {
      for (let i = KEYS_BEFORE; isLoading; i++) await write(i);
    })();
    const before = new Map(acknowledged);
    const chunks: Uint8Array[] = [];
    const call = leader.channel.client(BackupClient).save({});
    for await (const response of call) chunks.push((response as SaveResponse).data);
    const countAtEnd = acknowledged.size;
    await eventually('writes go on', () => Promise.resolve(acknowledged.size > countAtEnd), DEADLINE_MS);
    isLoading = false;
    await load;
    const file = Buffer.concat(chunks);
    saved.set(clusterId, { file, summary: await verifyBackup(streamOf(file)), before });
  }

  beforeAll(async () => {
    old = await TestSystem.start({ clusters: CLUSTERS, nodes: NODES, gateways: 1 });
    systems.push(old);
    for (const clusterId of clusterIds) await saveDuringLoad(clusterId);
    await old.cluster.stop(DEADLINE_MS);
    fresh = await TestSystem.layOut({ clusters: CLUSTERS, nodes: NODES, gateways: 1 });
    systems.push(fresh);
    for (const clusterId of clusterIds) {
      const nodes = fresh.cluster.nodes.filter(({ name }) => name.startsWith(`${clusterId}-`));
      const peers = Object.fromEntries(nodes.map(({ name, address }) => [name, address]));
      const { file } = saved.get(clusterId)!;
      for (const { name } of nodes) {
        const dataDirectory = join(fresh.cluster.dataDir, name);
        await restoreBackup(() => streamOf(file), { dataDirectory, clusterId, nodeId: name, peers });
      }
    }
    await fresh.startAll();
  }, 2 * DEADLINE_MS);

  afterAll(async () => {
    for (const system of systems) await system.dispose();
  });

  it('has on all nodes the revision and the content hash of the file', async () => {
    for (const clusterId of clusterIds) {
      const { header } = saved.get(clusterId)!.summary;
      for (const node of fresh.cluster.nodes.filter(({ name }) => name.startsWith(`${clusterId}-`))) {
        await eventually(
          `${node.name} has applied what the file holds`,
          async () => Number((await fresh.grpc(node).status()).revision) >= header.revision,
          DEADLINE_MS,
        );
        const { revision, contentHash } = await fresh.grpc(node).status();
        expect([Number(revision), contentHash]).toEqual([header.revision, header.contentHash]);
      }
    }
  });

  it('holds every key that was acknowledged before, with its value and revision, and takes writes', async () => {
    for (const clusterId of clusterIds) {
      const { before, summary } = saved.get(clusterId)!;
      expect(before.size).toBeGreaterThanOrEqual(KEYS_BEFORE);
      const leader = fresh.grpc(await fresh.leaderOf(clusterId));
      for (const [key, revision] of before) {
        const stored = await leader.get(key);
        expect([stored.found, stored.value.toString(), Number(stored.revision)]).toEqual([
          true,
          `value of ${key.slice('key-'.length)}`,
          revision,
        ]);
      }
      const { revision } = await leader.set('after', 'x');
      expect(Number(revision)).toBe(summary.header.revision + 1);
    }
  });

  it('is refused when it is damaged, with the place', async () => {
    const { file } = saved.get('c1')!;
    const damaged = Uint8Array.from(file);
    damaged[file.length >> 1]! ^= 1;
    await expect(verifyBackup(streamOf(damaged))).rejects.toThrow(/is damaged at byte \d+/);
  });
});
