import type { Metadata } from '@grpc/grpc-js';
import { RingraftError } from './ringraft-error.js';

/** Metadata of an Execute stream: the cluster that its caller takes the node to be of. */
export const CLUSTER_KEY = 'ringraft-cluster';

/**
 * Throws WRONG_CLUSTER when the caller of a stream takes this for a node of another cluster: addresses pass from one node to another, and a
 * command that was applied by the wrong cluster would be lost to its own.
 */
export function assertCluster(metadata: Metadata, clusterId: string): void {
  const [expected] = metadata.get(CLUSTER_KEY);
  if (expected === undefined || expected === clusterId) return;
  throw new RingraftError('WRONG_CLUSTER', `this is a node of cluster ${clusterId}, not of ${expected.toString()}`);
}
