import type { HistoryEvent } from '@app/simulator';
import type { PlacedKey } from './database-client.js';
import type { HeldRecord } from './node-door.js';
import type { FaultSystem } from './fault-system.js';

/** Keys that are asked for at once, so that proxies and processes get their turn. */
const BATCH = 500;
const CONVERGENCE_TIMEOUT_MS = 30_000;
const TRIES_MAX = 3;

export interface ReplicaReads {
  /** What every replica holds of every key, as reads, in the order of replicas. They come after everything else. */
  readonly events: readonly HistoryEvent[];
  /** Keys of which replicas hold different things. */
  readonly faults: readonly string[];
}

/** Reads every key at every node of its cluster. `firstProcess` and those after it stand for the nodes. */
export async function readReplicas(
  system: FaultSystem,
  targets: readonly PlacedKey[],
  { firstProcess, time }: { readonly firstProcess: number; readonly time: number },
): Promise<ReplicaReads> {
  const events: HistoryEvent[] = [];
  const faults: string[] = [];
  for (const clusterId of system.clusterIds) {
    const keys = targets.filter((target) => target.clusterId === clusterId).map(({ key }) => key);
    const nodes = system.nodesOf(clusterId);
    for (let from = 0; from < keys.length; from += BATCH) {
      const batch = keys.slice(from, from + BATCH);
      const held = await agreed(system, clusterId, batch);
      batch.forEach((key, k) => {
        const views = held.map((records) => records[k]!);
        if (new Set(views.map((record) => JSON.stringify(record))).size > 1) {
          const shown = nodes.map(({ name }, n) => `${name} ${JSON.stringify(views[n])}`);
          faults.push(`the replicas of key ${key} differ: ${shown.join(', ')}`);
        }
        views.forEach((record, n) => {
          const event = { process: firstProcess + n, f: 'read', key, time } as const;
          const value = record && { value: record.value, revision: record.revision };
          events.push({ ...event, type: 'invoke', value: null }, { ...event, type: 'ok', value });
        });
      });
    }
  }
  return { events, faults };
}

/** What each node holds of each key. A request that was under way for long may still arrive meanwhile, so a difference is looked at again. */
async function agreed(
  system: FaultSystem,
  clusterId: string,
  keys: readonly string[],
): Promise<(HeldRecord | null)[][]> {
  for (let tries = 1; ; tries++) {
    const nodes = system.nodesOf(clusterId);
    const held = await Promise.all(
      nodes.map((node) => Promise.all(keys.map((key) => system.door(node).heldRecord(key)))),
    );
    if (new Set(held.map((records) => JSON.stringify(records))).size === 1 || tries === TRIES_MAX) return held;
    await system.waitFor(() => system.isConverged(clusterId), CONVERGENCE_TIMEOUT_MS);
  }
}
