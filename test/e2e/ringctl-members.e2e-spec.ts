import type { LocalNode } from '../../tools/local-cluster/local-cluster.js';
import { eventually } from '../support/eventually.js';
import { ringctl, type RingctlResult } from '../support/ringctl.js';
import { TestSystem } from '../support/test-system.js';

const DEADLINE_MS = 60_000;

interface Members {
  readonly leader: string | null;
  readonly nodes: readonly { id: string; address: string; is_learner: boolean | null; is_joining: boolean | null }[];
}

describe('ringctl member', () => {
  let system: TestSystem;

  const node = (n: number): LocalNode => system.cluster.node(`c1-n${n}`);

  /** Knows nobody but itself. */
  const alone = ({ name, address }: LocalNode): Record<string, string> => ({ RINGRAFT_PEERS: `${name}=${address}` });

  async function startJoining(joining: LocalNode): Promise<void> {
    joining.start({ ...alone(joining), RINGRAFT_JOIN: 'true' });
    await eventually('the node answers', () => system.grpc(joining).status(), DEADLINE_MS);
  }

  function run(...args: readonly string[]): Promise<RingctlResult> {
    return ringctl(['member', ...args, '--timeout', '30s'], { env: { RINGRAFT_ENDPOINT: system.http().baseUrl } });
  }

  async function expectSuccess(...args: readonly string[]): Promise<RingctlResult> {
    const result = await run(...args);
    expect({ args, code: result.code, stderr: result.code === 0 ? '' : result.stderr }).toEqual({
      args,
      code: 0,
      stderr: '',
    });
    return result;
  }

  async function members(): Promise<Members> {
    return (await expectSuccess('list', 'c1', '-o', 'json')).json<Members>();
  }

  async function voters(): Promise<string[]> {
    return (await members()).nodes.filter((member) => member.is_learner === false).map(({ id }) => id);
  }

  beforeAll(async () => {
    system = await TestSystem.layOut({ clusters: 1, nodes: 4, gateways: 1 });
    const [gateway] = system.cluster.gateways;
    node(1).start(alone(node(1)));
    gateway!.start({ RINGRAFT_CLUSTERS: `c1=${node(1).address}` });
    await Promise.all([node(1).ready(DEADLINE_MS), gateway!.ready(DEADLINE_MS)]);
  }, 2 * DEADLINE_MS);

  afterAll(() => system?.dispose(), DEADLINE_MS);

  it(
    'add: a node becomes a voter, and is seen to',
    async () => {
      await system.http().put('/v1/kv/before', 'x');
      await startJoining(node(2));
      const { stdout } = await expectSuccess('add', 'c1', 'c1-n2', node(2).address);
      expect(stdout.toString()).toBe('c1-n2 is a voter of c1\n');
      expect(await voters()).toEqual(['c1-n1', 'c1-n2']);
    },
    2 * DEADLINE_MS,
  );

  it(
    'add: a node that does not run yet is said to be missed, and becomes a voter when it comes',
    async () => {
      const added = await expectSuccess('add', 'c1', 'c1-n3', node(3).address, '--no-wait', '-o', 'json');
      expect(added.json()).toMatchObject({ cluster: 'c1', configuration_index: expect.any(Number) as number });
      expect((await members()).nodes).toContainEqual(
        expect.objectContaining({ id: 'c1-n3', address: node(3).address, is_learner: true, is_joining: true }),
      );
      const table = (await expectSuccess('list', 'c1')).stdout.toString();
      expect(table).toMatch(/^c1-n3 +\S+ +joining +- +\d+ .*unreachable$/m);
      await startJoining(node(3));
      await eventually('it is a voter', async () => (await voters()).includes('c1-n3'), DEADLINE_MS);
    },
    2 * DEADLINE_MS,
  );

  it(
    'refuses what makes no sense, with the reason of the server',
    async () => {
      const already = await run('add', 'c1', 'c1-n2', node(2).address, '-o', 'json');
      expect([already.code, already.stdout.length]).toEqual([1, 0]);
      expect(already.error()).toMatchObject({
        code: 'INVALID_REQUEST',
        outcome: 'not_applied',
        message: expect.stringContaining('c1-n2') as string,
      });
      const mistaken = await run('add', 'c1', 'c1-n4', node(1).address);
      expect([mistaken.code, mistaken.stderr]).toEqual([1, expect.stringContaining('is node c1-n1') as string]);
      expect((await run('remove', 'c1', 'c1-n9')).code).toBe(1);
      expect((await run('promote', 'c1', 'c1-n2')).code).toBe(1);
      expect((await run('remove', 'c9', 'c1-n1')).code).toBe(3);
      expect(await voters()).toEqual(['c1-n1', 'c1-n2', 'c1-n3']);
    },
    2 * DEADLINE_MS,
  );

  it(
    'replace: a node takes the place of one that is dead',
    async () => {
      await node(2).kill();
      await startJoining(node(4));
      const { stdout, stderr } = await expectSuccess('replace', 'c1', 'c1-n2', 'c1-n4', node(4).address);
      expect(stdout.toString()).toBe('c1-n4 is a voter of c1 in the place of c1-n2\n');
      expect(stderr).not.toContain('error');
      expect(await voters()).toEqual(['c1-n1', 'c1-n3', 'c1-n4']);
    },
    3 * DEADLINE_MS,
  );

  it(
    'remove: the leader, too; the others go on with what was written',
    async () => {
      const { leader } = await members();
      await expectSuccess('remove', 'c1', leader!);
      await eventually(
        'somebody else leads two voters',
        async () => {
          const now = await members();
          return now.leader !== null && now.leader !== leader && !(await voters()).includes(leader!);
        },
        DEADLINE_MS,
      );
      expect((await system.http().get('/v1/kv/before')).text).toBe('x');
      expect((await system.http().put('/v1/kv/after', 'y')).status).toBe(201);
    },
    3 * DEADLINE_MS,
  );
});
