interface ClusterRecord {
  lastSuccessMs: number;
  longestGapMs: number;
  /** Leaders were killed then, and nothing that was asked since has succeeded. */
  pendingKillsMs: number[];
}

/** How long clusters did not serve. All times are those of `performance.now()`. */
export class Availability {
  private readonly clusters: ReadonlyMap<string, ClusterRecord>;
  private readonly failovers: number[] = [];
  private isFinished = false;

  constructor(clusterIds: readonly string[], startedAtMs: number) {
    this.clusters = new Map(
      clusterIds.map((id) => [id, { lastSuccessMs: startedAtMs, longestGapMs: 0, pendingKillsMs: [] }]),
    );
  }

  /** An operation succeeded. Calls come in the order of completion. Without effect after the end. */
  succeeded(clusterId: string, invokedAtMs: number, completedAtMs: number): void {
    if (this.isFinished) return;
    const record = this.recordOf(clusterId);
    record.longestGapMs = Math.max(record.longestGapMs, completedAtMs - record.lastSuccessMs);
    record.lastSuccessMs = completedAtMs;
    if (record.pendingKillsMs.length === 0) return;
    // What was asked before the kill may have been served by the leader that is gone.
    const served = record.pendingKillsMs.filter((killedAtMs) => invokedAtMs >= killedAtMs);
    this.failovers.push(...served.map((killedAtMs) => completedAtMs - killedAtMs));
    record.pendingKillsMs = record.pendingKillsMs.filter((killedAtMs) => invokedAtMs < killedAtMs);
  }

  leaderKilled(clusterId: string, atMs: number): void {
    this.recordOf(clusterId).pendingKillsMs.push(atMs);
  }

  /** The end: what has not been served by now counts as if it were served now. */
  finish(atMs: number): void {
    for (const clusterId of this.clusters.keys()) this.succeeded(clusterId, atMs, atMs);
    this.isFinished = true;
  }

  /** Between one success and the next, in the cluster where it was longest. */
  get longestGapMs(): number {
    return Math.max(...[...this.clusters.values()].map(({ longestGapMs }) => longestGapMs));
  }

  /** For each kill of a leader, the time until an operation that was asked later had succeeded in its cluster. */
  get failoversMs(): readonly number[] {
    return this.failovers;
  }

  private recordOf(clusterId: string): ClusterRecord {
    const record = this.clusters.get(clusterId);
    if (!record) throw new Error(`there is no cluster ${clusterId}`);
    return record;
  }
}

/** The smallest of the values that at least this share of all does not exceed; 0 if there are none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}
