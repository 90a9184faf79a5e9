import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Metadata } from '@grpc/grpc-js';
import { MembershipClient } from '@app/rpc';
import { mountSmallFileSystem, type SmallFileSystem } from '../../libs/storage/src/testing/small-file-system.js';
import type { LocalNode } from '../../tools/local-cluster/local-cluster.js';
import { eventually } from '../support/eventually.js';
import { HttpClient } from '../support/http-client.js';
import { TestSystem } from '../support/test-system.js';

const MEBIBYTE = 1024 * 1024;
const DISK_MEBIBYTES = 48;
/** A quarter of it has to hold what LevelDB still writes of its buffer (8 MiB) once writes are refused. */
const RESERVE_BYTES = 20 * MEBIBYTE;
const DEADLINE_MS = 90_000;
const ENV = {
  RINGRAFT_DISK_RESERVE_BYTES: String(RESERVE_BYTES),
  RINGRAFT_SEGMENT_BYTES_MAX: String(MEBIBYTE),
  RINGRAFT_LOG_BYTES_MAX: String(2 * MEBIBYTE),
  RINGRAFT_RETAINED_ENTRIES: '10',
};

describe('a full disk', () => {
  let system: TestSystem;
  const disks = new Map<string, SmallFileSystem>();

  afterEach(async () => {
    await system?.dispose();
    for (const disk of disks.values()) disk.unmount();
    disks.clear();
  }, 120_000);

  /** A cluster in which the nodes of these numbers have small disks of their own. False where there can be none. */
  async function start(small: readonly number[]): Promise<boolean> {
    system = await TestSystem.layOut({ env: ENV });
    mkdirSync(system.cluster.dataDir, { recursive: true });
    for (const number of small) {
      const disk = mountSmallFileSystem(DISK_MEBIBYTES);
      if (disk === undefined) return false;
      const name = system.cluster.nodes[number]!.name;
      disks.set(name, disk);
      symlinkSync(disk.directory, join(system.cluster.dataDir, name));
    }
    await system.startAll();
    return true;
  }

  const ballastOf = (node: LocalNode) => join(disks.get(node.name)!.directory, 'ballast');

  /** Another program's file grows until only so much is free. */
  async function leaveFree(node: LocalNode, bytes: number): Promise<void> {
    const free = await metric(node, 'ringraft_disk_free_bytes');
    writeFileSync(ballastOf(node), Buffer.alloc(Math.max(0, free - bytes)));
  }

  async function ops(node: LocalNode, path: string): Promise<{ status: number; text: string }> {
    const http = new HttpClient(node.opsUrl);
    try {
      return await http.get(path);
    } finally {
      http.close();
    }
  }

  async function metric(node: LocalNode, name: string): Promise<number> {
    const line = (await ops(node, '/metrics')).text.split('\n').find((each) => each.startsWith(`${name}{`));
    if (line === undefined) throw new Error(`${node.name} has no ${name}`);
    return Number(line.slice(line.lastIndexOf(' ')));
  }

  const isFull = (node: LocalNode, expected: 0 | 1) =>
    eventually(
      `${node.name} ${expected ? 'is' : 'is no longer'} full`,
      async () => (await metric(node, 'ringraft_storage_full')) === expected,
      DEADLINE_MS,
    );

  const put = (key: string, value: Buffer) => system.http().put(`/v1/kv/${key}`, value);

  it('of the leader makes another one lead: no write is refused, and the node catches up when there is room', async () => {
    if (!(await start([0]))) return;
    const node = system.cluster.nodes[0]!;
    await eventually(
      `${node.name} leads`,
      async () => {
        const leader = await system.leaderOf('c1');
        if (leader === node) return true;
        const membership = system.grpc(leader).channel.client(MembershipClient);
        const deadline = Date.now() + 2_000;
        await new Promise<void>((resolve) =>
          membership.transferLeadership({ nodeId: node.name }, new Metadata(), { deadline }, () => resolve()),
        );
        return false;
      },
      DEADLINE_MS,
    );

    let isWriting = true;
    const statuses: number[] = [];
    const writer = (async () => {
      for (let i = 0; isWriting; i++) statuses.push((await put(`k${i % 10}`, Buffer.from(`value ${i}`))).status);
    })();
    await leaveFree(node, RESERVE_BYTES / 2);
    await isFull(node, 1);
    await system.leaderOf('c1', node);
    isWriting = false;
    await writer;
    expect(statuses.filter((status) => status !== 200 && status !== 201)).toEqual([]);
    expect(statuses.length).toBeGreaterThan(0);

    const readiness = await ops(node, '/readyz');
    expect(readiness.status).toBe(503);
    expect(readiness.text).toMatch(
      /^\[-\]disk failed: the file system of .* bytes free, and 20971520 are to stay free/m,
    );
    expect((await ops(node, '/livez')).status).toBe(200);
    await eventually(
      'GET /v1/cluster says what is wrong',
      async () => (await system.http().get('/v1/cluster')).text.includes('are to stay free'),
      DEADLINE_MS,
    );

    // Not a byte is left for what the others commit meanwhile.
    rmSync(ballastOf(node));
    await leaveFree(node, 0);
    for (let i = 0; i < 12; i++) expect((await put(`large-${i}`, Buffer.alloc(MEBIBYTE, i))).status).toBe(201);
    expect(node.isRunning).toBe(true);
    const leader = await system.leaderOf('c1');
    expect(leader.name).not.toBe(node.name);

    rmSync(ballastOf(node));
    await eventually(
      `${node.name} has caught up`,
      async () => {
        const [one, other] = await Promise.all([system.grpc(node).status(), system.grpc(leader).status()]);
        return one.revision === other.revision && one.contentHash === other.contentHash;
      },
      DEADLINE_MS,
    );
    expect(node.isRunning).toBe(true);
  }, 300_000);

  it('of all nodes refuses writes with 507, serves reads and deletes, and ends by itself; nothing acknowledged is lost', async () => {
    if (!(await start([0, 1, 2]))) return;
    const nodes = system.cluster.nodes;
    for (const node of nodes) writeFileSync(ballastOf(node), Buffer.alloc(6 * MEBIBYTE));
    const acknowledged = new Map<string, Buffer>();
    const refused = await eventually(
      'a write is refused',
      async () => {
        const key = `key-${acknowledged.size}`;
        const value = randomBytes(128 * 1024);
        const answer = await put(key, value);
        // 200 where an earlier try had an unknown outcome, and was applied.
        if (answer.status === 201 || answer.status === 200) acknowledged.set(key, value);
        return answer.status === 507 ? answer : undefined;
      },
      DEADLINE_MS,
    );
    expect(refused.headers['content-type']).toBe('application/problem+json');
    expect(refused.json()).toMatchObject({
      type: 'urn:ringraft:error:STORAGE_FULL',
      status: 507,
      code: 'STORAGE_FULL',
      outcome: 'not_applied',
      retryable: false,
      detail: expect.stringMatching(/bytes free, and 20971520 are to stay free/) as string,
    });
    expect(acknowledged.size).toBeGreaterThan(10);

    const classic = await eventually(
      'a classic write is refused',
      async () => {
        const answer = await system.http().classic('refused', 'SET|refused|v');
        return answer.status === 507 ? answer : undefined;
      },
      DEADLINE_MS,
    );
    expect(classic.text).toBe('{"response":"","error_code":"STORAGE_FULL"}');
    expect((await system.http().get('/v1/kv/refused')).status).toBe(404);

    for (const [key, value] of acknowledged) {
      const { status, body } = await system.http().get(`/v1/kv/${key}`);
      expect({ key, status, isEqual: body.equals(value) }).toEqual({ key, status: 200, isEqual: true });
    }
    const [deleted] = acknowledged.keys();
    expect((await system.http().delete(`/v1/kv/${deleted}`)).status).toBe(204);
    expect((await system.http().get(`/v1/kv/${deleted}`)).status).toBe(404);
    acknowledged.delete(deleted!);

    for (const node of nodes) rmSync(ballastOf(node));
    for (const node of nodes) await isFull(node, 0);
    const key = 'after';
    const after = await put(key, Buffer.from('room again'));
    expect(after.status).toBe(201);
    acknowledged.set(key, Buffer.from('room again'));
    expect(system.ended).toEqual([]);

    await system.cluster.killAll();
    await system.startAll();
    for (const [name, value] of acknowledged) {
      expect((await system.http().get(`/v1/kv/${name}`)).body.equals(value)).toBe(true);
    }
    expect((await system.http().get(`/v1/kv/${deleted}`)).status).toBe(404);
    expect((await system.http().get('/v1/kv/refused')).status).toBe(404);
  }, 300_000);
});
