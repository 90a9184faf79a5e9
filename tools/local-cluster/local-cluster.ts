import { existsSync } from 'node:fs';
import { httpGet } from './http-get.js';
import {
  type GatewayLayout,
  type Layout,
  type LayoutOptions,
  type NodeLayout,
  type PortPlan,
  layOut,
} from './layout.js';
import { isPortTaken } from './ports.js';
import { type Exit, ServerProcess, ServerProcessError } from './server-process.js';

const METRICS_TIMEOUT_MS = 2_000;
const FAILED_START_STOP_TIMEOUT_MS = 5_000;

/** Ports that somebody else listens on. */
export class PortsTakenError extends Error {
  constructor(readonly taken: readonly { port: number; purpose: keyof PortPlan; name: string }[]) {
    super(taken.map(({ port, purpose, name }) => `port ${port} is taken (${purpose} of ${name})`).join('; '));
    this.name = 'PortsTakenError';
  }
}

/** Nothing was built where the processes should come from. */
export class NotBuiltError extends Error {
  constructor(script: string) {
    super(`${script} is not there: run npm run build first`);
    this.name = 'NotBuiltError';
  }
}

export type NodeRole = 'leader' | 'follower' | 'candidate' | 'down';

export interface NodeStatus {
  readonly role: NodeRole;
  /** 0 when it is down. */
  readonly term: number;
}

export interface LocalClusterOptions extends LayoutOptions {
  /** Called when a process ends that nobody asked to end. Nothing is started again. */
  readonly onUnexpectedExit?: (server: ServerProcess, exit: Exit) => void;
}

/** One node of a `LocalCluster`. */
export class LocalNode extends ServerProcess {
  readonly clusterId: string;
  /** host:port of its gRPC server. */
  readonly address: string;
  readonly opsUrl: string;

  constructor(layout: NodeLayout, onUnexpectedExit?: (server: ServerProcess, exit: Exit) => void) {
    super(layout, onUnexpectedExit);
    this.clusterId = layout.clusterId;
    this.address = layout.address;
    this.opsUrl = layout.opsUrl;
  }

  /** What it says about itself; `down` when it does not answer. */
  async status(): Promise<NodeStatus> {
    if (!this.isRunning) return { role: 'down', term: 0 };
    try {
      const { status, text } = await httpGet(`${this.opsUrl}/metrics`, METRICS_TIMEOUT_MS);
      if (status !== 200) return { role: 'down', term: 0 };
      const role =
        gauge(text, 'ringraft_is_leader') === 1
          ? 'leader'
          : gauge(text, 'ringraft_has_leader') === 1
            ? 'follower'
            : 'candidate';
      return { role, term: gauge(text, 'ringraft_term') };
    } catch {
      return { role: 'down', term: 0 };
    }
  }
}

/** One gateway of a `LocalCluster`. */
export class LocalGateway extends ServerProcess {
  /** `http://host:port` */
  readonly url: string;

  constructor(layout: GatewayLayout, onUnexpectedExit?: (server: ServerProcess, exit: Exit) => void) {
    super(layout, onUnexpectedExit);
    this.url = layout.url;
  }
}

/**
 * A whole system on this machine: clusters of real raft-node processes and gateways in front of them, all on
 * 127.0.0.1. It restarts nothing by itself. What it started it also stops: `stop`, or the end of this process.
 */
export class LocalCluster {
  readonly nodes: readonly LocalNode[];
  readonly gateways: readonly LocalGateway[];
  readonly clusterIds: readonly string[];
  private readonly layout: Layout;

  /** Starts nothing yet. */
  constructor(options: LocalClusterOptions) {
    this.layout = layOut(options);
    this.clusterIds = this.layout.clusterIds;
    this.nodes = this.layout.nodes.map((node) => new LocalNode(node, options.onUnexpectedExit));
    this.gateways = this.layout.gateways.map((gateway) => new LocalGateway(gateway, options.onUnexpectedExit));
  }

  /** Throws for a name that is not there. */
  node(name: string): LocalNode {
    const node = this.nodes.find((candidate) => candidate.name === name);
    if (!node) throw new Error(`there is no node ${name}`);
    return node;
  }

  nodesOf(clusterId: string): LocalNode[] {
    return this.nodes.filter((node) => node.clusterId === clusterId);
  }

  /**
   * Starts every process and waits until each is ready, that is until every cluster has a leader.
   * Throws `PortsTakenError` or `NotBuiltError` before anything is started, and `ServerProcessError` when a process
   * exits or is not ready within `timeoutMs`; then everything has been stopped again.
   */
  async start(timeoutMs: number): Promise<void> {
    await this.check();
    const servers = [...this.nodes, ...this.gateways];
    for (const server of servers) server.start();
    try {
      await this.ready(timeoutMs);
      const dead = servers.find(({ isRunning }) => !isRunning);
      if (dead) throw new ServerProcessError(dead, 'ended while others started');
    } catch (error) {
      await this.stop(FAILED_START_STOP_TIMEOUT_MS);
      throw error;
    }
  }

  /** Waits until every process that runs is ready. */
  async ready(timeoutMs: number): Promise<void> {
    await Promise.all([...this.nodes, ...this.gateways].map((server) => server.ready(timeoutMs)));
  }

  /**
   * Stops the gateways, then the nodes; kills what has not ended `timeoutMs` after it was asked to. Never throws. Gives
   * those that did not end well (`ServerProcess.hasEndedWell`).
   */
  async stop(timeoutMs: number): Promise<{ server: ServerProcess; exit: Exit }[]> {
    const failures: { server: ServerProcess; exit: Exit }[] = [];
    for (const servers of [this.gateways, this.nodes]) {
      await Promise.all(
        servers
          .filter(({ isRunning }) => isRunning)
          .map(async (server) => {
            const exit = await server.stop(timeoutMs);
            if (exit && !server.hasEndedWell(exit)) failures.push({ server, exit });
          }),
      );
    }
    return failures;
  }

  /** `kill -9` for everything, at the same moment. */
  async killAll(): Promise<void> {
    await Promise.all([...this.gateways, ...this.nodes].map((server) => server.kill()));
  }

  /** The node that leads the cluster, of several that say so the one with the highest term; undefined when none does. */
  async leaderOf(clusterId: string): Promise<LocalNode | undefined> {
    const statuses = await Promise.all(
      this.nodesOf(clusterId).map(async (node) => ({ node, ...(await node.status()) })),
    );
    const leaders = statuses.filter(({ role }) => role === 'leader').sort((a, b) => b.term - a.term);
    return leaders[0]?.node;
  }

  /** Throws `NotBuiltError` or `PortsTakenError` for what would keep it from starting. */
  async check(): Promise<void> {
    const servers = [...this.layout.gateways, ...this.layout.nodes];
    const missing = servers.find(({ script }) => !existsSync(script));
    if (missing) throw new NotBuiltError(missing.script);
    const ports = servers.flatMap(({ name, ports }) => ports.map((port) => ({ name, ...port })));
    const isTaken = await Promise.all(ports.map(({ port }) => isPortTaken(port)));
    const taken = ports.filter((_, i) => isTaken[i]);
    if (taken.length > 0) throw new PortsTakenError(taken);
  }
}

/** The value of a gauge in the text format of Prometheus, whatever its labels; 0 when it is not there. */
function gauge(metrics: string, name: string): number {
  const line = metrics
    .split('\n')
    .find((candidate) => candidate.startsWith(`${name} `) || candidate.startsWith(`${name}{`));
  return Number(line?.slice(line.lastIndexOf(' ') + 1) ?? 0);
}
