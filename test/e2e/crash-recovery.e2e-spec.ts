import { HttpClient } from '../support/http-client.js';
import { eventually } from '../support/eventually.js';
import { TestSystem } from '../support/test-system.js';

const WRITES_DEADLINE_MS = 60_000;
/** What each writer gets acknowledged before the lights go out. */
const WRITES_BEFORE_CRASH = 25;
const ROUNDS = 2;
/** Small segments and not so small values, so that the log goes through many segments. */
const SEGMENT_BYTES_MAX = 64 * 1024;
const VALUE_PADDING = '.'.repeat(1_000);

/** One key, its last acknowledged state, and the write that had no answer when everything died. */
interface Register {
  readonly key: string;
  readonly path: string;
  acknowledged: { value: string; etag: string } | undefined;
  attempted: string | undefined;
  writes: number;
}

/** Writes numbered values one after the other until nobody answers any more. */
async function writeUntilCrash(http: HttpClient, register: Register): Promise<void> {
  for (;;) {
    const value = `value-${register.writes + 1}${VALUE_PADDING}`;
    register.attempted = value;
    let answer;
    try {
      answer = await http.put(register.path, value);
    } catch {
      return;
    }
    if (answer.status !== 200 && answer.status !== 201) throw new Error(`PUT: ${answer.status} ${answer.text}`);
    register.acknowledged = { value, etag: answer.headers.etag ?? '' };
    register.attempted = undefined;
    register.writes += 1;
  }
}

describe('kill -9 of all ten processes at the same moment, during writes', () => {
  const registers: Register[] = [];
  let system: TestSystem;

  beforeAll(async () => {
    const env = { RINGRAFT_SEGMENT_BYTES_MAX: String(SEGMENT_BYTES_MAX) };
    system = await TestSystem.start({ clusters: 3, nodes: 3, gateways: 1, env });
    for (const clusterId of system.cluster.clusterIds) {
      const keyTag = system.keyTagOf(clusterId);
      for (const name of ['a', 'b', 'c']) {
        const key = `${keyTag}${name}`;
        const path = `/v1/kv/${encodeURIComponent(key)}`;
        registers.push({ key, path, acknowledged: undefined, attempted: undefined, writes: 0 });
      }
    }
  }, 120_000);

  afterAll(() => system?.dispose(), 60_000);

  it.each(Array.from({ length: ROUNDS }, (_, i) => [i + 1]))(
    'keeps every acknowledged write with its value and ETag, and the others are there or not (round %i)',
    async () => {
      const http = new HttpClient(system.cluster.gateways[0]!.url);
      const target = registers.map(({ writes }) => writes + WRITES_BEFORE_CRASH);
      const writers = Promise.all(registers.map((register) => writeUntilCrash(http, register)));
      let failure: unknown;
      writers.catch((error: unknown) => (failure = error));
      await eventually(
        `each writer has ${WRITES_BEFORE_CRASH} more writes acknowledged`,
        () => failure !== undefined || registers.every(({ writes }, i) => writes >= target[i]!),
        WRITES_DEADLINE_MS,
      );
      await system.cluster.killAll();
      await writers;
      http.close();
      expect(system.ended).toHaveLength(10);

      await system.startAll();
      for (const register of registers) {
        const { path, acknowledged, attempted } = register;
        const found = await system.http().get(path);
        expect(found.status).toBe(200);
        // The one write that was under way may have been made, under a later revision.
        const isAttempted = found.text === attempted;
        const expected = isAttempted ? { value: attempted } : acknowledged;
        expect({ value: found.text, ...(!isAttempted && { etag: found.headers.etag }) }).toEqual(expected);
        if (isAttempted) register.writes += 1;
      }
    },
    180_000,
  );

  it('serves again: reads, replaces under a condition, and deletes', async () => {
    for (const { path } of registers) {
      const http = system.http();
      const { headers } = await http.get(path);
      const replaced = await http.put(path, 'after', { headers: { 'if-match': String(headers.etag) } });
      expect(replaced.status).toBe(200);
      expect((await http.get(path)).text).toBe('after');
      expect((await http.delete(path)).status).toBe(204);
      expect((await http.get(path)).status).toBe(404);
    }
  }, 60_000);

  it('ends with all nodes of each cluster at the same revision', async () => {
    for (const clusterId of system.cluster.clusterIds) {
      expect(await system.convergedRevisionOf(clusterId)).toBeGreaterThan(0);
    }
    expect(system.ended).toEqual([]);
  }, 60_000);
});
