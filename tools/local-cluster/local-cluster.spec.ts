import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { LocalCluster, NotBuiltError, PortsTakenError, type LocalClusterOptions } from './local-cluster.js';
import { freePorts, isPortTaken } from './ports.js';
import { ServerProcessError, describeExit } from './server-process.js';
import { DummyDist } from './testing/dummy-dist.js';

/** Far above what it takes: a machine that is busy with other tests must not fail this one. */
jest.setTimeout(120_000);

const TIMEOUT_MS = 30_000;
/** Is waited for in full; what does stop has to make it on a busy machine, too. */
const STUBBORN_STOP_TIMEOUT_MS = 4_000;
/** The first is what it takes when the machine has time. */
const READY_TIMEOUTS_MS = [1_500, 6_000, 24_000];

describe('LocalCluster', () => {
  const dist = new DummyDist();
  let cluster: LocalCluster | undefined;

  async function layOutCluster(more: Partial<LocalClusterOptions> = {}): Promise<LocalCluster> {
    const ports = await freePorts(13);
    cluster = new LocalCluster({
      clusters: 2,
      nodes: 3,
      gateways: 1,
      dataDir: dist.dataDir,
      distDir: dist.distDir,
      ports: { gateway: ports.slice(0, 1), grpc: ports.slice(1, 7), ops: ports.slice(7) },
      ...more,
    });
    return cluster;
  }

  const isAlive = (pid: number): boolean => {
    try {
      process.kill(pid, 0);
      return true;
    } catch {
      return false;
    }
  };

  const answers = (port: number): Promise<boolean> =>
    fetch(`http://127.0.0.1:${port}/`).then(
      ({ ok }) => ok,
      () => false,
    );

  afterEach(async () => {
    await cluster?.killAll();
    rmSync(dist.dataDir, { recursive: true, force: true });
  });

  afterAll(() => dist.remove());

  it('starts every process, knows the leaders, and stops everything gracefully', async () => {
    const unexpected: string[] = [];
    const system = await layOutCluster({ onUnexpectedExit: ({ name }) => unexpected.push(name) });
    await system.start(TIMEOUT_MS);
    expect(system.clusterIds).toEqual(['c1', 'c2']);
    expect(system.nodes.map(({ name }) => name)).toEqual(['c1-n1', 'c1-n2', 'c1-n3', 'c2-n1', 'c2-n2', 'c2-n3']);
    expect((await system.leaderOf('c2'))?.name).toBe('c2-n2');
    expect(await system.node('c1-n1').status()).toEqual({ role: 'follower', term: 4 });
    expect(await system.node('c1-n2').status()).toEqual({ role: 'leader', term: 4 });

    const pids = [...system.nodes, ...system.gateways].map(({ pid }) => pid!);
    expect(pids.every(isAlive)).toBe(true);
    expect(await system.stop(TIMEOUT_MS)).toEqual([]);
    expect(pids.some(isAlive)).toBe(false);
    expect(unexpected).toEqual([]);
    expect(system.node('c1-n1').lastLogLines(5)).toEqual(['c1-n1 starts', 'c1-n1 stops']);
    expect(await system.leaderOf('c2')).toBeUndefined();
  });

  it('gives each process the environment that it needs', async () => {
    const system = await layOutCluster({ env: { RINGRAFT_LOG_LEVEL: 'debug' } });
    const { nodes, gateways } = system['layout'];
    const peers = nodes.slice(0, 3).map(({ name, address }) => `${name}=${address}`);
    expect(nodes[1]!.env).toEqual({
      RINGRAFT_CLUSTER_ID: 'c1',
      RINGRAFT_NODE_ID: 'c1-n2',
      RINGRAFT_DATA_DIR: join(dist.dataDir, 'c1-n2'),
      RINGRAFT_LISTEN: nodes[1]!.address,
      RINGRAFT_OPS_LISTEN: nodes[1]!.opsUrl.replace('http://', ''),
      RINGRAFT_PEERS: peers.join(','),
      RINGRAFT_EXIT_WITH_PARENT: 'true',
      RINGRAFT_LOG_LEVEL: 'debug',
    });
    const members = ['c1', 'c2'].map(
      (id) =>
        `${id}=${nodes
          .filter(({ clusterId }) => clusterId === id)
          .map(({ name, address }) => `${name}@${address}`)
          .join('|')}`,
    );
    expect(gateways[0]!.env).toMatchObject({ RINGRAFT_CLUSTERS: members.join(';'), RINGRAFT_EXIT_WITH_PARENT: 'true' });
  });

  it('kills, pauses, resumes and starts again single nodes', async () => {
    const system = await layOutCluster();
    await system.start(TIMEOUT_MS);
    const node = system.node('c1-n2');
    const firstPid = node.pid!;

    node.pause();
    node.resume();
    await node.ready(TIMEOUT_MS);

    await node.kill();
    expect(isAlive(firstPid)).toBe(false);
    expect(node.isRunning).toBe(false);
    expect(await node.status()).toEqual({ role: 'down', term: 0 });
    expect(() => node.pause()).toThrow('c1-n2 does not run');

    node.start();
    await node.ready(TIMEOUT_MS);
    expect(node.pid).not.toBe(firstPid);
    expect(() => node.start()).toThrow('c1-n2 runs already');
    expect(node.lastLogLines(10)).toEqual(['c1-n2 starts']);
    expect(readFileSync(node.logPath, 'utf8')).toBe('c1-n2 starts\nc1-n2 starts\n');
  });

  it('stops a paused process too, and kills one that does not stop', async () => {
    const system = await layOutCluster({ env: { DUMMY_IGNORES_SIGTERM: 'c1-n1' } });
    await system.start(TIMEOUT_MS);
    system.node('c2-n1').pause();
    expect(await system.node('c2-n1').stop(TIMEOUT_MS)).toEqual({ code: 0, signal: null });
    const failures = await system.stop(STUBBORN_STOP_TIMEOUT_MS);
    expect(failures.map(({ server, exit }) => [server.name, exit])).toEqual([
      ['c1-n1', { code: null, signal: 'SIGKILL' }],
    ]);
  });

  it('reports a process that exits early with its last lines, and stops the others', async () => {
    const system = await layOutCluster({ env: { DUMMY_EXITS: 'c2-n3' } });
    const failure = await system.start(TIMEOUT_MS).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ServerProcessError);
    expect((failure as Error).message).toMatch(/^c2-n3 exited with code 7; log: .*c2-n3\.log; its last lines:\n/);
    expect((failure as Error).message).toContain('c2-n3 cannot go on');
    expect([...system.nodes, ...system.gateways].filter(({ isRunning }) => isRunning)).toEqual([]);
  });

  it('reports a process that is not ready in time, with the reason that it gives', async () => {
    const system = await layOutCluster({ env: { DUMMY_NEVER_READY: 'gateway' } });
    let message = '';
    for (const timeoutMs of READY_TIMEOUTS_MS) {
      message = await system.start(timeoutMs).then(
        () => 'it has started',
        (error: unknown) => (error as Error).message,
      );
      // Only where the others were ready in time it is known who is late.
      if (message.includes('no leader is known')) break;
    }
    expect(message).toMatch(
      /^gateway-1 was not ready within \d+ ms \(\[-\]leader failed: no leader is known, readyz check failed\)/,
    );
  });

  it('tells of a process that ends by itself', async () => {
    const exits: string[] = [];
    const system = await layOutCluster({
      onUnexpectedExit: ({ name }, exit) => exits.push(`${name} ${describeExit(exit)}`),
    });
    await system.start(TIMEOUT_MS);
    const node = system.node('c1-n3');
    process.kill(node.pid!, 'SIGKILL');
    while (node.isRunning) await delay(5);
    expect(exits).toEqual(['c1-n3 was killed by SIGKILL']);
  });

  it('names every taken port before it starts anything', async () => {
    const system = await layOutCluster();
    const { port } = new URL(system.gateways[0]!.url);
    const stranger = createServer().listen(Number(port), '127.0.0.1');
    await once(stranger, 'listening');
    const failure = await system.start(TIMEOUT_MS).catch((error: unknown) => error);
    stranger.close();
    expect(failure).toBeInstanceOf(PortsTakenError);
    expect((failure as PortsTakenError).taken).toEqual([{ port: Number(port), purpose: 'gateway', name: 'gateway-1' }]);
    expect(system.nodes.some(({ isRunning }) => isRunning)).toBe(false);
  });

  it('says when nothing was built', async () => {
    const system = await layOutCluster({ distDir: '/nowhere' });
    await expect(system.start(TIMEOUT_MS)).rejects.toThrow(NotBuiltError);
  });

  it('leaves nobody behind when its own process is killed', async () => {
    const [port] = await freePorts(1);
    const script = `
      const { spawn } = require('node:child_process');
      const child = spawn(process.execPath, [process.argv[1]], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
      console.log(child.pid);
    `;
    const parent = spawn(process.execPath, ['-e', script, join(dist.distDir, 'apps/raft-node/bundle/main.js')], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { RINGRAFT_LISTEN: `127.0.0.1:${port}`, RINGRAFT_EXIT_WITH_PARENT: 'true' },
    });
    const [printed] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(printed.toString());
    // By asking it, not by `isPortTaken`: that one listens for a moment, and would take the port from the process it waits for.
    while (!(await answers(port!))) await delay(5);
    expect(isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    while (await isPortTaken(port!)) await delay(5);
    expect(await isPortTaken(port!)).toBe(false);
  });
});

describe('freePorts', () => {
  it('are different and free', async () => {
    const ports = await freePorts(20);
    expect(new Set(ports).size).toBe(20);
    expect(await Promise.all(ports.map(isPortTaken))).toEqual(ports.map(() => false));
  });

  it('leave out a port that somebody listens on', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    expect(await isPortTaken(port)).toBe(true);
    server.close();
  });
});
