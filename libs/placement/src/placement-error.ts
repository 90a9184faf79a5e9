export type PlacementErrorCode =
  /** Data or arguments that do not make a placement; `reasons` names every one. */
  'INVALID_PLACEMENT' | 'CLUSTER_EXISTS' | 'CLUSTER_UNKNOWN' | 'LAST_CLUSTER';

/** A placement that cannot be. Nothing was changed: maps are immutable. */
export class PlacementError extends Error {
  constructor(
    readonly code: PlacementErrorCode,
    /** One complete sentence part per fault; never empty. */
    readonly reasons: readonly string[],
  ) {
    super(reasons.join('; '));
    this.name = 'PlacementError';
  }
}
