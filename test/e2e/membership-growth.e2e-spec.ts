import type { LocalNode } from '../../tools/local-cluster/local-cluster.js';
import { freePorts } from '../../tools/local-cluster/ports.js';
import { eventually } from '../support/eventually.js';
import { RecordedLoad } from '../support/recorded-load.js';
import { PATIENT_GATEWAYS } from '../support/test-cluster.js';
import { TestSystem } from '../support/test-system.js';

const DEADLINE_MS = 60_000;
const STOP_TIMEOUT_MS = 15_000;
/** Between two changes. */
const REQUESTS = 100;

describe('a cluster that grows from one node to three and five, and shrinks to three others', () => {
  let system: TestSystem;

  /** What a node is started with that knows nobody but itself. */
  const alone = (node: LocalNode): Record<string, string> => ({ RINGRAFT_PEERS: `${node.name}=${node.address}` });

  const nodes = (...numbers: number[]): LocalNode[] => numbers.map((n) => system.cluster.node(`c1-n${n}`));

  /** As `id@address`; nothing while nobody leads. */
  async function membersAsSeenBy(gateway: number): Promise<string[]> {
    const { clusters } = (await system.http(gateway).get('/v1/cluster')).json<{
      clusters: { leader: string | null; nodes: { id: string; address: string }[] }[];
    }>();
    return clusters[0]!.leader === null ? [] : clusters[0]!.nodes.map(({ id, address }) => `${id}@${address}`).sort();
  }

  const seesExactly = (gateway: number, members: readonly LocalNode[]): Promise<unknown> => {
    const expected = members.map(({ name, address }) => `${name}@${address}`).sort();
    return eventually(
      `gateway ${gateway} knows ${expected.join(', ')}`,
      async () => (await membersAsSeenBy(gateway)).join() === expected.join(),
      DEADLINE_MS,
    );
  };

  /** One command; then the node becomes a voter by itself. */
  async function add(node: LocalNode): Promise<void> {
    node.start({ ...alone(node), RINGRAFT_JOIN: 'true' });
    await eventually('the node answers', () => system.grpc(node).status(), DEADLINE_MS);
    await system.askLeader('c1', (leader) => leader.joinNode(node.name, node.address));
    await isVoter(node);
  }

  async function isVoter(node: LocalNode): Promise<void> {
    await eventually(
      `${node.name} is a voter`,
      async () => {
        const { members } = await system.grpc(node).status();
        return members.some(({ nodeId, isLearner }) => nodeId === node.name && !isLearner);
      },
      DEADLINE_MS,
    );
    await node.ready(DEADLINE_MS);
  }

  beforeAll(async () => {
    system = await TestSystem.layOut({ clusters: 1, nodes: 5, gateways: 2, env: PATIENT_GATEWAYS });
    const [first] = nodes(1);
    first!.start(alone(first!));
    const [gateway] = system.cluster.gateways;
    gateway!.start({ RINGRAFT_CLUSTERS: `c1=${first!.address}` });
    await Promise.all([first!.ready(DEADLINE_MS), gateway!.ready(DEADLINE_MS)]);
  }, 120_000);

  afterAll(() => system?.dispose(), 60_000);

  it('under load: no request fails, and all are linearizable, through a gateway that was started with the first node only', async () => {
    const load = new RecordedLoad(system.cluster.gateways[0]!.url, new Map([['c1', system.keyTagOf('c1')]]));
    await load.goOn(REQUESTS, DEADLINE_MS);

    for (const node of nodes(2, 3)) await add(node);
    await seesExactly(0, nodes(1, 2, 3));
    await load.goOn(REQUESTS, DEADLINE_MS);

    for (const node of nodes(4, 5)) await add(node);
    await seesExactly(0, nodes(1, 2, 3, 4, 5));
    await load.goOn(REQUESTS, DEADLINE_MS);

    for (const node of nodes(1, 2)) {
      await system.askLeader('c1', (leader) => leader.removeNode(node.name));
      await load.goOn(REQUESTS, DEADLINE_MS);
      await node.stop(STOP_TIMEOUT_MS);
    }
    await seesExactly(0, nodes(3, 4, 5));
    await load.goOn(REQUESTS, DEADLINE_MS);

    const faults = await load.stop();
    process.stdout.write(`growth: ${load.succeeded} requests, longest gap ${Math.round(load.longestGapMs)} ms\n`);
    expect(load.failures).toEqual([]);
    expect(faults).toEqual([]);
    await system.convergedRevisionOf('c1', nodes(3, 4, 5));
  }, 400_000);

  it('a gateway that is started with the address of one of the three that are left finds the others', async () => {
    const [, n4] = nodes(3, 4);
    const [, gateway] = system.cluster.gateways;
    gateway!.start({ RINGRAFT_CLUSTERS: `c1=${n4!.address}` });
    await gateway!.ready(DEADLINE_MS);
    await seesExactly(1, nodes(3, 4, 5));
    expect((await system.http(1).put('/v1/kv/still-there', 'x')).status).toBe(201);
    expect((await system.http(0).get('/v1/kv/still-there')).text).toBe('x');
  }, 120_000);

  it('a node that was started with nobody but itself is restarted as it was, and finds its cluster', async () => {
    const [, n4] = nodes(3, 4);
    await n4!.stop(STOP_TIMEOUT_MS);
    n4!.start({ ...alone(n4!), RINGRAFT_JOIN: 'true' });
    await n4!.ready(DEADLINE_MS);
    expect(await system.convergedRevisionOf('c1', nodes(3, 4, 5))).toBeGreaterThan(0);
  }, 120_000);

  it('says why a change would lose the quorum, and what to do', async () => {
    const leader = await system.leaderOf('c1');
    const [silent, other] = nodes(3, 4, 5).filter((node) => node !== leader);
    await silent!.kill();
    await eventually(
      'the leader misses it',
      async () => {
        const { members } = await system.grpc(leader).status();
        return members.some(({ nodeId, isActive }) => nodeId === silent!.name && !isActive);
      },
      DEADLINE_MS,
    );
    await expect(system.grpc(leader).removeNode(other!.name)).rejects.toMatchObject({
      code: 'WOULD_LOSE_QUORUM',
      detail: expect.stringContaining(
        `bring ${silent!.name} back, or remove or replace ${silent!.name} first`,
      ) as string,
    });
    expect((await system.http(0).get('/v1/kv/still-there')).text).toBe('x');
    silent!.start({ ...alone(silent!), RINGRAFT_JOIN: 'true' });
    await silent!.ready(DEADLINE_MS);
  }, 180_000);

  it('finds a member again that has moved, once it is told', async () => {
    const leader = await system.leaderOf('c1');
    const [moving] = nodes(3, 4, 5).filter((node) => node !== leader);
    const [port] = await freePorts(1);
    const address = `127.0.0.1:${port}`;
    await moving!.stop(STOP_TIMEOUT_MS);
    moving!.start({ RINGRAFT_LISTEN: address, RINGRAFT_PEERS: `${moving!.name}=${address}`, RINGRAFT_JOIN: 'true' });
    await system.grpc(leader).updateNode(moving!.name, address);
    await moving!.ready(DEADLINE_MS);
    await eventually(
      'the leader hears it there',
      async () => {
        const { members } = await system.grpc(leader).status();
        return members.some(
          (member) => member.nodeId === moving!.name && member.address === address && member.isActive,
        );
      },
      DEADLINE_MS,
    );
    await eventually(
      'the gateway knows',
      async () => (await membersAsSeenBy(0)).includes(`${moving!.name}@${address}`),
      DEADLINE_MS,
    );
    expect((await system.http(0).get('/v1/kv/still-there')).text).toBe('x');
  }, 180_000);
});
