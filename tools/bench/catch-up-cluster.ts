/** The cluster of `npm run bench:catch-up`: three real processes, and what they say about themselves. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { StatusResponse } from '@app/rpc';
import { NodeDoor, isLeader } from '../faults/node-door.js';
import { httpGet } from '../local-cluster/http-get.js';
import { LocalCluster, type LocalNode } from '../local-cluster/local-cluster.js';
import { freePorts } from '../local-cluster/ports.js';
import { describeExit } from '../local-cluster/server-process.js';

const NODES = 3;
/** This file runs as `dist/tools/bench/catch-up-cluster.js`. */
const DIST_DIR = join(import.meta.dirname, '../..');
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 15_000;
const METRICS_TIMEOUT_MS = 2_000;
const POLL_INTERVAL_MS = 50;
const LEADER_TIMEOUT_MS = 30_000;
const AGREEMENT_TIMEOUT_MS = 30_000;

/** A node's status, and its name. */
export interface NodeView {
  readonly node: LocalNode;
  readonly status: StatusResponse;
}

export class CatchUpCluster {
  /** What processes did that nobody had asked them to. Must stay empty. */
  readonly unexpectedExits: string[] = [];
  private readonly doors = new Map<string, NodeDoor>();

  private constructor(
    private readonly cluster: LocalCluster,
    private readonly directory: string,
  ) {}

  /** Everything runs, and there is a leader. `nodeScript` is run as every node instead of the real one. `parent` gets a directory for the data, until `dispose`. */
  static async start(
    env: Readonly<Record<string, string>>,
    nodeScript: string | undefined,
    parent = tmpdir(),
  ): Promise<CatchUpCluster> {
    const directory = mkdtempSync(join(parent, 'ringraft-catch-up-'));
    const ports = await freePorts(2 * NODES);
    const cluster = new LocalCluster({
      clusters: 1,
      nodes: NODES,
      gateways: 0,
      dataDir: directory,
      distDir: DIST_DIR,
      ports: { gateway: [], grpc: ports.slice(0, NODES), ops: ports.slice(NODES) },
      env,
      ...(nodeScript !== undefined && { nodeScript }),
      onUnexpectedExit: (server, exit) => {
        const lines = server.lastLogLines(3).join(' | ');
        started.unexpectedExits.push(`${server.name} ${describeExit(exit)}: ${lines}`);
      },
    });
    const started = new CatchUpCluster(cluster, directory);
    try {
      await cluster.start(START_TIMEOUT_MS);
    } catch (error) {
      await started.dispose();
      throw error;
    }
    return started;
  }

  get nodes(): readonly LocalNode[] {
    return this.cluster.nodes;
  }

  /** `undefined` when it does not answer soon. */
  statusOf(node: LocalNode): Promise<StatusResponse | undefined> {
    let door = this.doors.get(node.name);
    if (door === undefined) {
      door = new NodeDoor(node.address);
      this.doors.set(node.name, door);
    }
    return door.status();
  }

  /** Of several that say so, the one with the highest term. Waits for one. */
  async leader(): Promise<NodeView> {
    const deadline = performance.now() + LEADER_TIMEOUT_MS;
    for (;;) {
      const leaders = (await this.views()).filter(({ status }) => isLeader(status));
      leaders.sort((one, other) => other.status.term - one.status.term);
      if (leaders[0] !== undefined) return leaders[0];
      if (performance.now() > deadline) throw new Error(`there is no leader: ${this.unexpectedExits.join('; ')}`);
      await delay(POLL_INTERVAL_MS);
    }
  }

  /** All nodes, at the same applied index. To be called when nobody writes any more. */
  async settled(): Promise<readonly NodeView[]> {
    const deadline = performance.now() + AGREEMENT_TIMEOUT_MS;
    for (;;) {
      const views = await this.views();
      const indexes = new Set(views.map(({ status }) => status.appliedIndex));
      if (views.length === NODES && indexes.size === 1) return views;
      if (performance.now() > deadline) {
        const applied = views.map(({ node, status }) => `${node.name} ${status.appliedIndex}`);
        throw new Error(`the nodes do not reach the same index: ${applied.join(', ')}`);
      }
      await delay(POLL_INTERVAL_MS);
    }
  }

  /** Stops everything, and removes the data. */
  async dispose(): Promise<void> {
    for (const door of this.doors.values()) door.close();
    await this.cluster.stop(STOP_TIMEOUT_MS);
    rmSync(this.directory, { recursive: true, force: true });
  }

  private async views(): Promise<NodeView[]> {
    const running = this.nodes.filter(({ isRunning }) => isRunning);
    const views = await Promise.all(running.map(async (node) => ({ node, status: await this.statusOf(node) })));
    return views.filter((view): view is NodeView => view.status !== undefined);
  }
}

/** A node's metrics as it prints them; empty when it does not answer. */
export async function metricsOf(node: LocalNode): Promise<string> {
  const answer = await httpGet(`${node.opsUrl}/metrics`, METRICS_TIMEOUT_MS).catch(() => undefined);
  return answer?.status === 200 ? answer.text : '';
}

/** The sum of a metric's values whose labels contain `label`. */
export function sumOf(metrics: string, name: string, label = ''): number {
  return metrics
    .split('\n')
    .filter((line) => (line.startsWith(`${name} `) || line.startsWith(`${name}{`)) && line.includes(label))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
