import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../../tools/local-cluster/ports.js';
import { eventually } from '../support/eventually.js';
import { runApp } from '../support/run-app.js';
import { TestSystem } from '../support/test-system.js';

const STOP_TIMEOUT_MS = 15_000;

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'ringraft-lifecycle-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** A right configuration of a node, for cases that make one thing wrong. */
function nodeEnv(): Record<string, string> {
  return {
    RINGRAFT_CLUSTER_ID: 'c1',
    RINGRAFT_NODE_ID: 'c1-n1',
    RINGRAFT_DATA_DIR: join(directory, 'never-used'),
    RINGRAFT_PEERS: 'c1-n1=127.0.0.1:1,c1-n2=127.0.0.1:2',
  };
}

const gatewayEnv = { RINGRAFT_CLUSTERS: 'c1=c1-n1@127.0.0.1:1' };

describe('a wrong configuration stops the start with exit code 2 and names field, value and what is allowed', () => {
  it('raft-node: by environment, flag and file, all faults at once', async () => {
    const file = join(directory, 'raft-node.yaml');
    writeFileSync(file, 'shutdownTimeoutMs: -7\nnoSuchField: 1\nvalueBytesMax: large\n');
    const { code, stderr } = await runApp('raft-node', {
      env: { ...nodeEnv(), RINGRAFT_ELECTION_TIMEOUT_MS: '5', RINGRAFT_PEERS: 'c1-n1', RINGRAFT_NODE_ID: '' },
      args: ['--config', file, '--heartbeat-ms', 'often', '--listen=localhost', '--segment-byte-max', '1'],
    });
    expect(stderr).toMatch(/electionTimeoutMs = "5" \(environment RINGRAFT_ELECTION_TIMEOUT_MS\): .*less than 50/);
    expect(stderr).toMatch(/peers = "c1-n1" \(environment RINGRAFT_PEERS\): .*name=host:port/);
    expect(stderr).toMatch(/nodeId is missing: give it by --node-id, RINGRAFT_NODE_ID or in the file/);
    expect(stderr).toMatch(/heartbeatMs = "often" \(flag --heartbeat-ms\): must be a number \(ms\)/);
    expect(stderr).toMatch(/listen = "localhost" \(flag --listen\): .*host:port/);
    expect(stderr).toMatch(/unknown flag --segment-byte-max.*--segment-bytes-max/);
    expect(stderr).toMatch(/shutdownTimeoutMs = -7 \(file .*raft-node.yaml\): .*less than 1/);
    expect(stderr).toMatch(/valueBytesMax = "large" \(file .*raft-node.yaml\): must be a number/);
    expect(stderr).toContain('noSuchField');
    expect(code).toBe(2);
  }, 30_000);

  it('gateway: by environment, flag and file, all faults at once', async () => {
    const file = join(directory, 'gateway.yaml');
    writeFileSync(file, 'retryDelayMs: 0\n');
    const { code, stderr } = await runApp('gateway', {
      env: { RINGRAFT_REQUEST_TIMEOUT_MS: '0', RINGRAFT_CONFIG: file },
      args: ['--clusters', 'c1', '--log-level=loud'],
    });
    expect(stderr).toMatch(/requestTimeoutMs = "0" \(environment RINGRAFT_REQUEST_TIMEOUT_MS\): .*less than 50/);
    expect(stderr).toMatch(/clusters = "c1" \(flag --clusters\): must look like c1=/);
    expect(stderr).toMatch(/logLevel = "loud" \(flag --log-level\): .*error.*info.*debug/);
    expect(stderr).toMatch(/retryDelayMs = 0 \(file .*gateway.yaml\): .*less than 1/);
    expect(code).toBe(2);
  }, 30_000);

  it('raft-node: values that do not fit together', async () => {
    const env = { ...nodeEnv(), RINGRAFT_HEARTBEAT_MS: '400', RINGRAFT_PEERS: 'c1-n2=127.0.0.1:2' };
    const { code, stderr } = await runApp('raft-node', { env });
    expect(stderr).toMatch(/electionTimeoutMs: must be at least three heartbeats \(3 x 400 ms\), it is 500/);
    expect(stderr).toMatch(/peers: must name this node \(c1-n1\), it names c1-n2/);
    expect(code).toBe(2);
  }, 30_000);

  it('gateway: a file that is not there', async () => {
    const file = join(directory, 'no-such.yaml');
    const { code, stderr } = await runApp('gateway', { env: { ...gatewayEnv, RINGRAFT_CONFIG: file } });
    expect(stderr).toContain(file);
    expect(code).toBe(2);
  }, 30_000);

  it.each(['raft-node', 'gateway'] as const)(
    '%s: --help explains every option and exits with 0',
    async (app) => {
      const { code, stdout } = await runApp(app, { args: ['--help'] });
      expect(stdout).toContain('RINGRAFT_LISTEN');
      expect(code).toBe(0);
    },
    30_000,
  );
});

describe('a node and a gateway', () => {
  /** Of each client that wrote while the gateway stopped. */
  const lastAcknowledged: number[] = [];
  const lastPath = (client: number): string => `/v1/kv/last-${client}`;
  let system: TestSystem;

  beforeAll(async () => {
    system = await TestSystem.start({ clusters: 1, nodes: 1, gateways: 1 });
    await system.http().put('/v1/kv/kept', 'value');
  }, 120_000);

  afterAll(() => system?.dispose(), 60_000);

  async function envOfSecondNode(more: Record<string, string> = {}): Promise<Record<string, string>> {
    const [grpcPort, opsPort] = await freePorts(2);
    return {
      RINGRAFT_CLUSTER_ID: 'c1',
      RINGRAFT_NODE_ID: 'c1-n1',
      RINGRAFT_DATA_DIR: join(system.cluster.dataDir, 'c1-n1'),
      RINGRAFT_LISTEN: `127.0.0.1:${grpcPort}`,
      RINGRAFT_OPS_LISTEN: `127.0.0.1:${opsPort}`,
      RINGRAFT_PEERS: `c1-n1=127.0.0.1:${grpcPort}`,
      ...more,
    };
  }

  it('a second process on the same data directory is refused, and the first one goes on', async () => {
    const env = await envOfSecondNode();
    const { code, stdout, stderr } = await runApp('raft-node', { env });
    const printed = stdout + stderr;
    expect(printed).toContain(env['RINGRAFT_DATA_DIR']);
    expect(printed).toContain('in use by another process');
    expect(code).toBe(1);
    expect((await system.http().get('/v1/kv/kept')).text).toBe('value');
  }, 60_000);

  it('a taken port stops the start of either, and is named', async () => {
    const node = system.cluster.nodes[0]!;
    const gatewayAddress = system.cluster.gateways[0]!.url.slice('http://'.length);
    const dataDir = { RINGRAFT_DATA_DIR: join(directory, 'port-taken') };
    const cases = [
      {
        app: 'raft-node',
        env: await envOfSecondNode({ ...dataDir, RINGRAFT_LISTEN: node.address }),
        address: node.address,
      },
      {
        app: 'raft-node',
        env: await envOfSecondNode({ ...dataDir, RINGRAFT_OPS_LISTEN: node.opsUrl.slice('http://'.length) }),
        address: node.opsUrl.slice('http://'.length),
      },
      { app: 'gateway', env: { ...gatewayEnv, RINGRAFT_LISTEN: gatewayAddress }, address: gatewayAddress },
    ] as const;
    for (const { app, env, address } of cases) {
      const { code, stdout, stderr } = await runApp(app, { env });
      expect(stdout + stderr).toContain(address);
      expect(stdout + stderr).toMatch(/EADDRINUSE|in use/);
      expect(code).toBe(1);
    }
    expect((await system.http().get('/v1/kv/kept')).text).toBe('value');
  }, 90_000);

  it('end with exit code 0 on SIGTERM while clients write', async () => {
    const [node] = system.cluster.nodes;
    const [gateway] = system.cluster.gateways;
    const acknowledged = Array.from({ length: 8 }, () => 0);
    // Each ends with the first write that is refused or finds nobody there.
    const clients = acknowledged.map(async (_, n) => {
      for (;;) {
        const next = acknowledged[n]! + 1;
        const answer = await system
          .http()
          .put(lastPath(n), String(next))
          .catch(() => undefined);
        if (answer === undefined || answer.status >= 300) return;
        acknowledged[n] = next;
      }
    });
    await eventually('every client has written', () => acknowledged.every((n) => n > 5), 30_000);
    expect(await gateway!.stop(STOP_TIMEOUT_MS)).toEqual({ code: 0, signal: null });
    await Promise.all(clients);
    expect(await node!.stop(STOP_TIMEOUT_MS)).toEqual({ code: 0, signal: null });
    lastAcknowledged.push(...acknowledged);
  }, 60_000);

  it("another node's data directory is refused", async () => {
    for (const [variable, value] of [
      ['RINGRAFT_CLUSTER_ID', 'c2'],
      ['RINGRAFT_NODE_ID', 'c1-n2'],
    ] as const) {
      const env = await envOfSecondNode({ [variable]: value });
      env['RINGRAFT_PEERS'] = `${env['RINGRAFT_NODE_ID']}=${env['RINGRAFT_LISTEN']}`;
      const { code, stdout, stderr } = await runApp('raft-node', { env });
      expect(stdout + stderr).toContain("is not this node's data directory");
      expect(stdout + stderr).toContain(value);
      expect(code).toBe(1);
    }
  }, 60_000);

  it('start again where they stopped, with every acknowledged write', async () => {
    await system.startAll();
    expect((await system.http().get('/v1/kv/kept')).text).toBe('value');
    expect(lastAcknowledged).toHaveLength(8);
    for (const [client, acknowledged] of lastAcknowledged.entries()) {
      // The write that was refused or not answered may have been made.
      const { text } = await system.http().get(lastPath(client));
      expect([acknowledged, acknowledged + 1]).toContain(Number(text));
    }
  }, 60_000);
});
