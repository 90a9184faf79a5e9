import { randomBytes } from 'node:crypto';
import { Consistency } from '@app/rpc';
import { httpGet } from '../../tools/local-cluster/http-get.js';
import type { LocalNode } from '../../tools/local-cluster/local-cluster.js';
import { eventually } from '../support/eventually.js';
import { TestSystem } from '../support/test-system.js';

const DEADLINE_MS = 60_000;
const STOP_TIMEOUT_MS = 15_000;
const MIB = 1024 * 1024;
const LOG_BYTES_MAX = MIB;
const SEGMENT_BYTES = 64 * 1024;
const VALUE_BYTES = 1024;
const ROUNDS = 200;
const WRITES_PER_ROUND = 15;
const READS_AT_ONCE = 100;

describe('a member that was away while the log went on without it', () => {
  let system: TestSystem;
  const written = new Map<string, string>();

  /** Thousands of writes in hundreds of entries. */
  async function writeMuch(): Promise<void> {
    const leader = system.grpc(await system.leaderOf('c1'));
    for (let round = 0; round < ROUNDS; round++) {
      const keys = Array.from({ length: WRITES_PER_ROUND }, (_, i) => `key-${round}-${i}`);
      await Promise.all(
        keys.map(async (key) => {
          const value = randomBytes(VALUE_BYTES / 2).toString('hex');
          await leader.set(key, value);
          written.set(key, value);
        }),
      );
    }
  }

  async function metric(node: LocalNode, name: string): Promise<number> {
    const { text } = await httpGet(`${node.opsUrl}/metrics`, 5_000);
    const line = text.split('\n').find((each) => each.startsWith(name));
    return Number(line?.slice(line.lastIndexOf(' ') + 1) ?? 0);
  }

  async function hasShortLog(node: LocalNode): Promise<void> {
    await eventually(
      `the log of ${node.name} is short`,
      async () => (await system.grpc(node).status()).logBytes < LOG_BYTES_MAX + 4 * SEGMENT_BYTES,
      DEADLINE_MS,
    );
  }

  async function holdsWhatWasWritten(node: LocalNode): Promise<void> {
    const client = system.grpc(node);
    const pairs = [...written];
    for (let from = 0; from < pairs.length; from += READS_AT_ONCE) {
      const some = pairs.slice(from, from + READS_AT_ONCE);
      const stored = await Promise.all(some.map(([key]) => client.get(key, { consistency: Consistency.STALE })));
      expect(stored.map(({ found, value }, i) => [some[i]![0], found, value.toString()])).toEqual(
        some.map(([key, value]) => [key, true, value]),
      );
    }
  }

  /** All members have applied the same entries and have the same state. */
  async function converged(): Promise<void> {
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
  }

  beforeAll(async () => {
    system = await TestSystem.start({
      clusters: 1,
      nodes: 3,
      gateways: 1,
      env: {
        // Patient, so that no busy moment of the machine changes the leader during the writes.
        RINGRAFT_ELECTION_TIMEOUT_MS: '2000',
        RINGRAFT_RETAINED_ENTRIES: '50',
        RINGRAFT_SEGMENT_BYTES_MAX: String(SEGMENT_BYTES),
        RINGRAFT_LOG_BYTES_MAX: String(LOG_BYTES_MAX),
        RINGRAFT_SNAPSHOT_BYTES_PER_SECOND: String(MIB),
      },
    });
  }, 120_000);

  afterAll(() => system?.dispose(), 60_000);

  it('gets the state, and serves it', async () => {
    const [follower] = await system.followersOf('c1');
    const { lastIndex } = await system.grpc(follower!).status();
    await follower!.stop(STOP_TIMEOUT_MS);
    await writeMuch();
    const leader = await system.leaderOf('c1');
    await eventually(
      'the log begins behind what the member has',
      async () => (await system.grpc(leader).status()).firstIndex > lastIndex + 1,
      DEADLINE_MS,
    );
    expect((await system.grpc(leader).status()).appliedIndex).toBeGreaterThan(ROUNDS);
    await hasShortLog(leader);

    follower!.start();
    await converged();
    await eventually(
      'the transfer has ended',
      async () => (await metric(follower!, 'ringraft_snapshot_receive_total{result="complete"')) > 0,
      DEADLINE_MS,
    );
    expect((await system.grpc(follower!).status()).firstIndex).toBeGreaterThan(lastIndex);
    await holdsWhatWasWritten(follower!);
  }, 180_000);

  it('gets it also when it is killed while it is being sent', async () => {
    const [follower] = await system.followersOf('c1');
    await follower!.kill();
    await writeMuch();
    follower!.start();
    await eventually(
      'the state is on its way',
      async () => (await metric(follower!, 'ringraft_snapshot_receive_bytes_total')) > 0,
      DEADLINE_MS,
    );
    await follower!.kill();
    expect(follower!.lastLogLines(100).join('\n')).not.toContain('the state of another member is in use');

    follower!.start();
    await converged();
    await holdsWhatWasWritten(follower!);
    await hasShortLog(follower!);
  }, 180_000);

  it('goes on with its state after a restart, without another transfer', async () => {
    const [follower] = await system.followersOf('c1');
    await follower!.kill();
    follower!.start();
    await converged();
    expect(await metric(follower!, 'ringraft_snapshot_receive_total{result="complete"')).toBe(0);
    await holdsWhatWasWritten(follower!);
    expect(system.ended).toEqual([]);
  }, 120_000);
});
