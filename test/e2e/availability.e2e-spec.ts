import { eventually } from '../support/eventually.js';
import type { HttpAnswer } from '../support/http-client.js';
import { TestSystem } from '../support/test-system.js';

interface Problem {
  readonly code: string;
  readonly status: number;
  readonly outcome: string;
  readonly retryable: boolean;
}

/** The gateway's own bound (5 s by default), and room for a busy machine. */
const ANSWER_DEADLINE_MS = 15_000;
const RECOVERY_DEADLINE_MS = 60_000;

/** 503 says `not_applied`, 504 says `unknown`, and nothing else is said of an operation that nobody carried out. */
function expectHonestFailure(answer: HttpAnswer): Problem {
  expect([503, 504]).toContain(answer.status);
  expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
  const problem = answer.json<Problem>();
  expect(problem.status).toBe(answer.status);
  expect(problem.outcome).toBe(answer.status === 503 ? 'not_applied' : 'unknown');
  return problem;
}

describe('a gateway and two clusters', () => {
  let system: TestSystem;
  let keyTags: { c1: string; c2: string };
  const pathOf = (key: string): string => `/v1/kv/${encodeURIComponent(key)}`;

  beforeAll(async () => {
    system = await TestSystem.layOut({ clusters: 2, nodes: 3, gateways: 1 });
    const gateway = system.cluster.gateways[0]!;
    gateway.start();
    await eventually('the gateway lives', async () => (await system.http().get('/livez')).status === 200, 60_000);
    keyTags = { c1: system.keyTagOf('c1'), c2: system.keyTagOf('c2') };
  }, 120_000);

  afterAll(() => system?.dispose(), 60_000);

  describe('started before its nodes', () => {
    it('is alive, is not ready and says why', async () => {
      const ready = await system.http().get('/readyz');
      expect(ready.status).toBe(503);
      expect(ready.text).toContain('c1, c2');
    });

    it('answers reads and writes with 503 not_applied', async () => {
      const path = pathOf(`${keyTags.c1}early`);
      const answers = await Promise.all(
        ['GET', 'PUT', 'DELETE'].map((method) =>
          system.http().call(method, path, {
            ...(method === 'PUT' && { body: 'too early' }),
            timeoutMs: ANSWER_DEADLINE_MS,
          }),
        ),
      );
      for (const answer of answers) {
        expect(expectHonestFailure(answer)).toMatchObject({ status: 503, outcome: 'not_applied', retryable: true });
      }
    }, 30_000);

    it('serves once they are there, and what was not applied is not there', async () => {
      await system.startAll();
      const http = system.http();
      expect((await http.get(pathOf(`${keyTags.c1}early`))).status).toBe(404);
      expect((await http.put(pathOf(`${keyTags.c1}early`), 'in time')).status).toBe(201);
      expect((await http.get(pathOf(`${keyTags.c1}early`))).text).toBe('in time');
    }, 90_000);
  });

  describe.each(['the leader and a follower', 'both followers'])('with %s of one cluster down', (killed) => {
    const answers = new Map<string, HttpAnswer>();
    const kept = (): string => `${keyTags.c2}kept`;
    const keysOf = (phase: string): string[] =>
      Array.from({ length: 6 }, (_, i) => `${keyTags.c1}${phase}-${i} of ${killed}`);

    async function write(key: string): Promise<void> {
      answers.set(key, await system.http().put(pathOf(key), 'new', { timeoutMs: ANSWER_DEADLINE_MS }));
    }

    it('answers within the deadline: writes with 503 not_applied or 504 unknown, reads with 503', async () => {
      const http = system.http();
      for (const key of [...keysOf('early'), ...keysOf('late'), kept()]) await http.put(pathOf(key), 'old');
      const leader = await system.leaderOf('c1');
      const followers = await system.followersOf('c1');
      const victims = killed === 'both followers' ? followers : [leader, followers[0]!];
      // These are sent in the very moment of the crash, so that some may be on their way.
      const underWay = keysOf('early').map(write);
      await Promise.all(victims.map((node) => node.kill()));
      await Promise.all([...underWay, ...keysOf('late').map(write)]);
      for (const key of keysOf('late')) expectHonestFailure(answers.get(key)!);

      const read = await http.get(pathOf(keysOf('late')[0]!), { timeoutMs: ANSWER_DEADLINE_MS });
      expect(expectHonestFailure(read)).toMatchObject({ status: 503, outcome: 'not_applied' });
    }, 90_000);

    it('serves the keys of the other cluster as ever', async () => {
      const http = system.http();
      expect((await http.get(pathOf(kept()))).text).toBe('old');
      expect((await http.put(pathOf(kept()), 'new')).status).toBe(200);
      expect((await http.get(pathOf(kept()))).text).toBe('new');
    });

    it('tells in /v1/cluster which cluster is unavailable', async () => {
      const health = await eventually(
        'cluster c1 is unavailable, and c2 is healthy',
        async () => {
          const { clusters } = (await system.http().get('/v1/cluster')).json<{
            clusters: { id: string; health: string }[];
          }>();
          const byId = new Map(clusters.map((cluster) => [cluster.id, cluster.health]));
          return byId.get('c1') === 'unavailable' && byId.get('c2') === 'healthy' ? byId : undefined;
        },
        RECOVERY_DEADLINE_MS,
      );
      expect([...health.keys()].sort()).toEqual(['c1', 'c2']);
    }, 90_000);

    it('serves again when the nodes return, and shows each write as it was answered', async () => {
      await system.startAll();
      await eventually(
        'cluster c1 takes a write',
        async () => (await system.http().put(pathOf(`${keyTags.c1}back`), 'again')).status < 300,
        RECOVERY_DEADLINE_MS,
      );
      await system.convergedRevisionOf('c1');

      const outcomes: string[] = [];
      for (const [key, answer] of answers) {
        const { text } = await system.http().get(pathOf(key));
        const outcome = answer.status < 300 ? 'applied' : answer.json<Problem>().outcome;
        outcomes.push(outcome);
        const allowed = { applied: ['new'], not_applied: ['old'], unknown: ['old', 'new'] }[outcome];
        expect({ key, outcome, isAllowed: allowed?.includes(text) }).toEqual({ key, outcome, isAllowed: true });
      }
      expect(outcomes).toHaveLength(12);
      process.stdout.write(`with ${killed} down: ${outcomes.sort().join(', ')}\n`);
    }, 120_000);
  });

  it('ended no process but those that were killed', () => {
    expect(system.ended).toEqual([]);
  });
});
