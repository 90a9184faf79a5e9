import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { firstPlacement } from '@app/placement';
import type { StatusResponse } from '@app/rpc';
import { LocalCluster, type LocalNode } from '../local-cluster/local-cluster.js';
import { freePorts } from '../local-cluster/ports.js';
import { describeExit, type Exit, type ServerProcess } from '../local-cluster/server-process.js';
import { Chance } from './chance.js';
import { ordersPath, readJson, reportPath, writeJson, type DiskOrders, type DiskReport } from './disk-orders.js';
import { FaultNetwork } from './fault-network.js';
import { NodeDoor, isLeader } from './node-door.js';

const START_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 15_000;
const POLL_INTERVAL_MS = 20;
const TAGS_MAX = 10_000;
const HOST = '127.0.0.1';

/**
 * Gateways give up on a node, and on a request, sooner than by default: they repeat more often, and what ends as unknown
 * does so before a client has stood still for long.
 */
const IMPATIENT_GATEWAYS = { RINGRAFT_ATTEMPT_TIMEOUT_MS: '500', RINGRAFT_REQUEST_TIMEOUT_MS: '3000' };

export interface FaultSystemOptions {
  readonly distDir: string;
  readonly seed: number;
  readonly clusters?: number;
  readonly nodes?: number;
  readonly gateways?: number;
  /** For every process. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** The disks of nodes can be made slow and hang; everything else is as it is. */
  readonly hasFaultyDisks?: boolean | undefined;
}

/** Replicas that differ are to be noticed within a run. */
const WATCHFUL_NODES = { RINGRAFT_CONSISTENCY_CHECK_MS: '1000' };

/**
 * A system of the built processes in which every link between two processes goes through a proxy, and every process can be killed,
 * paused and started again. By default three clusters of three nodes and two gateways.
 */
export class FaultSystem {
  /** What processes did that nobody had asked them to: how they ended. Must stay empty. */
  readonly unexpectedExits: string[] = [];
  /** How often a node was killed. */
  kills = 0;
  private readonly doors: ReadonlyMap<string, NodeDoor>;
  private readonly tags = new Map<string, string>();
  /** Nodes that have lost their data and came back: with nothing on their disk they are nobody until they are added. */
  private readonly joiners = new Set<LocalNode>();
  private diskOrders = 0;

  private constructor(
    readonly cluster: LocalCluster,
    readonly network: FaultNetwork,
    readonly dataDir: string,
  ) {
    this.doors = new Map(cluster.nodes.map(({ name, address }) => [name, new NodeDoor(address)]));
  }

  /** Everything runs, and every cluster has a leader. */
  static async start(options: FaultSystemOptions): Promise<FaultSystem> {
    const { clusters = 3, nodes = 3, gateways = 2, distDir, seed, env, hasFaultyDisks = false } = options;
    const nodeCount = clusters * nodes;
    const ports = await freePorts(gateways + 2 * nodeCount);
    const grpc = ports.slice(gateways, gateways + nodeCount);
    const places = grpc.map((port, i) => {
      const clusterId = `c${Math.floor(i / nodes) + 1}`;
      return { clusterId, nodeId: `${clusterId}-n${(i % nodes) + 1}`, address: `${HOST}:${port}` };
    });
    const gatewayNames = Array.from({ length: gateways }, (_, i) => `gateway-${i + 1}`);
    const network = await FaultNetwork.open(places, gatewayNames, new Chance(seed, 'network'));
    const dataDir = mkdtempSync(join(tmpdir(), 'ringraft-faults-'));
    const unexpected = (server: ServerProcess, exit: Exit): void => {
      system.unexpectedExits.push(`${server.name} ${describeExit(exit)}: ${server.lastLogLines(3).join(' | ')}`);
    };
    const cluster = new LocalCluster({
      clusters,
      nodes,
      gateways,
      dataDir,
      distDir,
      ports: { gateway: ports.slice(0, gateways), grpc, ops: ports.slice(gateways + nodeCount) },
      addressFor: (from, { nodeId }) => network.addressFor(from, nodeId),
      env: { ...IMPATIENT_GATEWAYS, ...WATCHFUL_NODES, ...env },
      ...(hasFaultyDisks && { nodeScript: join(distDir, 'tools/faulty-node/main.js') }),
      onUnexpectedExit: unexpected,
    });
    const system = new FaultSystem(cluster, network, dataDir);
    try {
      await cluster.start(START_TIMEOUT_MS);
    } catch (error) {
      await system.dispose();
      throw error;
    }
    return system;
  }

  get clusterIds(): readonly string[] {
    return this.cluster.clusterIds;
  }

  get gatewayNames(): readonly string[] {
    return this.cluster.gateways.map(({ name }) => name);
  }

  nodesOf(clusterId: string): LocalNode[] {
    return this.cluster.nodesOf(clusterId);
  }

  door(node: LocalNode): NodeDoor {
    return this.doors.get(node.name)!;
  }

  /** The node that says so itself with the highest term; `undefined` when none does. */
  async leaderOf(clusterId: string): Promise<LocalNode | undefined> {
    const statuses = await this.statusesOf(clusterId);
    const leaders = statuses.filter(({ status }) => isLeader(status)).sort((a, b) => b.status!.term - a.status!.term);
    return leaders[0]?.node;
  }

  start(node: LocalNode): void {
    node.start(this.joiners.has(node) ? { RINGRAFT_JOIN: 'true' } : {});
  }

  /** Removes everything that the node has kept; it must not run. From now on it starts as one that has yet to be added. */
  wipe(node: LocalNode): void {
    if (node.isRunning) throw new Error(`${node.name} runs`);
    rmSync(this.dataDirOf(node), { recursive: true, force: true });
    this.joiners.add(node);
  }

  /** Makes the node's disk do this, with the next look that it takes at its orders; one that starts obeys from the beginning. */
  orderDisk(node: LocalNode, orders: Partial<Omit<DiskOrders, 'number'>>): void {
    const number = ++this.diskOrders;
    writeJson(ordersPath(this.dataDirOf(node)), { number, delaysMs: {}, hanging: [], ...orders });
  }

  /** How many operations of the node's disk were delayed or hung, as of the last orders that it carried out. */
  affectedDiskOperations(node: LocalNode): number {
    return readJson<DiskReport>(reportPath(this.dataDirOf(node)))?.affected ?? 0;
  }

  /** How often nodes have logged a line with this text. */
  countLogged(text: string): number {
    return this.cluster.nodes.reduce((sum, { logPath }) => {
      const log = existsSync(logPath) ? readFileSync(logPath, 'utf8') : '';
      return sum + log.split(text).length - 1;
    }, 0);
  }

  /** `kill -9`. */
  async kill(node: LocalNode): Promise<void> {
    await node.kill();
    this.kills += 1;
  }

  statusesOf(clusterId: string): Promise<{ node: LocalNode; status: StatusResponse | undefined }[]> {
    return Promise.all(
      this.nodesOf(clusterId).map(async (node) => ({
        node,
        status: node.isRunning ? await this.door(node).status() : undefined,
      })),
    );
  }

  /** All nodes of the cluster run, are voters, follow one leader and have applied what it has committed. */
  async isWhole(clusterId: string): Promise<boolean> {
    const statuses = (await this.statusesOf(clusterId)).map(({ status }) => status);
    const leader = statuses.find((status) => isLeader(status));
    return (
      leader !== undefined &&
      leader.members.filter(({ isLearner }) => !isLearner).length === statuses.length &&
      statuses.every(
        (status) =>
          status?.leaderId === leader.nodeId &&
          status.term === leader.term &&
          status.appliedIndex >= leader.commitIndex,
      )
    );
  }

  /** All nodes of the cluster have applied the same log to its end. */
  async isConverged(clusterId: string): Promise<boolean> {
    const statuses = (await this.statusesOf(clusterId)).map(({ status }) => status);
    const [first] = statuses;
    return (
      first !== undefined &&
      statuses.every(
        (status) =>
          status !== undefined &&
          status.leaderId !== '' &&
          status.leaderId === first.leaderId &&
          status.lastIndex === first.lastIndex &&
          status.commitIndex === first.lastIndex &&
          status.appliedIndex === first.lastIndex &&
          status.revision === first.revision,
      )
    );
  }

  /** Waits for the condition; false when it did not come about in time, or was no longer wanted. */
  async waitFor(condition: () => Promise<boolean>, timeoutMs: number, signal?: AbortSignal): Promise<boolean> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      if (await condition()) return true;
      if (signal?.aborted || performance.now() >= deadline) return false;
      await delay(POLL_INTERVAL_MS);
    }
  }

  /** A prefix `{...}` for keys: all that begin with it are in this cluster. */
  keyTagOf(clusterId: string): string {
    let tag = this.tags.get(clusterId);
    if (tag === undefined) {
      tag = this.findTag(clusterId);
      this.tags.set(clusterId, tag);
    }
    return tag;
  }

  /** SIGKILL for whatever still runs, without waiting: for the end of this process. */
  killNow(): void {
    for (const { pid } of [...this.cluster.nodes, ...this.cluster.gateways]) {
      if (pid !== undefined) process.kill(pid, 'SIGKILL');
    }
  }

  /** Stops everything. Removes data and logs unless they are to be kept. */
  async dispose(shouldKeep = false): Promise<void> {
    this.network.healAll();
    for (const door of this.doors.values()) door.close();
    await this.cluster.stop(STOP_TIMEOUT_MS);
    await this.network.close();
    if (!shouldKeep) rmSync(this.dataDir, { recursive: true, force: true });
  }

  private dataDirOf({ name }: LocalNode): string {
    return join(this.dataDir, name);
  }

  private findTag(clusterId: string): string {
    const clusters = this.clusterIds.map((id) => ({
      id,
      weight: 1,
      nodes: this.nodesOf(id).map(({ name, address }) => ({ id: name, address })),
    }));
    const placement = firstPlacement(clusters);
    for (let n = 0; n < TAGS_MAX; n++) {
      const tag = `{${n}}`;
      if (placement.locate(Buffer.from(tag)).cluster.id === clusterId) return tag;
    }
    throw new Error(`none of ${TAGS_MAX} keys is in cluster ${clusterId}`);
  }
}
