import { decodeAnswer } from '@app/kv';
import { Consistency, Role, RingraftError } from '@app/rpc';
import type { LocalNode } from '../../tools/local-cluster/local-cluster.js';
import { eventually } from '../support/eventually.js';
import type { HttpClient } from '../support/http-client.js';
import { NodeClient } from '../support/node-client.js';
import { NumberedRegister } from '../support/numbered-register.js';
import { TestSystem } from '../support/test-system.js';

const KEY = 'register';
const PATH = `/v1/kv/${KEY}`;
const ROUNDS = 4;
/** Reads of each kind that wait in the socket of the paused leader when it goes on. */
const PARKED_READS = 10;
const DEADLINE_MS = 60_000;
const REQUEST_TIMEOUT_MS = 30_000;

/** What a node answered: a number, or the code of its refusal. */
type NodeAnswer = number | string;

async function readUnary(node: NodeClient, consistency = Consistency.LINEARIZABLE): Promise<NodeAnswer> {
  try {
    return Number((await node.get(KEY, { consistency })).value.toString());
  } catch (error) {
    return (error as RingraftError).code;
  }
}

async function readStreamed(node: NodeClient): Promise<NodeAnswer> {
  const result = await node.execute({ kind: 'get', key: Buffer.from(KEY) });
  if (result.code !== '') return result.code;
  const answer = decodeAnswer(result.answer);
  return answer.kind === 'get' && answer.found ? Number(Buffer.from(answer.record.value).toString()) : 'ABSENT';
}

describe('a leader that is paused while another is elected, then goes on', () => {
  const register = new NumberedRegister();
  /** How often the paused leaders answered what. */
  const answers = new Map<string, number>();
  let staleReadsSeenOld = 0;
  let isStopping = false;
  let failure: unknown;
  const loops: Promise<void>[] = [];
  let system: TestSystem;

  /** Runs `step` over and over until the end of the test. */
  function keepDoing(step: () => Promise<void>): void {
    const loop = async (): Promise<void> => {
      while (!isStopping) await step();
    };
    loops.push(loop().catch((error: unknown) => void (failure ??= error)));
  }

  async function writeNext(http: HttpClient): Promise<void> {
    await register.write(async (n) => {
      const { status, text } = await http.put(PATH, String(n), { timeoutMs: REQUEST_TIMEOUT_MS });
      if (status !== 200) throw new Error(`PUT of ${n}: ${status} ${text}`);
    });
  }

  async function readAtGateway(http: HttpClient, name: string): Promise<void> {
    await register.read(name, async () => {
      const { status, text } = await http.get(PATH, { timeoutMs: REQUEST_TIMEOUT_MS });
      if (status !== 200) throw new Error(`GET: ${status} ${text}`);
      return Number(text);
    });
  }

  async function readAtNode(name: string, read: () => Promise<NodeAnswer>): Promise<void> {
    const answer = await register.read(name, read);
    const kind = typeof answer === 'number' ? 'a value' : answer;
    answers.set(kind, (answers.get(kind) ?? 0) + 1);
  }

  async function round(): Promise<void> {
    const old = await system.leaderOf('c1');
    const client = new NodeClient(old.address);
    try {
      // Reads are on their way in both directions when the leader stops.
      let isRoundOver = false;
      const hammer = async (read: () => Promise<NodeAnswer>): Promise<void> => {
        while (!isRoundOver) await readAtNode(old.name, read);
      };
      const hammers = [hammer(() => readUnary(client)), hammer(() => readStreamed(client))];
      const before = register.acknowledged;
      await eventually('writes go on', () => failure ?? register.acknowledged > before + 5, DEADLINE_MS);

      old.pause();
      const successor = await system.leaderOf('c1', old);
      const elected = register.acknowledged;
      await eventually(
        'the new leader has acknowledged writes',
        () => failure ?? register.acknowledged > elected + 5,
        DEADLINE_MS,
      );

      const parked = Array.from({ length: PARKED_READS }, () => [
        readAtNode(old.name, () => readUnary(client)),
        readAtNode(old.name, () => readStreamed(client)),
      ]).flat();
      const newest = register.acknowledged;
      const control = Array.from({ length: PARKED_READS }, () => readUnary(client, Consistency.STALE));
      old.resume();
      for (const answer of await Promise.all(control)) if (Number(answer) < newest) staleReadsSeenOld += 1;
      await Promise.all(parked);
      await eventually(`${old.name} follows ${successor.name}`, () => isFollowerWith(old, newest, client), DEADLINE_MS);
      isRoundOver = true;
      await Promise.all(hammers);
    } finally {
      client.close();
    }
  }

  async function isFollowerWith(node: LocalNode, newest: number, client: NodeClient): Promise<boolean> {
    const { role } = await system.grpc(node).status();
    return role === Role.FOLLOWER && Number(await readUnary(client, Consistency.STALE)) >= newest;
  }

  beforeAll(async () => {
    system = await TestSystem.start({ clusters: 1, nodes: 3, gateways: 2 });
    await system.http().put(PATH, '0');
    keepDoing(() => writeNext(system.http(0)));
    keepDoing(() => readAtGateway(system.http(0), 'gateway-1'));
    keepDoing(() => readAtGateway(system.http(1), 'gateway-2'));
  }, 120_000);

  afterAll(() => system?.dispose(), 60_000);

  it('never answers a read with an old value, and neither does a gateway', async () => {
    for (let n = 0; n < ROUNDS; n++) await round();
    isStopping = true;
    await Promise.all(loops);
    process.stdout.write(
      `paused leaders: ${[...answers].map(([kind, count]) => `${count} x ${kind}`).join(', ')}; ` +
        `stale reads that saw an old value: ${staleReadsSeenOld} of ${ROUNDS * PARKED_READS}\n`,
    );
    expect(failure).toBeUndefined();
    expect(register.contradictions).toEqual([]);
    expect(register.acknowledged).toBeGreaterThan(ROUNDS * 10);
  }, 240_000);

  it('ends with the last acknowledged value on every node, and never brings back a write of its own', async () => {
    await system.convergedRevisionOf('c1');
    for (const node of system.cluster.nodes) {
      expect(await readUnary(system.grpc(node), Consistency.STALE)).toBe(register.acknowledged);
    }
    expect(system.ended).toEqual([]);
  }, 60_000);
});
