import { orderedById } from './name.js';
import { PlacementError } from './placement-error.js';
import { PlacementMap, type PlacedCluster } from './placement-map.js';
import { parseSlotRanges, slotRanges } from './slot-ranges.js';
import { SLOT_COUNT } from './slot.js';

const FORMAT = 1;

/** A placement as plain data, for JSON: what is stored, sent and compared. */
export interface PlacementData {
  readonly format: typeof FORMAT;
  readonly epoch: number;
  readonly clusters: readonly (PlacedCluster & {
    /** Ascending ranges as Redis Cluster prints them: `0-4,7,9-12`. */
    readonly slots: string;
  })[];
}

/** Equal maps give equal data, down to the order of its parts. */
export function encodePlacement(map: PlacementMap): PlacementData {
  return {
    format: FORMAT,
    epoch: map.epoch,
    clusters: map.clusters.map(({ id, weight, nodes }) => ({
      id,
      weight,
      nodes: nodes.map(({ id, address }) => ({ id, address })),
      slots: slotRanges(map.slotsOf(id)),
    })),
  };
}

/**
 * The map that `encodePlacement` wrote. Trusts nothing: throws `PlacementError` INVALID_PLACEMENT, naming what is
 * wrong, unless every slot has exactly one owner and all ids, weights and addresses are valid.
 */
export function decodePlacement(data: unknown): PlacementMap {
  if (!isShaped(data)) {
    throw new PlacementError('INVALID_PLACEMENT', [
      `not a placement of format ${FORMAT}: {format, epoch, clusters: [{id, weight, nodes: [{id, address}], slots}]}`,
    ]);
  }
  const ordered = orderedById(data.clusters);
  const reasons: string[] = [];
  const owners = new Uint16Array(SLOT_COUNT);
  const isTaken = new Uint8Array(SLOT_COUNT);
  ordered.forEach(({ id, slots }, index) => {
    const parsed = parseSlotRanges(slots);
    if (!parsed) {
      reasons.push(`slots of cluster ${id} are not ascending ranges within 0-${SLOT_COUNT - 1}`);
      return;
    }
    for (const slot of parsed) {
      if (isTaken[slot]) reasons.push(`slot ${slot} belongs to ${ordered[owners[slot]!]!.id} and to ${id}`);
      isTaken[slot] = 1;
      owners[slot] = index;
    }
  });
  const orphans = isTaken.reduce((count, taken) => count + (taken ? 0 : 1), 0);
  if (orphans > 0) reasons.push(`${orphans} slots belong to no cluster, slot ${isTaken.indexOf(0)} first`);
  if (reasons.length > 0) throw new PlacementError('INVALID_PLACEMENT', reasons);

  const clusters = ordered.map(({ id, weight, nodes }) => ({
    id,
    weight,
    nodes: nodes.map(({ id, address }) => ({ id, address })),
  }));
  return new PlacementMap(data.epoch, clusters, owners);
}

function isShaped(data: unknown): data is PlacementData {
  return (
    isRecord(data) &&
    data['format'] === FORMAT &&
    typeof data['epoch'] === 'number' &&
    Array.isArray(data['clusters']) &&
    data['clusters'].every(
      (cluster) =>
        isRecord(cluster) &&
        typeof cluster['id'] === 'string' &&
        typeof cluster['weight'] === 'number' &&
        typeof cluster['slots'] === 'string' &&
        Array.isArray(cluster['nodes']) &&
        cluster['nodes'].every(
          (node) => isRecord(node) && typeof node['id'] === 'string' && typeof node['address'] === 'string',
        ),
    )
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
