import type { CommandContext } from '../context.js';
import { clustersAnswer } from '../gateway/clusters-answer.js';

/** The answer of `GET /v1/placement`. */
export interface PlacementMapView {
  readonly epoch: number;
  readonly slot_count: number;
  readonly clusters: readonly PlacedClusterView[];
}

export interface PlacedClusterView {
  readonly id: string;
  readonly weight: number;
  /** How many it owns. */
  readonly slots: number;
  /** `0-4,7` */
  readonly slot_ranges: string;
  readonly nodes: readonly { readonly id: string; readonly address: string }[];
}

export function placementOfGateway({ gateway, timeoutMs }: CommandContext): Promise<PlacementMapView> {
  return clustersAnswer(gateway, '/v1/placement', timeoutMs);
}

/** Undefined when no cluster has the slot. */
export function ownerOf({ clusters }: PlacementMapView, slot: number): PlacedClusterView | undefined {
  return clusters.find(({ slot_ranges: ranges }) => hasSlot(ranges, slot));
}

function hasSlot(ranges: string, slot: number): boolean {
  return ranges.split(',').some((range) => {
    const [first = NaN, last = first] = range === '' ? [] : range.split('-').map(Number);
    return first <= slot && slot <= last;
  });
}
