import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { LocalCluster, type LocalNode } from '../../local-cluster/local-cluster.js';
import { freePorts } from '../../local-cluster/ports.js';
import type { RecoverableSystem } from './many-keys.js';
import { fillRingraft } from './ringraft-fill.js';
import type { FailoverSystem, SystemProcess } from './system.js';

const START_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 15_000;
const POLL_INTERVAL_MS = 20;

/** Ours, as `npm start` starts it: built processes, one gateway, every option as it is by default. */
export class RingraftSystem implements FailoverSystem, RecoverableSystem {
  readonly name: string;
  readonly description: string;
  readonly dialect = 'rest';
  private cluster: LocalCluster | undefined;
  private killed: LocalNode | undefined;

  constructor(
    readonly clusters: number,
    private readonly nodes: number,
    private readonly distDir: string,
    private readonly dataDir: string,
  ) {
    this.name = `ringraft-${clusters}x${nodes}`;
    this.description = `${clusters} ${clusters === 1 ? 'cluster' : 'clusters'} of ${nodes} nodes behind one gateway, REST`;
  }

  /** The processes. Throws before `start`. */
  get local(): LocalCluster {
    if (!this.cluster) throw new Error(`${this.name} was not started`);
    return this.cluster;
  }

  async start(): Promise<void> {
    const { clusters, nodes, distDir } = this;
    const count = clusters * nodes;
    const ports = await freePorts(1 + 2 * count);
    this.cluster = new LocalCluster({
      clusters,
      nodes,
      gateways: 1,
      distDir,
      dataDir: join(this.dataDir, this.name),
      ports: { gateway: ports.slice(0, 1), grpc: ports.slice(1, 1 + count), ops: ports.slice(1 + count) },
    });
    await this.cluster.start(START_TIMEOUT_MS);
  }

  async stop(): Promise<void> {
    await this.cluster?.stop(STOP_TIMEOUT_MS);
  }

  url(): Promise<string> {
    return Promise.resolve(this.local.gateways[0]!.url);
  }

  async processes(): Promise<readonly SystemProcess[]> {
    const nodes = await Promise.all(
      this.local.nodes
        .filter(({ isRunning }) => isRunning)
        .map(async (node) => ({ pid: node.pid!, kind: (await node.status()).role })),
    );
    return [...this.local.gateways.map(({ pid }) => ({ pid: pid!, kind: 'gateway' })), ...nodes];
  }

  async killLeader(): Promise<{ killedAtMs: number; url: string }> {
    this.killed = await this.leader();
    const killedAtMs = performance.now();
    await this.killed.kill();
    return { killedAtMs, url: await this.url() };
  }

  async repair(): Promise<void> {
    const { killed } = this;
    if (!killed) return;
    killed.start();
    await killed.ready(START_TIMEOUT_MS);
    this.killed = undefined;
  }

  async fill(count: number, valueBytes: number, signal: AbortSignal): Promise<void> {
    await fillRingraft((await this.leader()).address, count, valueBytes, signal);
  }

  async killAll(): Promise<void> {
    await this.local.killAll();
  }

  async restartAll(): Promise<void> {
    await this.local.start(START_TIMEOUT_MS);
  }

  /** Of the first cluster. Waits for one, for some time. */
  private async leader(): Promise<LocalNode> {
    const deadline = performance.now() + START_TIMEOUT_MS;
    for (;;) {
      const leader = await this.local.leaderOf(this.local.clusterIds[0]!);
      if (leader) return leader;
      if (performance.now() > deadline) throw new Error(`${this.name} has no leader`);
      await delay(POLL_INTERVAL_MS);
    }
  }
}
