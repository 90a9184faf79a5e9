import type { HistoryEvent } from '@app/simulator';
import type { Chance } from './chance.js';
import type { DatabaseClient, PlacedKey } from './database-client.js';
import type { FaultSystem } from './fault-system.js';

/** What a workload is given for one run. */
export interface WorkloadStage {
  readonly system: FaultSystem;
  readonly clients: readonly DatabaseClient[];
  readonly chance: Chance;
  /** No other run on the same system has this prefix; a key is `keyOf` a cluster and a name. */
  keyOf(clusterId: string, name: string): PlacedKey;
  /** All that the clients did, so far. */
  readonly events: readonly HistoryEvent[];
}

/** What clients do, and what must be true of it. One object for one run. */
export interface Workload {
  /** One operation or a few that belong together. Called again and again for each client; rejects for defects only. */
  step(client: DatabaseClient): Promise<void>;

  /** Disturbs on top of the nemesis what this workload wants disturbed; gives how often, by kind. */
  disturb?(signal: AbortSignal): Promise<ReadonlyMap<string, number>>;

  /** Everything is healed, the replicas agree, no client is at work: the last operations. */
  settle(client: DatabaseClient): Promise<void>;

  /** What is wrong with the history and with what the replicas hold: nothing, or one line or more for each fault. */
  check(): Promise<readonly string[]>;
}
