import { join } from 'node:path';

const HOST = '127.0.0.1';

export interface LayoutOptions {
  readonly clusters: number;
  /** Per cluster. */
  readonly nodes: number;
  readonly gateways: number;
  /** Holds a directory per node and `logs/`. */
  readonly dataDir: string;
  /** Where the build is: has `apps/raft-node/bundle/main.js`. */
  readonly distDir: string;
  readonly ports: PortPlan;
  /** For every process, on top of what the layout sets. */
  readonly env?: Readonly<Record<string, string>>;
  /** Run as every node instead of the build's `main.js`; takes the same environment. */
  readonly nodeScript?: string;
  /**
   * host:port at which the process named `from` finds the node, another one than itself: for a proxy on the way, which the process is told of
   * as a reroute. The node's own address unless given.
   */
  readonly addressFor?: (from: string, node: NodePlace) => string;
}

export interface NodePlace {
  /** Also its name as a process. */
  readonly nodeId: string;
  readonly clusterId: string;
  /** host:port of its gRPC server. */
  readonly address: string;
}

/** First ports; each further process takes the next one. */
export interface PortPlan {
  readonly gateway: readonly number[];
  readonly grpc: readonly number[];
  readonly ops: readonly number[];
}

export interface ServerLayout {
  readonly name: string;
  readonly script: string;
  readonly env: Readonly<Record<string, string>>;
  readonly logPath: string;
  readonly readyUrl: string;
  /** Every port that it listens on, and what for. */
  readonly ports: readonly { readonly port: number; readonly purpose: keyof PortPlan }[];
}

export interface NodeLayout extends ServerLayout {
  readonly clusterId: string;
  /** host:port of its gRPC server. */
  readonly address: string;
  readonly opsUrl: string;
}

export interface GatewayLayout extends ServerLayout {
  /** `http://host:port` */
  readonly url: string;
}

export interface Layout {
  readonly clusterIds: readonly string[];
  readonly nodes: readonly NodeLayout[];
  readonly gateways: readonly GatewayLayout[];
}

/** Ports one after the other from each of the three first ones. */
export function consecutivePorts(
  first: { gateway: number; grpc: number; ops: number },
  { clusters, nodes, gateways }: Pick<LayoutOptions, 'clusters' | 'nodes' | 'gateways'>,
): PortPlan {
  const from = (port: number, count: number): number[] => Array.from({ length: count }, (_, i) => port + i);
  return {
    gateway: from(first.gateway, gateways),
    grpc: from(first.grpc, clusters * nodes),
    ops: from(first.ops, clusters * nodes),
  };
}

/** Every process of a local system: its name, environment, files and ports. Clusters are `c1`, ..., nodes `c1-n1`, ... */
export function layOut(options: LayoutOptions): Layout {
  const { distDir, dataDir, ports, env = {}, addressFor = (_from, node) => node.address } = options;
  const clusterIds = Array.from({ length: options.clusters }, (_, i) => `c${i + 1}`);
  const members = clusterIds.map((clusterId, c) =>
    Array.from({ length: options.nodes }, (_, n) => {
      const index = c * options.nodes + n;
      const grpcPort = ports.grpc[index]!;
      return {
        clusterId,
        nodeId: `${clusterId}-n${n + 1}`,
        grpcPort,
        opsPort: ports.ops[index]!,
        address: `${HOST}:${grpcPort}`,
      };
    }),
  );

  const reroutesFor = (from: string, to: readonly NodePlace[]): Record<string, string> => {
    const reroutes = to
      .filter(({ nodeId }) => nodeId !== from)
      .map((node) => `${node.address}=${addressFor(from, node)}`)
      .filter((pair) => new Set(pair.split('=')).size > 1);
    return reroutes.length === 0 ? {} : { RINGRAFT_REROUTES: reroutes.join(',') };
  };

  const nodes = members.flatMap((cluster) =>
    cluster.map(({ clusterId, nodeId, grpcPort, opsPort, address }): NodeLayout => {
      const opsUrl = `http://${HOST}:${opsPort}`;
      return {
        name: nodeId,
        clusterId,
        address,
        opsUrl,
        readyUrl: `${opsUrl}/readyz`,
        script: options.nodeScript ?? join(distDir, 'apps/raft-node/bundle/main.js'),
        logPath: join(dataDir, 'logs', `${nodeId}.log`),
        ports: [
          { port: grpcPort, purpose: 'grpc' },
          { port: opsPort, purpose: 'ops' },
        ],
        env: {
          RINGRAFT_CLUSTER_ID: clusterId,
          RINGRAFT_NODE_ID: nodeId,
          RINGRAFT_DATA_DIR: join(dataDir, nodeId),
          RINGRAFT_LISTEN: address,
          RINGRAFT_OPS_LISTEN: `${HOST}:${opsPort}`,
          RINGRAFT_PEERS: cluster.map((peer) => `${peer.nodeId}=${peer.address}`).join(','),
          ...reroutesFor(nodeId, cluster),
          RINGRAFT_EXIT_WITH_PARENT: 'true',
          ...env,
        },
      };
    }),
  );

  const clusterList = members
    .map((cluster) => `${cluster[0]!.clusterId}=${cluster.map((node) => `${node.nodeId}@${node.address}`).join('|')}`)
    .join(';');
  const gateways = ports.gateway.slice(0, options.gateways).map((port, i): GatewayLayout => {
    const url = `http://${HOST}:${port}`;
    const name = `gateway-${i + 1}`;
    return {
      name,
      url,
      readyUrl: `${url}/readyz`,
      script: join(distDir, 'apps/gateway/bundle/main.js'),
      logPath: join(dataDir, 'logs', `${name}.log`),
      ports: [{ port, purpose: 'gateway' }],
      env: {
        RINGRAFT_LISTEN: `${HOST}:${port}`,
        RINGRAFT_CLUSTERS: clusterList,
        ...reroutesFor(name, members.flat()),
        RINGRAFT_EXIT_WITH_PARENT: 'true',
        ...env,
      },
    };
  });
  return { clusterIds, nodes, gateways };
}
