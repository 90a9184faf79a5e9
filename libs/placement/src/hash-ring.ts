import { murmur3 } from './murmur3.js';
import { NAME_RULE, isName, orderedById } from './name.js';
import { PlacementError } from './placement-error.js';
import { SLOT_COUNT } from './slot.js';

/** A cluster as the ring sees it. */
export interface RingCluster {
  /** 1 to 64 of A-Z a-z 0-9 . _ - */
  readonly id: string;
  /** Its share of the slots in proportion to the other weights: a whole number from 1 to `WEIGHT_MAX`. */
  readonly weight: number;
}

/** A weight of 100 already means 12,800 virtual nodes; finer shares than 1:100 are not worth more. */
export const WEIGHT_MAX = 100;

/** Virtual nodes per unit of weight: with 128 the plain ring is within about 10% of the mean before loads are bounded. */
const VIRTUAL_NODES_PER_WEIGHT = 128;

const RING_SIZE = 2 ** 32;
const SLOT_WIDTH = RING_SIZE / SLOT_COUNT;

/** Points carry the index of their cluster in their low digits, so that one numeric sort orders them, ties included. */
const CLUSTERS_MAX = 2 ** 16;

/**
 * The consistent-hashing ring: every cluster owns `128 * weight` points on a circle of 2^32, point `n` at the
 * MurmurHash3 of `n` (4 bytes, little-endian) seeded with that of its id, and slot `s` stands
 * at `s * 2^18` (a slot is a hash already). A slot belongs to the first point clockwise.
 *
 * Immutable: `withCluster` and `without` return new rings in which the points of all other clusters stand where they
 * stood. The order in which clusters were given never matters.
 */
export class HashRing {
  private constructor(
    /** Ordered by id, compared by code units. */
    readonly clusters: readonly RingCluster[],
    /** Ascending; each is `position * CLUSTERS_MAX + index into clusters`. */
    private readonly points: Float64Array,
  ) {}

  /** Throws `PlacementError` INVALID_PLACEMENT for a malformed or repeated id and for a weight out of range. */
  static of(clusters: Iterable<RingCluster>): HashRing {
    const ordered = orderedById(clusters).map(({ id, weight }) => ({ id, weight }));
    const reasons = ringFaults(ordered);
    if (reasons.length > 0) throw new PlacementError('INVALID_PLACEMENT', reasons);

    const pointCount = ordered.reduce((sum, { weight }) => sum + weight * VIRTUAL_NODES_PER_WEIGHT, 0);
    const points = new Float64Array(pointCount);
    const replicaBytes = new Uint8Array(4);
    const replicaNumber = new DataView(replicaBytes.buffer);
    let filled = 0;
    ordered.forEach(({ id, weight }, index) => {
      const seed = murmur3(asciiBytes(id));
      for (let replica = 0; replica < weight * VIRTUAL_NODES_PER_WEIGHT; replica++) {
        replicaNumber.setUint32(0, replica, true);
        points[filled++] = murmur3(replicaBytes, seed) * CLUSTERS_MAX + index;
      }
    });
    return new HashRing(ordered, points.sort());
  }

  withCluster(cluster: RingCluster): HashRing {
    return HashRing.of([...this.clusters, cluster]);
  }

  /** Throws `PlacementError` CLUSTER_UNKNOWN when it is not on the ring. */
  without(id: string): HashRing {
    const rest = this.clusters.filter((cluster) => cluster.id !== id);
    if (rest.length === this.clusters.length) {
      throw new PlacementError('CLUSTER_UNKNOWN', [`there is no cluster ${id}`]);
    }
    return HashRing.of(rest);
  }

  /** The cluster that plain consistent hashing gives the slot to, with no bound on loads; undefined on an empty ring. */
  ownerOf(slot: number): string | undefined {
    const nearest = this.nearest(slot);
    return nearest && this.clusters[nearest.cluster]!.id;
  }

  /**
   * The first cluster clockwise from the slot (that `accepts` says yes to), as an index into `clusters`, and how far
   * away its point is; undefined when there is none.
   */
  nearest(
    slot: number,
    accepts: (cluster: number) => boolean = () => true,
  ): { cluster: number; distance: number } | undefined {
    const position = slot * SLOT_WIDTH;
    const first = this.firstPointFrom(position);
    for (let step = 0; step < this.points.length; step++) {
      const point = this.points[(first + step) % this.points.length]!;
      const cluster = point % CLUSTERS_MAX;
      if (accepts(cluster)) {
        return { cluster, distance: ((point - cluster) / CLUSTERS_MAX - position + RING_SIZE) % RING_SIZE };
      }
    }
    return undefined;
  }

  private firstPointFrom(position: number): number {
    const wanted = position * CLUSTERS_MAX;
    let low = 0;
    let high = this.points.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.points[middle]! < wanted) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** What keeps these clusters, ordered by id, from standing on one ring; empty when nothing does. */
export function ringFaults(ordered: readonly RingCluster[]): string[] {
  const reasons: string[] = [];
  if (ordered.length >= CLUSTERS_MAX) reasons.push(`more than ${CLUSTERS_MAX - 1} clusters`);
  ordered.forEach(({ id, weight }, index) => {
    if (!isName(id)) reasons.push(`cluster id ${JSON.stringify(id)} is not ${NAME_RULE}`);
    if (ordered[index + 1]?.id === id) reasons.push(`cluster ${id} is there twice`);
    if (!Number.isInteger(weight) || weight < 1 || weight > WEIGHT_MAX) {
      reasons.push(`weight ${weight} of cluster ${id} is not a whole number from 1 to ${WEIGHT_MAX}`);
    }
  });
  return reasons;
}

function asciiBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
