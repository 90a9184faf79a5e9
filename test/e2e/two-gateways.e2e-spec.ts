import { eventually } from '../support/eventually.js';
import { Load } from '../support/load.js';
import { PATIENT_GATEWAYS } from '../support/test-cluster.js';
import { TestSystem } from '../support/test-system.js';

const PROGRESS_DEADLINE_MS = 60_000;
const RACES = 40;

describe('two gateways in front of one cluster', () => {
  let system: TestSystem;
  let keyTag: string;
  const pathOf = (key: string): string => `/v1/kv/${encodeURIComponent(`${keyTag}${key}`)}`;

  beforeAll(async () => {
    system = await TestSystem.start({ clusters: 1, nodes: 3, gateways: 2, env: PATIENT_GATEWAYS });
    keyTag = system.keyTagOf('c1');
  }, 120_000);

  afterAll(() => system?.dispose(), 60_000);

  it('show each other their writes at once', async () => {
    for (let n = 1; n <= 20; n++) {
      const [writer, reader] = n % 2 === 0 ? [0, 1] : [1, 0];
      const { headers } = await system.http(writer).put(pathOf('shown'), `value ${n}`);
      const read = await system.http(reader).get(pathOf('shown'));
      expect(read.text).toBe(`value ${n}`);
      expect(read.headers.etag).toBe(headers.etag);
    }
  }, 30_000);

  it('let exactly one of two racing creations win', async () => {
    for (let n = 0; n < RACES; n++) {
      const answers = await Promise.all(
        [0, 1].map((gateway) =>
          system.http(gateway).put(pathOf(`race-${n}`), `of ${gateway}`, { headers: { 'if-none-match': '*' } }),
        ),
      );
      expect(answers.map(({ status }) => status).sort()).toEqual([201, 412]);
      const winner = answers.findIndex(({ status }) => status === 201);
      const read = await system.http(1 - winner).get(pathOf(`race-${n}`));
      expect(read.text).toBe(`of ${winner}`);
      expect(read.headers.etag).toBe(answers[winner]!.headers.etag);
    }
  }, 60_000);

  it('let exactly one of two racing compare-and-sets win, and both agree which', async () => {
    let etag = String((await system.http().put(pathOf('swapped'), 'start')).headers.etag);
    for (let n = 0; n < RACES; n++) {
      const answers = await Promise.all(
        [0, 1].map((gateway) =>
          system.http(gateway).put(pathOf('swapped'), `${n} of ${gateway}`, { headers: { 'if-match': etag } }),
        ),
      );
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 412]);
      const winner = answers.findIndex(({ status }) => status === 200);
      etag = String(answers[winner]!.headers.etag);
      const loser = answers[1 - winner]!;
      expect(loser.json()).toMatchObject({ outcome: 'not_applied', revision: etag.replaceAll('"', '') });
      const read = await system.http(1 - winner).get(pathOf('swapped'));
      expect([read.text, read.headers.etag]).toEqual([`${n} of ${winner}`, etag]);
    }
  }, 60_000);

  it('count one counter together, exactly once, while the leader is killed', async () => {
    const before = await system.convergedRevisionOf('c1');
    const load = new Load();
    for (const gateway of [0, 1]) {
      for (let n = 0; n < 3; n++) load.addIncrementer(system.http(gateway), keyTag, 'shared');
      load.addWriter(system.http(gateway), keyTag, `at-${gateway}`);
    }
    const progress = async (): Promise<void> => {
      const target = load.progressOf(keyTag) + 20;
      await eventually(
        'each client has gone on',
        () => load.hasFailed || load.progressOf(keyTag) >= target,
        PROGRESS_DEADLINE_MS,
      );
    };
    await progress();
    const leader = await system.leaderOf('c1');
    await leader.kill();
    await progress();
    leader.start();
    await progress();
    await load.stop();
    process.stdout.write(`two gateways: longest request: ${Math.round(load.longestRequestMs)} ms\n`);

    for (const gateway of [0, 1]) await load.verify(system.http(gateway));
    const counts = load.countsOf(keyTag, 'shared');
    expect(counts).toEqual(counts.map((_, i) => i + 1));
    const revisions = load.revisionsOf('c1');
    expect(revisions).toEqual(revisions.map((_, i) => before + 1 + i));
    expect(await system.convergedRevisionOf('c1')).toBe(before + revisions.length);
    expect(load.longestRequestMs).toBeLessThan(20_000);
  }, 180_000);

  it('ended no process but the leader that was killed, and it runs again', () => {
    expect(system.ended).toEqual([]);
  });
});
