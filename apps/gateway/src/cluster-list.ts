import { registerDecorator } from 'class-validator';
import { firstPlacement, PlacementError, type PlacedCluster } from '@app/placement';
import { parseHostPort } from '@app/platform';

/**
 * The clusters as the configuration names them: by cluster id, addresses of nodes by node id. They are seeds: any one leads to the rest, and
 * what the cluster says of its members counts.
 */
export interface ClusterList {
  readonly [clusterId: string]: {
    /** The cluster's share of the keys, 1 to 100. Default: 1. */
    readonly weight?: number;
    readonly nodes: { readonly [nodeId: string]: string };
  };
}

const RULE = 'must look like c1=c1-n1@127.0.0.1:7001|c1-n2@127.0.0.1:7002;c2=c2-n1@127.0.0.1:7011';

/** Reads `c1=c1-n1@host:port|c1-n2@host:port;c2=...`, where the names of nodes may be left out. Throws an `Error` that says what is allowed. */
export function parseClusterList(text: string): ClusterList {
  const clusters = new Map<string, ClusterList[string]>();
  for (const part of text.split(';')) {
    if (part.trim() === '') continue;
    const [, clusterId = '', nodeList = ''] = /^\s*([^=]*?)\s*=(.*)$/s.exec(part) ?? [];
    if (nodeList.trim() === '') throw new Error(`${RULE}; ${JSON.stringify(part.trim())} does not`);
    if (clusters.has(clusterId)) throw new Error(`must name each cluster once; ${clusterId} is there twice`);
    const nodes = new Map<string, string>();
    for (const node of nodeList.split('|')) {
      const [, name, address = ''] = /^\s*(?:([^@]+)@)?([^@]*:[^@]*?)\s*$/.exec(node) ?? [];
      const nodeId = name ?? `${clusterId}.seed-${nodes.size + 1}`;
      if (address === '') throw new Error(`${RULE}; ${JSON.stringify(node.trim())} is no node`);
      if (nodes.has(nodeId)) throw new Error(`must name each node once; ${nodeId} is there twice`);
      nodes.set(nodeId, address);
    }
    clusters.set(clusterId, { nodes: Object.fromEntries(nodes) });
  }
  if (clusters.size === 0) throw new Error(`${RULE}; it names no cluster`);
  return Object.fromEntries(clusters);
}

/** The clusters in the form that libs/placement takes. */
export function placedClusters(clusters: ClusterList): PlacedCluster[] {
  return Object.entries(clusters).map(([id, { weight, nodes }]) => ({
    id,
    weight: weight ?? 1,
    nodes: Object.entries(nodes).map(([nodeId, address]) => ({ id: nodeId, address })),
  }));
}

/** What is wrong with a cluster list, be it from text or from a file; empty when nothing is. */
export function clusterListFaults(clusters: unknown): string[] {
  if (!isMapping(clusters)) return ['must be a mapping of cluster id to { weight, nodes }'];
  const faults: string[] = [];
  for (const [clusterId, cluster] of Object.entries(clusters)) {
    if (!isMapping(cluster) || !isMapping(cluster.nodes)) {
      faults.push(`cluster ${clusterId} must have nodes, a mapping of node id to host:port`);
      continue;
    }
    const unknown = Object.keys(cluster).filter((name) => name !== 'weight' && name !== 'nodes');
    if (unknown.length > 0) faults.push(`cluster ${clusterId} has the unknown key ${unknown.join(', ')}`);
    for (const [nodeId, address] of Object.entries(cluster.nodes)) {
      try {
        if (parseHostPort(String(address)).port === 0) throw new Error('must be host:port, the port from 1 to 65535');
      } catch (error) {
        faults.push(`address ${JSON.stringify(address)} of node ${nodeId} ${(error as Error).message}`);
      }
    }
  }
  if (faults.length > 0) return faults;
  try {
    firstPlacement(placedClusters(clusters as unknown as ClusterList));
  } catch (error) {
    if (!(error instanceof PlacementError)) throw error;
    return [...error.reasons];
  }
  return [];
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Checks a `ClusterList` field and names everything that is wrong with it. */
export function IsClusterList(): PropertyDecorator {
  return (target, property) => {
    registerDecorator({
      name: 'isClusterList',
      target: target.constructor,
      propertyName: property as string,
      validator: {
        validate: (value: unknown) => clusterListFaults(value).length === 0,
        defaultMessage: (args) => clusterListFaults(args?.value).join('; '),
      },
    });
  };
}
