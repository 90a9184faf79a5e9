import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../support/eventually.js';
import { ringctl, type RingctlInput, type RingctlResult } from '../support/ringctl.js';
import { TestSystem } from '../support/test-system.js';

const DEADLINE_MS = 60_000;
/** What `ringctl status` gives itself for asking, once it runs; a machine that is busy starts it late, and wakes it late. */
const STATUS_BOUND_MS = 1_500;

interface StatusNode {
  readonly id: string;
  readonly is_reachable: boolean;
  readonly role: string | null;
  readonly term: number | null;
  readonly lag: number | null;
  readonly match_index: number | null;
  readonly commit_index: number | null;
  readonly applied_index: number | null;
  readonly log_bytes: number | null;
  readonly state_bytes: number | null;
  readonly version: string | null;
  readonly unhealthy_reasons: readonly string[];
}

interface Status {
  readonly clusters: readonly { id: string; health: string; leader: string | null; nodes: readonly StatusNode[] }[];
  readonly took_ms: number;
}

describe('ringctl', () => {
  let system: TestSystem;
  let directory: string;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'ringctl-test-'));
    system = await TestSystem.start({ clusters: 1, nodes: 3, gateways: 1 });
  }, 2 * DEADLINE_MS);

  afterAll(async () => {
    await system?.dispose();
    rmSync(directory, { recursive: true, force: true });
  }, DEADLINE_MS);

  /** Against the system under test. */
  function run(args: readonly string[], input: RingctlInput = {}): Promise<RingctlResult> {
    const env = { RINGRAFT_ENDPOINT: system.http().baseUrl, ...input.env };
    return ringctl(args, { ...input, env });
  }

  async function expectSuccess(args: readonly string[], input?: RingctlInput): Promise<RingctlResult> {
    const result = await run(args, input);
    expect({ args, code: result.code, stderr: result.stderr }).toEqual({
      args,
      code: 0,
      stderr: expect.any(String) as string,
    });
    return result;
  }

  describe('keys', () => {
    it('writes, reads and deletes', async () => {
      const created = await expectSuccess(['set', 'greeting', 'hello', '--content-type', 'text/plain', '-o', 'json']);
      const { revision } = created.json<{ revision: string }>();
      expect(created.json()).toMatchObject({
        key: 'greeting',
        created: true,
        cluster: 'c1',
        revision: expect.stringMatching(/^\d+$/) as string,
      });
      const got = await expectSuccess(['get', 'greeting']);
      expect(got.stdout.toString()).toBe('hello');
      expect((await expectSuccess(['get', 'greeting', '-o', 'json'])).json()).toEqual({
        key: 'greeting',
        key_base64: Buffer.from('greeting').toString('base64'),
        value: 'hello',
        value_base64: Buffer.from('hello').toString('base64'),
        bytes: 5,
        revision,
        content_type: 'text/plain',
        cluster: 'c1',
        slot: expect.any(Number) as number,
        epoch: 1,
      });
      await expectSuccess(['del', 'greeting']);
      const gone = await run(['get', 'greeting', '-o', 'json']);
      expect([gone.code, gone.stdout.length]).toEqual([3, 0]);
      expect(gone.error()).toMatchObject({ exit_code: 3, code: 'NOT_FOUND' });
    });

    it('takes and gives any bytes', async () => {
      const value = Buffer.from(Array.from({ length: 512 }, (_, i) => i % 256));
      await expectSuccess(['set', '00ff2f7b', '-', '--key-encoding', 'hex'], { stdin: value });
      const got = await expectSuccess(['get', 'AP8vew==', '--key-encoding', 'base64']);
      expect(got.stdout.equals(value)).toBe(true);
      const json = (await expectSuccess(['get', '00ff2f7b', '--key-encoding', 'hex', '-o', 'json', '--stale'])).json();
      expect(json).toMatchObject({ key: null, key_base64: 'AP8vew==', value: null, bytes: 512 });
      const file = join(directory, 'value');
      writeFileSync(file, value);
      await expectSuccess(['set', 'from-file', '--file', file]);
      expect((await expectSuccess(['get', 'from-file'])).stdout.equals(value)).toBe(true);
    });

    it('writes only if the condition holds, and says so with its exit code', async () => {
      await expectSuccess(['set', 'once', 'a', '--if-absent']);
      const again = await run(['set', 'once', 'b', '--if-absent', '-o', 'json']);
      expect(again.code).toBe(6);
      const { revision } = again.error() as { revision: string };
      expect(again.error()).toMatchObject({ code: 'PRECONDITION_FAILED', outcome: 'not_applied' });
      await expectSuccess(['set', 'once', 'c', '--if-match', revision]);
      expect((await run(['set', 'once', 'd', '--if-match', revision])).code).toBe(6);
      expect((await run(['del', 'once', '--if-match', revision])).code).toBe(6);
      expect((await expectSuccess(['get', 'once'])).stdout.toString()).toBe('c');
    });

    it('a key with a time to live goes by itself', async () => {
      await expectSuccess(['set', 'short', 'x', '--ttl', '100ms']);
      await eventually('it is gone', async () => (await run(['get', 'short'])).code === 3, DEADLINE_MS);
    });

    it('says where a key is, as the gateway does', async () => {
      const { headers } = await system.http().get('/v1/kv/somewhere');
      const { slot, cluster } = (await expectSuccess(['slot', 'somewhere', '-o', 'json'])).json<{
        slot: number;
        cluster: string;
      }>();
      expect([String(slot), cluster]).toEqual([headers['ringraft-slot'], headers['ringraft-cluster']]);
      expect((await expectSuccess(['placement'])).stdout.toString()).toContain('100.0%');
    });
  });

  describe('what makes no sense', () => {
    it.each([
      [[], 'Usage'],
      [['frobnicate'], 'unknown command'],
      [['get', ''], 'the key is empty'],
      [['member', 'add', 'c1', 'n9', 'nowhere'], 'host:port'],
    ])('%j is refused before anybody is asked', async (args, text) => {
      const { code, stdout, stderr } = await ringctl(args, { env: { RINGRAFT_ENDPOINT: 'http://127.0.0.1:1' } });
      expect([code, stdout.length]).toEqual([2, 0]);
      expect(stderr).toContain(text);
    });

    it('arguments are data: nothing in them is looked into', async () => {
      for (const key of ['../../v1/limits', '$(id)?ttl=1s', '%2F', 'a\nb']) {
        await expectSuccess(['set', key, `value of ${key}`]);
        expect((await expectSuccess(['get', key])).stdout.toString()).toBe(`value of ${key}`);
      }
    });

    it('what is not there is said with what is', async () => {
      const { code, stderr } = await run(['status', 'c9']);
      expect([code, stderr]).toEqual([3, expect.stringContaining('there are: c1') as string]);
      expect((await run(['leader', 'transfer', 'c9'])).code).toBe(3);
      const file = await run(['snapshot', 'status', join(directory, 'none')]);
      expect([file.code, file.stderr]).toEqual([1, expect.stringContaining('ENOENT') as string]);
    });

    it('nobody answers: says whom it asked, and what to do', async () => {
      const { code, stderr } = await ringctl(['get', 'a', '-e', 'http://127.0.0.1:1']);
      expect(code).toBe(4);
      expect(stderr).toMatch(/no gateway answers: http:\/\/127\.0\.0\.1:1: connection refused\nhint: .*--endpoint/);
    });

    it('the next gateway is asked when one does not answer', async () => {
      const { baseUrl } = system.http();
      await expectSuccess(['set', 'next', 'x', '-e', `http://127.0.0.1:1,${baseUrl}`]);
      const { code, stdout } = await run(['endpoint', 'health', '-o', 'json', '-e', `http://127.0.0.1:1,${baseUrl}`]);
      expect(code).toBe(4);
      expect(JSON.parse(stdout.toString())).toMatchObject([
        { healthy: false, failure: 'connection refused' },
        { healthy: true, checks: expect.arrayContaining([{ name: 'leaders', ok: true, reason: null }]) as object },
      ]);
    });
  });

  it('says what is missing before anything was built', () => {
    const bin = join(directory, 'clone/apps/ringctl/bin/ringctl.mjs');
    cpSync(join(process.cwd(), 'apps/ringctl/bin/ringctl.mjs'), bin);
    const { status, stderr } = spawnSync(process.execPath, [bin, 'status'], { encoding: 'utf8' });
    expect([status, stderr]).toEqual([1, expect.stringContaining('npm ci && npm run build') as string]);
  });

  it('completes in bash', async () => {
    const script = join(directory, 'completion.bash');
    writeFileSync(script, (await expectSuccess(['completion', 'bash'])).stdout);
    const complete = (...words: string[]): string[] => {
      const program = `source ${script}; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _ringctl; printf '%s\\n' "\${COMPREPLY[@]}"`;
      return execFileSync('bash', ['-c', program, 'bash', ...words], { encoding: 'utf8' })
        .trim()
        .split('\n');
    };
    expect(complete('ringctl', 'sn')).toEqual(['snapshot']);
    expect(complete('ringctl', '-e', 'member', 'member', 're')).toEqual(['replace', 'remove']);
    expect(complete('ringctl', 'member', 'add', '--no')).toEqual(['--no-wait', '--node']);
    expect(complete('ringctl', 'status', '-o', '')).toEqual(['table', 'json']);
  });

  it('check perf gives figures and a verdict', async () => {
    const short = ['check', 'perf', '--duration', '1s', '--clients', '4', '-o', 'json', '--max-p99', '1m'];
    const passed = await expectSuccess([...short, '--min-throughput', '1', '--reads', '50']);
    const { operations, throughput, p50_ms, p99_ms, ...rest } = passed.json<Record<string, number>>();
    expect(rest).toMatchObject({ passed: true, clients: 4, errors: {} });
    expect([operations! > 0, throughput! > 0, p50_ms! > 0, p99_ms! >= p50_ms!]).toEqual([true, true, true, true]);
    const failed = await run([...short, '--min-throughput', '10000000']);
    expect([failed.code, failed.json()]).toEqual([1, expect.objectContaining({ passed: false }) as object]);
  });

  it('hands the leadership over', async () => {
    const [follower] = await system.followersOf('c1');
    const { leader } = (await expectSuccess(['leader', 'transfer', 'c1', follower!.name, '-o', 'json'])).json<{
      leader: string;
    }>();
    expect(leader).toBe(follower!.name);
    const again = await run(['leader', 'transfer', 'c1', follower!.name, '-o', 'json']);
    expect([again.code, again.error()]).toEqual([
      1,
      expect.objectContaining({ code: 'INVALID_REQUEST', message: expect.stringContaining('leads already') as string }),
    ]);
    expect((await run(['leader', 'transfer', 'c1', 'nobody'])).code).toBe(1);
  });

  it(
    'saves a snapshot during load, proves it, and restores it into a fresh cluster',
    async () => {
      const file = join(directory, 'c1.backup');
      const http = system.http();
      for (let i = 0; i < 100; i++) await http.put(`/v1/kv/saved-${i}`, `value of ${i}`);
      let isLoading = true;
      let written = 0;
      const load = (async () => {
        for (; isLoading; written++) await http.put(`/v1/kv/load-${written % 50}`, String(written));
      })();
      const saved = (await expectSuccess(['snapshot', 'save', 'c1', file, '-o', 'json'])).json<{ sha256: string }>();
      const writtenThen = written;
      await eventually('writes go on', () => written > writtenThen, DEADLINE_MS);
      isLoading = false;
      await load;
      const status = (await expectSuccess(['snapshot', 'status', file, '-o', 'json'])).json<{
        revision: string;
        rows: number;
      }>();
      expect(status).toEqual(saved);
      const again = await run(['snapshot', 'save', 'c1', file]);
      expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('--force') as string]);

      const damaged = readFileSync(file);
      damaged[damaged.length >> 1]! ^= 1;
      writeFileSync(`${file}.damaged`, damaged);
      const refused = await run(['snapshot', 'status', `${file}.damaged`]);
      expect([refused.code, refused.stderr]).toEqual([1, expect.stringMatching(/is damaged at byte \d+/) as string]);

      const fresh = await TestSystem.layOut({ clusters: 1, nodes: 1, gateways: 1 });
      try {
        const [node] = fresh.cluster.nodes;
        const dataDir = join(fresh.cluster.dataDir, node!.name);
        const peers = `${node!.name}=${node!.address}`;
        const target = ['--data-dir', dataDir, '--cluster-id', 'c1', '--node-id', node!.name, '--peers', peers];
        await expectSuccess(['snapshot', 'restore', file, ...target]);
        const twice = await run(['snapshot', 'restore', file, ...target]);
        expect([twice.code, statSync(dataDir).isDirectory()]).toEqual([1, true]);
        await fresh.startAll();
        const endpoint = ['-e', fresh.http().baseUrl];
        for (const i of [0, 42, 99]) {
          expect((await expectSuccess(['get', `saved-${i}`, ...endpoint])).stdout.toString()).toBe(`value of ${i}`);
        }
        const { revision } = (await expectSuccess(['set', 'after', 'x', '-o', 'json', ...endpoint])).json<{
          revision: string;
        }>();
        expect(Number(revision)).toBe(Number(status.revision) + 1);
      } finally {
        await fresh.dispose();
      }
    },
    3 * DEADLINE_MS,
  );

  describe('status', () => {
    async function status(...args: string[]): Promise<{ cluster: Status['clusters'][0]; code: number | null }> {
      const result = await run(['status', '-o', 'json', ...args]);
      const { clusters, took_ms: tookMs } = result.json<Status>();
      process.stdout.write(`ringctl status ${args.length > 0 ? '--node' : ''} asked in ${tookMs} ms\n`);
      return { cluster: clusters[0]!, code: result.code };
    }

    const viaNodes = (): string[] => ['--node', system.cluster.nodes.map(({ address }) => address).join(',')];

    it('shows everything of nodes that are well, through a gateway and from the nodes', async () => {
      await system.convergedRevisionOf('c1');
      const leader = (await system.leaderOf('c1')).name;
      for (const args of [[], viaNodes()]) {
        await eventually('all are well', async () => (await status(...args)).cluster.health === 'healthy', DEADLINE_MS);
        const { cluster, code } = await status(...args);
        expect(code).toBe(0);
        expect(cluster).toMatchObject({ id: 'c1', health: 'healthy', leader });
        for (const node of cluster.nodes) {
          expect(node).toMatchObject({
            is_reachable: true,
            lag: 0,
            unhealthy_reasons: [],
            version: expect.any(String) as string,
          });
          expect([node.term, node.commit_index, node.applied_index, node.log_bytes].every((value) => value! > 0)).toBe(
            true,
          );
          expect(node.state_bytes).toBeGreaterThan(0);
          expect(node.role).toBe(node.id === leader ? 'leader' : 'follower');
        }
      }
      const text = (await expectSuccess(['status'])).stdout.toString();
      expect(text).toMatch(/^CLUSTER +NODE +ROLE +TERM +COMMIT +APPLIED +LAG +LOG +STATE +VERSION +HEALTH\n/);
      expect(text).toContain(`c1 is healthy: led by ${leader}`);
      const members = (await expectSuccess(['member', 'list', 'c1', '-o', 'json'])).json<{ nodes: { id: string }[] }>();
      expect(members.nodes.map(({ id }) => id)).toEqual(['c1-n1', 'c1-n2', 'c1-n3']);
    });

    it(
      'a node that hangs is told from one that is well, and how far it is behind',
      async () => {
        const [follower] = await system.followersOf('c1');
        const leader = (await system.leaderOf('c1')).name;
        follower!.pause();
        try {
          for (let i = 0; i < 100; i++) await system.http().put(`/v1/kv/lag-${i}`, 'x');
          await eventually(
            'it is silent and behind',
            async () => {
              const { cluster, code } = await status();
              const hanging = cluster.nodes.find(({ id }) => id === follower!.name)!;
              const committed = cluster.nodes.find(({ id }) => id === leader)!.commit_index!;
              expect({ code, cluster }).toMatchObject({ code: 0, cluster: { health: 'degraded', leader } });
              expect(hanging).toMatchObject({ is_reachable: false, role: null, lag: null });
              expect(hanging.unhealthy_reasons.join()).toMatch(/did not answer within \d+ ms/);
              expect(committed - hanging.match_index!).toBeGreaterThan(50);
              return true;
            },
            DEADLINE_MS,
          );
          const text = (await expectSuccess(['status'])).stdout.toString();
          expect(text).toMatch(new RegExp(`c1 +${follower!.name} +- .*~\\d+ .*unreachable`));
          expect(text).toContain(`c1 is degraded, and serves: led by ${leader}`);
        } finally {
          follower!.resume();
        }
        await eventually('it has caught up', async () => (await status()).cluster.health === 'healthy', DEADLINE_MS);
      },
      3 * DEADLINE_MS,
    );

    it(
      'a leader that died is not shown as one, nor is a majority that is not there',
      async () => {
        const leader = await system.leaderOf('c1');
        await leader.kill();
        const successor = await system.leaderOf('c1', leader);
        for (const args of [[], viaNodes()]) {
          await eventually(
            'the successor is shown, and who is dead',
            async () => {
              const { cluster, code } = await status(...args);
              expect({ code, cluster }).toMatchObject({
                code: 0,
                cluster: { health: 'degraded', leader: successor.name },
              });
              const dead = cluster.nodes.find(({ id }) => id === leader.name);
              expect(dead).toMatchObject({ is_reachable: false, role: null });
              expect(dead!.unhealthy_reasons).toHaveLength(1);
              return true;
            },
            DEADLINE_MS,
          );
        }

        await successor.kill();
        const [last] = system.cluster.nodes.filter(({ isRunning }) => isRunning);
        for (const args of [[], viaNodes()]) {
          await eventually(
            'nobody leads, and the last one is shown',
            async () => {
              const { cluster, code } = await status(...args);
              expect({ code, cluster }).toMatchObject({ code: 4, cluster: { health: 'unavailable', leader: null } });
              expect(cluster.nodes.filter((node) => node.is_reachable).map(({ id }) => id)).toEqual([last!.name]);
              return true;
            },
            DEADLINE_MS,
          );
        }
        const text = await run(['status']);
        expect(text.stdout.toString()).toContain('c1 is unavailable: it has no leader; 1 of 3 nodes answer');
        const write = await run(['set', 'a', 'b', '--timeout', '20s', '-o', 'json']);
        expect(write.error()).toMatchObject({ exit_code: 4, code: 'INVALID_LEADER', outcome: 'not_applied' });
        expect((await run(['member', 'remove', 'c1', leader.name, '--timeout', '1s'])).code).toBe(4);
        expect((await expectSuccess(['get', 'saved-7', '--stale'])).stdout.toString()).toBe('value of 7');

        for (const node of [leader, successor]) node.start();
        await eventually('it is well again', async () => (await status()).cluster.health === 'healthy', DEADLINE_MS);
      },
      3 * DEADLINE_MS,
    );

    it(
      'gives itself less than two seconds, also when the gateway hangs',
      async () => {
        const [gateway] = system.cluster.gateways;
        gateway!.pause();
        try {
          const { code, stderr } = await run(['status', '-o', 'json']);
          expect(code).toBe(4);
          const [, boundMs] = /no answer within (\d+) ms/.exec(stderr) ?? [];
          expect(Number(boundMs)).toBeLessThanOrEqual(STATUS_BOUND_MS);
          await eventually(
            'the nodes say themselves that they are well',
            async () => (await status(...viaNodes())).cluster.health === 'healthy',
            DEADLINE_MS,
          );
        } finally {
          gateway!.resume();
        }
      },
      2 * DEADLINE_MS,
    );
  });
});
