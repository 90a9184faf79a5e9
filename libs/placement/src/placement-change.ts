import { HashRing } from './hash-ring.js';
import { orderedById } from './name.js';
import { PlacementError } from './placement-error.js';
import { PlacementMap, clusterFaults, type PlacedCluster, type PlacedNode } from './placement-map.js';
import { type Claim, quotas } from './quota.js';
import { SLOT_COUNT } from './slot.js';

/** Stands for "nobody" among the owners while a map is made. */
const NOBODY = 0xffff;

/**
 * The map that the ring alone gives: epoch 1, every cluster with its exact quota of slots, each slot with the first
 * cluster clockwise that has room left. The order of `clusters` does not matter.
 * Throws `PlacementError` INVALID_PLACEMENT for no clusters or invalid ones.
 */
export function firstPlacement(clusters: Iterable<PlacedCluster>): PlacementMap {
  const ordered = orderedById(clusters);
  const nobodys = new Uint16Array(SLOT_COUNT).fill(NOBODY);
  return settled(1, ordered, nobodys, () => ({ atLeast: 0, atMost: SLOT_COUNT }));
}

/**
 * The next map, with one cluster more. It takes slots from all others, the ones just before its points on the ring;
 * nothing moves between the others. Throws CLUSTER_EXISTS or INVALID_PLACEMENT.
 */
export function withCluster(map: PlacementMap, cluster: PlacedCluster): PlacementMap {
  if (map.cluster(cluster.id)) throw new PlacementError('CLUSTER_EXISTS', [`there is a cluster ${cluster.id} already`]);
  return next(map, [...map.clusters, cluster], (id, held) => ({
    atLeast: 0,
    atMost: id === cluster.id ? SLOT_COUNT : held,
  }));
}

/**
 * The next map, with one cluster less. Its slots go to the others, each to the first one clockwise that has room;
 * nothing else moves. Throws CLUSTER_UNKNOWN, or LAST_CLUSTER when nobody would be left to own the slots.
 */
export function withoutCluster(map: PlacementMap, id: string): PlacementMap {
  requireCluster(map, id);
  if (map.clusters.length === 1) {
    throw new PlacementError('LAST_CLUSTER', [`${id} is the last cluster: its slots would have no owner`]);
  }
  const rest = map.clusters.filter((cluster) => cluster.id !== id);
  return next(map, rest, (_id, held) => ({ atLeast: held, atMost: SLOT_COUNT }));
}

/**
 * The next map, with other weights for the clusters named: those whose quota shrinks give slots to those whose quota
 * grows, as few as possible. With no weights named it evens out what earlier changes left uneven.
 * Throws CLUSTER_UNKNOWN or INVALID_PLACEMENT.
 */
export function withWeights(map: PlacementMap, weights: Readonly<Record<string, number>>): PlacementMap {
  for (const id of Object.keys(weights)) requireCluster(map, id);
  const changed = map.clusters.map((cluster) => ({ ...cluster, weight: weights[cluster.id] ?? cluster.weight }));
  return next(map, changed, () => ({ atLeast: 0, atMost: SLOT_COUNT }));
}

/** The next map, with other nodes or addresses for a cluster. No slot moves. Throws CLUSTER_UNKNOWN or INVALID_PLACEMENT. */
export function withNodes(map: PlacementMap, id: string, nodes: readonly PlacedNode[]): PlacementMap {
  requireCluster(map, id);
  const changed = map.clusters.map((cluster) => (cluster.id === id ? { ...cluster, nodes } : cluster));
  return new PlacementMap(map.epoch + 1, changed, ownersIn(map, changed));
}

type Bounds = (id: string, held: number) => Pick<Claim, 'atLeast' | 'atMost'>;

function next(map: PlacementMap, clusters: Iterable<PlacedCluster>, bounds: Bounds): PlacementMap {
  const ordered = orderedById(clusters);
  return settled(map.epoch + 1, ordered, ownersIn(map, ordered), bounds);
}

/**
 * Brings every cluster to its quota with the fewest moves. A cluster above it gives up the slots that stand nearest
 * before a point of a cluster below it; every slot without an owner then goes to the first cluster clockwise that is
 * still below its quota. Only takers need to stand on the ring, as the points of others would be passed over anyway.
 */
function settled(epoch: number, clusters: readonly PlacedCluster[], owners: Uint16Array, bounds: Bounds): PlacementMap {
  const reasons = clusterFaults(clusters);
  if (reasons.length > 0) throw new PlacementError('INVALID_PLACEMENT', reasons);
  const held = new Array<number>(clusters.length).fill(0);
  for (const owner of owners) if (owner !== NOBODY) held[owner]!++;
  const claims = clusters.map(({ id, weight }, i) => ({ weight, held: held[i]!, ...bounds(id, held[i]!) }));
  const quota = quotas(claims);

  const takers = [...clusters.keys()].filter((cluster) => held[cluster]! < quota[cluster]!);
  const ring = HashRing.of(takers.map((cluster) => clusters[cluster]!));

  const givable = clusters.map((): { slot: number; distance: number }[] => []);
  owners.forEach((owner, slot) => {
    if (owner === NOBODY || held[owner]! <= quota[owner]!) return;
    givable[owner]!.push({ slot, distance: ring.nearest(slot)!.distance });
  });
  givable.forEach((slots, owner) => {
    slots.sort((a, b) => a.distance - b.distance || a.slot - b.slot);
    for (const { slot } of slots.slice(0, held[owner]! - quota[owner]!)) owners[slot] = NOBODY;
  });

  const hasRoom = (taker: number): boolean => held[takers[taker]!]! < quota[takers[taker]!]!;
  owners.forEach((owner, slot) => {
    if (owner !== NOBODY) return;
    const cluster = takers[ring.nearest(slot, hasRoom)!.cluster]!;
    owners[slot] = cluster;
    held[cluster]!++;
  });
  return new PlacementMap(epoch, clusters, owners);
}

/** The owners of `map` as indexes into other clusters; `NOBODY` where the owner is not among them. */
function ownersIn(map: PlacementMap, clusters: readonly PlacedCluster[]): Uint16Array {
  const indexById = new Map(clusters.map(({ id }, index) => [id, index]));
  return Uint16Array.from({ length: SLOT_COUNT }, (_, slot) => indexById.get(map.ownerOf(slot).id) ?? NOBODY);
}

function requireCluster(map: PlacementMap, id: string): void {
  if (!map.cluster(id)) throw new PlacementError('CLUSTER_UNKNOWN', [`there is no cluster ${id}`]);
}
