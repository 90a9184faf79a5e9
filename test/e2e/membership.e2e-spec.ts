import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { httpGet } from '../../tools/local-cluster/http-get.js';
import type { LocalNode } from '../../tools/local-cluster/local-cluster.js';
import { eventually } from '../support/eventually.js';
import { TestSystem } from '../support/test-system.js';

const DEADLINE_MS = 60_000;
const STOP_TIMEOUT_MS = 15_000;
const JOIN = { RINGRAFT_JOIN: 'true' };

describe('members that leave and come', () => {
  let system: TestSystem;

  /** `raft-node --wipe` on the data directory of this node. */
  function wipe(node: LocalNode): { status: number | null; printed: string } {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(process.cwd(), 'dist/apps/raft-node/bundle/main.js'), '--wipe'],
      {
        encoding: 'utf8',
        env: {
          RINGRAFT_CLUSTER_ID: node.clusterId,
          RINGRAFT_NODE_ID: node.name,
          RINGRAFT_DATA_DIR: join(system.cluster.dataDir, node.name),
          RINGRAFT_PEERS: `${node.name}=${node.address}`,
        },
      },
    );
    return { status, printed: stdout + stderr };
  }

  async function membersAsSeenBy(node: LocalNode): Promise<string[]> {
    const { members } = await system.grpc(node).status();
    return members.map(({ nodeId, isLearner }) => (isLearner ? `${nodeId} (learner)` : nodeId)).sort();
  }

  async function joinAndPromote(node: LocalNode): Promise<void> {
    node.start(JOIN);
    await eventually('the node answers', () => system.grpc(node).status(), DEADLINE_MS);
    const leader = await system.leaderOf('c1', node);
    const { members } = await system.grpc(leader).addNode(node.name);
    expect(members).toContainEqual(expect.objectContaining({ nodeId: node.name, isLearner: true }));
    await system.grpc(leader).promoteNode(node.name);
    await eventually(
      `${node.name} knows that it is a voter`,
      async () => (await membersAsSeenBy(node)).includes(node.name),
      DEADLINE_MS,
    );
    await node.ready(DEADLINE_MS);
  }

  beforeAll(async () => {
    system = await TestSystem.start({ clusters: 1, nodes: 3, gateways: 1 });
    for (let i = 0; i < 50; i++) await system.http().put(`/v1/kv/before-${i}`, String(i));
  }, 120_000);

  afterAll(() => system?.dispose(), 60_000);

  it('refuses what makes no sense, and says who leads', async () => {
    const leader = await system.leaderOf('c1');
    const [follower] = await system.followersOf('c1');
    await expect(system.grpc(follower!).removeNode('c1-n1')).rejects.toMatchObject({
      code: 'NOT_LEADER',
      fields: { leader: { nodeId: leader.name, address: leader.address } },
    });
    await expect(system.grpc(leader).addNode('c1-n9')).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
      detail: expect.stringContaining('address: must be given') as string,
    });
    await expect(system.grpc(leader).addNode(follower!.name)).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
      detail: `${follower!.name} is a member already`,
    });
    await expect(system.grpc(leader).promoteNode(follower!.name)).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    await expect(system.grpc(leader).transferLeadership('c1-n9')).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
  }, 60_000);

  it('hands the leadership to whom it is asked to', async () => {
    const leader = await system.leaderOf('c1');
    const [follower] = await system.followersOf('c1');
    const { leaderId, term } = await system.grpc(leader).transferLeadership(follower!.name);
    expect(leaderId).toBe(follower!.name);
    expect((await system.grpc(follower!).status()).term).toBe(term);
    await eventually(
      'the former leader follows',
      async () => (await system.grpc(leader).status()).leaderId === follower!.name,
      DEADLINE_MS,
    );
  }, 60_000);

  it('a node that runs is not wiped', async () => {
    const [follower] = await system.followersOf('c1');
    const { status, printed } = wipe(follower!);
    expect(printed).toContain('in use by another process');
    expect(status).toBe(1);
    expect((await system.grpc(follower!).status()).appliedIndex).toBeGreaterThan(0);
  }, 60_000);

  it('a wiped node is refused under its old identity, and says what to do; removed and added again, it is a member', async () => {
    const [follower] = await system.followersOf('c1');
    const name = follower!.name;
    const { incarnation } = await system.grpc(follower!).status();
    await follower!.stop(STOP_TIMEOUT_MS);
    const { status, printed } = wipe(follower!);
    expect(printed).toContain('--join');
    expect(status).toBe(0);

    follower!.start();
    await eventually(
      'the wiped node says that it is refused',
      async () => {
        const { status: ready, text } = await httpGet(`${follower!.opsUrl}/readyz`, 5_000);
        return ready === 503 && text.includes('another data directory');
      },
      DEADLINE_MS,
    );
    const refused = await system.grpc(follower!).status();
    expect(refused.expulsion).toContain('--join');
    expect(refused.incarnation).not.toBe(incarnation);
    expect(refused.appliedIndex).toBe(0);
    const refusals = (): string[] =>
      follower!.lastLogLines(100).filter((line) => line.includes('another data directory'));
    // The line is written when the step ends: `/readyz` may be ahead of it.
    await eventually('the log names the refusal', () => Promise.resolve(refusals().length > 0), DEADLINE_MS);
    expect(refusals()).toHaveLength(1);
    expect((await system.http().get('/v1/kv/before-7')).text).toBe('7');

    const leader = await system.leaderOf('c1', follower);
    await system.grpc(leader).removeNode(name);
    expect(await membersAsSeenBy(leader)).not.toContain(name);
    await follower!.stop(STOP_TIMEOUT_MS);
    expect(wipe(follower!).status).toBe(0);
    await joinAndPromote(follower!);
    expect(await membersAsSeenBy(leader)).toEqual(['c1-n1', 'c1-n2', 'c1-n3']);
    expect((await system.grpc(follower!).status()).expulsion).toBe('');
  }, 180_000);

  it('the leader is replaced, and what was written stays', async () => {
    const leader = await system.leaderOf('c1');
    await system.grpc(leader).removeNode(leader.name);
    const successor = await system.leaderOf('c1', leader);
    expect(await membersAsSeenBy(successor)).not.toContain(leader.name);
    await eventually(
      'the removed node says so',
      async () => (await system.grpc(leader).status()).expulsion.includes('was removed'),
      DEADLINE_MS,
    );
    expect((await system.http().put('/v1/kv/meanwhile', 'x')).status).toBe(201);
    await leader.stop(STOP_TIMEOUT_MS);
    expect(wipe(leader).status).toBe(0);
    await joinAndPromote(leader);

    const [other] = (await system.followersOf('c1')).filter((node) => node !== leader);
    await other!.kill();
    // The new voter is needed now.
    expect((await system.http().put('/v1/kv/after', 'y')).status).toBe(201);
    expect((await system.http().get('/v1/kv/meanwhile')).text).toBe('x');
    for (let i = 0; i < 50; i++) expect((await system.http().get(`/v1/kv/before-${i}`)).text).toBe(String(i));
    other!.start();
    await system.convergedRevisionOf('c1');
    expect(system.ended).toEqual([]);
  }, 180_000);
});
