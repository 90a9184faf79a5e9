import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Consistency, type StatusResponse } from '@app/rpc';
import type { LocalNode } from '../../tools/local-cluster/local-cluster.js';
import { eventually } from '../support/eventually.js';
import { flipBit, lastRecordInLog, placeInState, type Place } from '../support/flipped-bit.js';
import { FlippingProxy } from '../support/flipping-proxy.js';
import type { HttpAnswer } from '../support/http-client.js';
import type { NodeClient } from '../support/node-client.js';
import { runApp } from '../support/run-app.js';
import { TestSystem } from '../support/test-system.js';

const DEADLINE_MS = 120_000;
const STOP_TIMEOUT_MS = 30_000;
/** Of gateways and their clients: an election on a busy machine fails no request. */
const REQUEST_TIMEOUT_MS = 30_000;
const READS_AT_ONCE = 10;
const VALUE_BYTES = 6_000;
const RETAINED_ENTRIES = 50;
const SEGMENT_BYTES = 64 * 1024;
/** Of LevelDB: a block of a table ends with the row that makes it so long. */
const TABLE_BLOCK_BYTES = 4 * 1024;
/** How the state database stores keys of clients. */
const STORED_KEY_PREFIX = '0110';
/** Written as base64, so that no compression changes how these bytes lie in a file. */
const PROBE = { start: 3_000, bytes: 24 };

interface LogLine {
  readonly msg: string;
  readonly err?: { readonly code?: string; readonly message: string };
  readonly [field: string]: unknown;
}

describe('a flipped bit is noticed, named, and survived by the cluster', () => {
  let system: TestSystem;
  let proxy: FlippingProxy;
  /** Every value that was acknowledged. */
  const written = new Map<string, string>();
  const PROXIED = 'c1-n3';

  const dataDirOf = (node: LocalNode): string => join(system.cluster.dataDir, node.name);
  const pathOf = (key: string): string => `/v1/kv/${key}`;
  const probeOf = (key: string): Buffer =>
    Buffer.from(written.get(key)!).subarray(PROBE.start, PROBE.start + PROBE.bytes);

  const get = (key: string): Promise<HttpAnswer> =>
    system.http().get(pathOf(key), { timeoutMs: 2 * REQUEST_TIMEOUT_MS });

  async function put(key: string, value = randomBytes(VALUE_BYTES).toString('base64')): Promise<void> {
    const { status, text } = await system.http().put(pathOf(key), value, { timeoutMs: 2 * REQUEST_TIMEOUT_MS });
    if (status !== 201 && status !== 200) throw new Error(`${key} was not acknowledged: ${status} ${text}`);
    written.set(key, value);
  }

  /** One after the other, so that each is an entry of its own. */
  async function putMany(name: string, count: number): Promise<string[]> {
    const keys = Array.from({ length: count }, (_, i) => `${name}-${String(i).padStart(3, '0')}`);
    for (const key of keys) await put(key);
    return keys;
  }

  async function expectServed(): Promise<void> {
    const answers = await Promise.all([...written.keys()].map(async (key) => ({ key, ...(await get(key)) })));
    const wrong = answers.filter(({ key, status, text }) => status !== 200 || text !== written.get(key));
    expect(wrong.map(({ key, status }) => `${key}: ${status}`)).toEqual([]);
  }

  /** Each of the three, asked by itself, holds every acknowledged value, and all have the same hashes. */
  async function expectReplicasAgree(): Promise<void> {
    await system.convergedRevisionOf('c1');
    await eventually(
      'all members have the same hashes',
      async () => {
        const statuses = await Promise.all(system.cluster.nodes.map((node) => system.grpc(node).status()));
        const states = statuses.map((s) => `${s.appliedIndex} ${s.contentHash} ${s.historyHash}`);
        return new Set(states).size === 1;
      },
      DEADLINE_MS,
    );
    for (const node of system.cluster.nodes) {
      const held = await Promise.all(
        [...written.keys()].map(async (key) => {
          const { found, value } = await system.grpc(node).get(key, { consistency: Consistency.STALE });
          return { key, value: found ? value.toString() : undefined };
        }),
      );
      const wrong = held.filter(({ key, value }) => value !== written.get(key)).map(({ key }) => key);
      expect({ node: node.name, wrong }).toEqual({ node: node.name, wrong: [] });
    }
    expect(system.ended).toEqual([]);
  }

  function logLinesOf(node: LocalNode): LogLine[] {
    return node
      .lastLogLines(1_000_000)
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as LogLine);
  }

  /** Waits until the node has ended by itself, with exit code 1; gives what its last log line says. */
  async function endedByItself(node: LocalNode): Promise<{ code: string | undefined; message: string }> {
    await eventually(`${node.name} ends`, () => !node.isRunning, DEADLINE_MS);
    expect(await node.stop(STOP_TIMEOUT_MS)).toEqual({ code: 1, signal: null });
    const { msg, err } = logLinesOf(node).at(-1)!;
    expect(msg).toBe('the node stops for good');
    return { code: err?.code, message: err?.message ?? '' };
  }

  async function expectRefusesToStart(node: LocalNode, code: string, named: string | RegExp): Promise<string> {
    node.start();
    const refusal = await endedByItself(node);
    expect(refusal.code).toBe(code);
    expect(refusal.message).toMatch(named);
    expect(refusal.message).toContain(`"raft-node --wipe --data-dir ${dataDirOf(node)}"`);
    expect(logLinesOf(node).filter(({ msg }) => msg === 'node started')).toEqual([]);
    return refusal.message;
  }

  async function expectRefusesState(node: LocalNode, { file, offset }: Place, unitBytesMax: number): Promise<void> {
    const named = new RegExp(`the state in ${dirname(file)} is damaged: the file ${basename(file)}: .* at byte \\d+`);
    const message = await expectRefusesToStart(node, 'CORRUPT_STATE', named);
    const start = Number(/at byte (\d+)/.exec(message)![1]);
    expect(start).toBeLessThanOrEqual(offset);
    expect(start + unitBytesMax).toBeGreaterThan(offset);
  }

  /** Asks whoever leads, once more when the leadership has moved meanwhile, until the members are so. */
  async function changeMembers(
    what: string,
    ask: (leader: NodeClient) => Promise<unknown>,
    isDone: (members: StatusResponse['members']) => boolean,
  ): Promise<void> {
    await eventually(
      what,
      async () => {
        const leader = system.grpc(await system.leaderOf('c1'));
        if (isDone((await leader.status()).members)) return true;
        await ask(leader);
        return false;
      },
      DEADLINE_MS,
    );
  }

  async function makeLeader(node: LocalNode): Promise<void> {
    await eventually(
      `${node.name} leads`,
      async () => {
        const leader = await system.leaderOf('c1');
        if (leader !== node) await system.grpc(leader).transferLeadership(node.name);
        return leader === node;
      },
      DEADLINE_MS,
    );
  }

  /** As in docs/operations.md, "Wiping a node". Until it is over the others serve everything, and take new values. */
  async function walkBack(node: LocalNode): Promise<void> {
    const { name, clusterId, address } = node;
    await put(`while-${name}-is-away-${written.size}`);
    await expectServed();
    await changeMembers(
      `${name} is removed`,
      (leader) => leader.removeNode(name),
      (members) => members.every(({ nodeId }) => nodeId !== name),
    );
    const wipe = await runApp('raft-node', {
      args: ['--wipe'],
      timeoutMs: DEADLINE_MS,
      env: {
        RINGRAFT_CLUSTER_ID: clusterId,
        RINGRAFT_NODE_ID: name,
        RINGRAFT_DATA_DIR: dataDirOf(node),
        RINGRAFT_PEERS: `${name}=${address}`,
      },
    });
    expect({ code: wipe.code, printed: wipe.stdout + wipe.stderr }).toEqual({
      code: 0,
      printed: expect.stringContaining('--join') as string,
    });

    node.start({ RINGRAFT_JOIN: 'true' });
    await eventually(`${name} answers`, () => system.grpc(node).status(), DEADLINE_MS);
    await changeMembers(
      `${name} is a learner`,
      (leader) => leader.addNode(name),
      (members) => members.some(({ nodeId }) => nodeId === name),
    );
    await changeMembers(
      `${name} is a voter`,
      (leader) => leader.promoteNode(name),
      (members) => members.some(({ nodeId, isLearner }) => nodeId === name && !isLearner),
    );
    await node.ready(DEADLINE_MS);
    await expectReplicasAgree();
  }

  async function aFollower(): Promise<LocalNode> {
    const [follower] = await system.followersOf('c1');
    return follower!;
  }

  beforeAll(async () => {
    proxy = await FlippingProxy.listen();
    system = await TestSystem.start({
      addressFor: (from, { nodeId, address }) => {
        if (nodeId !== PROXIED || from.startsWith('gateway')) return address;
        proxy.target = address;
        return proxy.address;
      },
      env: {
        RINGRAFT_REQUEST_TIMEOUT_MS: String(REQUEST_TIMEOUT_MS),
        RINGRAFT_RETAINED_ENTRIES: String(RETAINED_ENTRIES),
        RINGRAFT_SEGMENT_BYTES_MAX: String(SEGMENT_BYTES),
      },
    });
    await putMany('cold', 60);
  }, 180_000);

  afterAll(async () => {
    await system?.dispose();
    await proxy?.close();
  }, 60_000);

  it('in an entry of the log, after a kill -9', async () => {
    const victim = await aFollower();
    const keys = await putMany('entry', 10);
    await system.convergedRevisionOf('c1');
    await Promise.all([putMany('during', 10), victim.kill()]);

    const probe = probeOf(keys[5]!);
    const { file, record, isFollowed } = lastRecordInLog(
      dataDirOf(victim),
      ({ entry }) => entry !== undefined && Buffer.from(entry.data).includes(probe),
    );
    expect(isFollowed).toBe(true);
    flipBit({ file, offset: readFileSync(file).indexOf(probe, record.bodyOffset) });
    await expectRefusesToStart(
      victim,
      'CORRUPT_LOG',
      `${file} at byte ${record.offset}, entry ${record.entry!.index}: the checksum of the record does not match`,
    );
    await walkBack(victim);
  }, 400_000);

  it('in a hard state', async () => {
    await makeLeader(await aFollower());
    const { term } = await system.grpc(await system.leaderOf('c1')).status();
    await putMany('hard-state', 3);
    await system.convergedRevisionOf('c1');
    const victim = await aFollower();
    await victim.stop(STOP_TIMEOUT_MS);

    const { file, record, isFollowed } = lastRecordInLog(
      dataDirOf(victim),
      ({ hardState }) => hardState !== undefined && hardState.currentTerm >= term,
    );
    expect(isFollowed).toBe(true);
    // Of the term.
    flipBit({ file, offset: record.bodyOffset });
    await expectRefusesToStart(
      victim,
      'CORRUPT_LOG',
      new RegExp(`${file} at byte ${record.offset}, the hard state behind entry \\d+: the checksum of the record`),
    );
    await walkBack(victim);
  }, 400_000);

  it('in a row of the state database, in a log of LevelDB', async () => {
    const victim = await aFollower();
    const keys = await putMany('row', 5);
    await system.convergedRevisionOf('c1');
    await victim.stop(STOP_TIMEOUT_MS);

    const place = placeInState(dataDirOf(victim), probeOf(keys[2]!), '.log');
    flipBit(place);
    // A batch holds these rows at most.
    await expectRefusesState(victim, place, keys.length * 2 * VALUE_BYTES);
    await walkBack(victim);
  }, 400_000);

  it('in a row of a table that the leader reads: it ends before anybody sees the value', async () => {
    const victim = await aFollower();
    // From now on all of its rows are in tables, and none in its cache.
    await victim.stop(STOP_TIMEOUT_MS);
    victim.start();
    await victim.ready(DEADLINE_MS);
    await system.convergedRevisionOf('c1');
    await makeLeader(victim);

    const key = 'cold-030';
    const place = placeInState(dataDirOf(victim), probeOf(key), '.ldb');
    flipBit(place);
    const answers: HttpAnswer[] = [];
    await eventually(
      `${victim.name} has read the row`,
      async () => {
        answers.push(...(await Promise.all(Array.from({ length: READS_AT_ONCE }, () => get(key)))));
        // It reads the row only while it leads.
        const leader = await system.leaderOf('c1');
        if (victim.isRunning && leader !== victim) await system.grpc(leader).transferLeadership(victim.name);
        return !victim.isRunning;
      },
      DEADLINE_MS,
    );
    for (const { status, text } of answers) expect([status, text]).toEqual([200, written.get(key)]);
    const { code, message } = await endedByItself(victim);
    expect(code).toBe('CORRUPT_STATE');
    expect(message).toContain(`key ${STORED_KEY_PREFIX}${Buffer.from(key).toString('hex')}`);
    expect(message).toContain(`"raft-node --wipe --data-dir ${dataDirOf(victim)}"`);

    await expectRefusesState(victim, place, TABLE_BLOCK_BYTES + 2 * VALUE_BYTES);
    await walkBack(victim);
  }, 400_000);

  it('in a snapshot on its way: the receiver keeps nothing of the range, and gets it once more', async () => {
    const victim = system.cluster.node(PROXIED);
    const { lastIndex } = await system.grpc(victim).status();
    await victim.stop(STOP_TIMEOUT_MS);
    const marker = randomBytes(24).toString('hex');
    await put('marked', marker.repeat(200));
    const { commitIndex } = await system.grpc(await system.leaderOf('c1')).status();
    await putMany('snapshot', 2 * RETAINED_ENTRIES);
    await eventually(
      'no log has what the member lacks, whoever leads',
      async () => {
        const others = system.cluster.nodes.filter((node) => node !== victim);
        const statuses = await Promise.all(others.map((node) => system.grpc(node).status()));
        return statuses.every(({ firstIndex }) => firstIndex > Math.max(lastIndex, commitIndex) + 1);
      },
      DEADLINE_MS,
    );

    proxy.flipOnceIn(marker);
    victim.start();
    await victim.ready(DEADLINE_MS);
    await expectReplicasAgree();
    expect(proxy.flips).toBe(1);

    const attemptsFrom = (line: number): LogLine[] =>
      logLinesOf(victim)
        .slice(line)
        .filter(({ msg }) => msg === 'receiving a state has ended');
    await eventually(
      'the log tells of a state that is complete',
      () => attemptsFrom(0).some(({ result }) => result === 'complete'),
      DEADLINE_MS,
    );
    const isReport = ({ msg }: LogLine): boolean => msg === 'a state could not be received';
    const reports = logLinesOf(victim).filter(isReport);
    expect(reports.map(({ err }) => err?.message)).toEqual([
      expect.stringMatching(/range \d+, keys 0x[0-9a-f]* to .*: its rows do not match their digest/),
    ]);
    const number = Number(/range (\d+),/.exec(reports[0]!.err!.message)![1]);
    const [refused, next, ...more] = attemptsFrom(logLinesOf(victim).findIndex(isReport));
    // What came before the damaged range was kept, and nothing else.
    expect(refused).toMatchObject({ result: 'failed', ranges: number - 1 });
    expect(next!.skippedRanges).toBeLessThan(number);
    const last = more.at(-1) ?? next!;
    expect(last.result).toBe('complete');
    expect(last.skippedRanges).toBeGreaterThanOrEqual(number - 1);
    expect(last.ranges).toBeGreaterThanOrEqual(number);
    await expectServed();
  }, 400_000);
});
