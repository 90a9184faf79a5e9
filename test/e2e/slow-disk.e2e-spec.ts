import { join } from 'node:path';
import { ordersPath, writeJson, type DiskOrders } from '../../tools/faults/disk-orders.js';
import type { LocalNode } from '../../tools/local-cluster/local-cluster.js';
import { eventually } from '../support/eventually.js';
import { HttpClient } from '../support/http-client.js';
import { TestSystem } from '../support/test-system.js';

const DEADLINE_MS = 60_000;
const SLOW_DISK_MS = 300;

describe('a leader with a bad disk', () => {
  let system: TestSystem;
  let orders = 0;

  beforeAll(async () => {
    system = await TestSystem.start({
      nodeScript: join(process.cwd(), 'dist/tools/faulty-node/main.js'),
      env: { RINGRAFT_SLOW_DISK_MS: String(SLOW_DISK_MS) },
    });
    await system.http().put('/v1/kv/key', 'before');
  }, 120_000);

  afterAll(() => system?.dispose(), 60_000);

  function order(node: LocalNode, what: Partial<DiskOrders>): void {
    orders += 1;
    const path = ordersPath(join(system.cluster.dataDir, node.name));
    writeJson(path, { number: orders, delaysMs: {}, hanging: [], ...what });
  }

  async function readiness(node: LocalNode): Promise<string> {
    const http = new HttpClient(node.opsUrl);
    try {
      return (await http.get('/readyz?verbose')).text;
    } finally {
      http.close();
    }
  }

  it.each<[string, Partial<DiskOrders>, RegExp]>([
    ['hangs', { hanging: ['sync'] }, /^\[-\]disk failed: a write of the log in .* has been under way for \d+ ms/m],
    ['is slow', { delaysMs: { sync: 3 * SLOW_DISK_MS } }, /^\[-\]disk failed: .* of the log in /m],
  ])(
    'that %s makes another one lead, without an error for clients, and is well again when the disk is',
    async (_what, faults, reason) => {
      const node = await system.leaderOf('c1');
      let isWriting = true;
      const statuses: number[] = [];
      const writer = (async () => {
        while (isWriting) statuses.push((await system.http().put('/v1/kv/key', 'during')).status);
      })();
      order(node, faults);
      await eventually(
        `${node.name} says what is wrong with its disk`,
        async () => reason.test(await readiness(node)),
        DEADLINE_MS,
      );
      const next = await system.leaderOf('c1', node);
      const answered = statuses.length;
      await eventually('writes go on', () => statuses.length > answered + 1, DEADLINE_MS);
      isWriting = false;
      await writer;
      expect(statuses.filter((status) => status !== 200)).toEqual([]);
      await eventually(
        `the disk of ${next.name} is well`,
        async () => /^\[\+\]disk ok/m.test(await readiness(next)),
        DEADLINE_MS,
      );

      order(node, {});
      await eventually(
        `${node.name} is well`,
        async () => (await readiness(node)).includes('readyz check passed'),
        DEADLINE_MS,
      );
      await system.convergedRevisionOf('c1');
      expect(system.ended).toEqual([]);
    },
    120_000,
  );
});
