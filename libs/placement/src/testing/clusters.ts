import type { PlacedCluster } from '../placement-map.js';

/** A cluster `c<n>` of three nodes. */
export function clusterNumber(n: number, weight = 1): PlacedCluster {
  return {
    id: `c${n}`,
    weight,
    nodes: [1, 2, 3].map((node) => ({ id: `c${n}-n${node}`, address: `10.0.${n}.${node}:7000` })),
  };
}

/** `c1` to `c<count>`, all of weight 1. */
export function clusters(count: number): PlacedCluster[] {
  return Array.from({ length: count }, (_, i) => clusterNumber(i + 1));
}
