import type { PlacementMap } from './placement-map.js';
import { slotRanges } from './slot-ranges.js';
import { SLOT_COUNT } from './slot.js';

/** Slots that go from one cluster to another. */
export interface MigrationStep {
  readonly from: string;
  readonly to: string;
  /** Ascending, at least one. */
  readonly slots: readonly number[];
  /** The same as text: `0-4,7,9-12`. */
  readonly ranges: string;
}

/**
 * What must move to get from one map to another: one step per pair of clusters, ordered by `from`, then `to`.
 * Each slot stands in at most one step, so steps are independent of each other and may be taken in any order.
 */
export function migrationSteps(before: PlacementMap, after: PlacementMap): MigrationStep[] {
  const moving = new Map<string, { from: string; to: string; slots: number[] }>();
  for (let slot = 0; slot < SLOT_COUNT; slot++) {
    const from = before.ownerOf(slot).id;
    const to = after.ownerOf(slot).id;
    if (from === to) continue;
    const pair = `${from} ${to}`;
    const step = moving.get(pair) ?? { from, to, slots: [] };
    step.slots.push(slot);
    moving.set(pair, step);
  }
  return [...moving.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, step]) => ({ ...step, ranges: slotRanges(step.slots) }));
}
