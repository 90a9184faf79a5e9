import { ringFaults } from './hash-ring.js';
import { NAME_RULE, isName } from './name.js';
import { PlacementError } from './placement-error.js';
import { SLOT_COUNT, slotOf } from './slot.js';

export interface PlacedNode {
  /** 1 to 64 of A-Z a-z 0-9 . _ -; unique in the whole map. */
  readonly id: string;
  /** host:port of its gRPC server. */
  readonly address: string;
}

export interface PlacedCluster {
  /** 1 to 64 of A-Z a-z 0-9 . _ - */
  readonly id: string;
  /** Its share of the slots, 1 to `WEIGHT_MAX`. */
  readonly weight: number;
  readonly nodes: readonly PlacedNode[];
}

/** Where a key lives. */
export interface Location {
  readonly slot: number;
  readonly epoch: number;
  readonly cluster: PlacedCluster;
}

/**
 * The whole placement: which cluster owns each slot, and where its nodes are.
 *
 * A map is data: it never changes, and a newer one (a higher `epoch`) replaces it whole, so that a reader who holds
 * one sees a single consistent state. Every slot has exactly one owner, and every cluster in `clusters` is known.
 * New maps come from `firstPlacement`, `withCluster`, `withoutCluster`, `withWeights`, `withNodes` and
 * `decodePlacement`.
 */
export class PlacementMap {
  private readonly byId: ReadonlyMap<string, number>;

  /**
   * Throws `PlacementError` INVALID_PLACEMENT, naming everything that is wrong, unless `epoch` is a positive safe
   * integer, `clusters` are valid, not empty and ordered by id, and `owners` has an index into them for every slot.
   * Keeps `owners`: the caller does not touch it again.
   */
  constructor(
    readonly epoch: number,
    /** Ordered by id, compared by code units. */
    readonly clusters: readonly PlacedCluster[],
    private readonly owners: Uint16Array,
  ) {
    const reasons = [...clusterFaults(clusters)];
    if (!Number.isSafeInteger(epoch) || epoch < 1) reasons.push(`epoch ${epoch} is not a whole number from 1`);
    if (owners.length !== SLOT_COUNT) reasons.push(`${owners.length} slots instead of ${SLOT_COUNT}`);
    else if (owners.some((owner) => owner >= clusters.length))
      reasons.push('a slot belongs to a cluster that is not there');
    if (reasons.length > 0) throw new PlacementError('INVALID_PLACEMENT', reasons);
    this.byId = new Map(clusters.map(({ id }, index) => [id, index]));
  }

  /** The slot of the key and the cluster that owns it. */
  locate(key: Uint8Array | string): Location {
    const slot = slotOf(key);
    return { slot, epoch: this.epoch, cluster: this.ownerOf(slot) };
  }

  /** Throws a `RangeError` for what is not a slot. */
  ownerOf(slot: number): PlacedCluster {
    const owner = this.owners[slot];
    if (owner === undefined) throw new RangeError(`${slot} is not a slot: 0 to ${SLOT_COUNT - 1} are`);
    return this.clusters[owner]!;
  }

  cluster(id: string): PlacedCluster | undefined {
    const index = this.byId.get(id);
    return index === undefined ? undefined : this.clusters[index];
  }

  /** The slots of a cluster, ascending; none for an unknown one. */
  slotsOf(clusterId: string): number[] {
    const index = this.byId.get(clusterId);
    const slots: number[] = [];
    this.owners.forEach((owner, slot) => {
      if (owner === index) slots.push(slot);
    });
    return slots;
  }

  /** How many slots each cluster owns, in the order of `clusters`. */
  slotCounts(): number[] {
    const counts = new Array<number>(this.clusters.length).fill(0);
    for (const owner of this.owners) counts[owner]!++;
    return counts;
  }
}

/** What is wrong with these clusters, ordered by id, as those of one map; empty when nothing is. */
export function clusterFaults(clusters: readonly PlacedCluster[]): string[] {
  if (clusters.length === 0) return ['there is no cluster'];
  const reasons = ringFaults(clusters);
  clusters.forEach(({ id }, index) => {
    const next = clusters[index + 1];
    if (next && next.id < id) reasons.push(`cluster ${next.id} stands after ${id}, not ordered by id`);
  });
  const homes = new Map<string, string>();
  for (const { id: clusterId, nodes } of clusters) {
    if (nodes.length === 0) reasons.push(`cluster ${clusterId} has no node`);
    for (const { id, address } of nodes) {
      if (!isName(id)) reasons.push(`node id ${JSON.stringify(id)} of cluster ${clusterId} is not ${NAME_RULE}`);
      if (homes.has(id)) reasons.push(`node ${id} is in ${homes.get(id)} and in ${clusterId}`);
      if (!/^\S+:[0-9]{1,5}$/.test(address)) {
        reasons.push(`address ${JSON.stringify(address)} of node ${id} is not host:port`);
      }
      homes.set(id, clusterId);
    }
  }
  return reasons;
}
