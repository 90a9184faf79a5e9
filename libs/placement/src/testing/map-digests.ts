import { createHash } from 'node:crypto';
import { firstPlacement, withCluster, withoutCluster } from '../placement-change.js';
import { encodePlacement } from '../placement-data.js';
import type { PlacementMap } from '../placement-map.js';
import { clusterNumber, clusters } from './clusters.js';

/** SHA-256 of a first map, of one after a cluster came, and of one after another went. */
export function mapDigests(): { first: string; grown: string; shrunk: string } {
  const first = firstPlacement(clusters(5));
  const grown = withCluster(first, clusterNumber(6, 2));
  const shrunk = withoutCluster(grown, 'c2');
  return { first: digest(first), grown: digest(grown), shrunk: digest(shrunk) };
}

function digest(map: PlacementMap): string {
  return createHash('sha256')
    .update(JSON.stringify(encodePlacement(map)))
    .digest('hex');
}
