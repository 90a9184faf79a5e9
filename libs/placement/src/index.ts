/**
 * Placement: which cluster holds a key. `slotOf` is the one and only function from a key to a shard; a `PlacementMap`
 * says which cluster owns each slot and where its nodes are. The first map comes from the consistent-hashing ring
 * alone, every later one from the map before it and the ring, so that nothing moves that need not. Maps are immutable
 * data with an epoch: a reader always sees one whole placement. Pure: the same input gives the same map everywhere.
 */
export { SLOT_COUNT, slotOf } from './slot.js';
export { HashRing, WEIGHT_MAX, type RingCluster } from './hash-ring.js';
export { PlacementMap, type Location, type PlacedCluster, type PlacedNode } from './placement-map.js';
export { firstPlacement, withCluster, withNodes, withWeights, withoutCluster } from './placement-change.js';
export { decodePlacement, encodePlacement, type PlacementData } from './placement-data.js';
export { migrationSteps, type MigrationStep } from './migration.js';
export { PlacementError, type PlacementErrorCode } from './placement-error.js';
