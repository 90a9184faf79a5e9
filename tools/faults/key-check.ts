import { setImmediate as breathe } from 'node:timers/promises';
import { checkLinearizability, recordModel, type HistoryEvent } from '@app/simulator';
import type { PlacedKey } from './database-client.js';
import { readReplicas } from './replicas.js';
import type { WorkloadStage } from './workload.js';

/**
 * What is wrong with a run: with what its clients were told, and with what every replica holds in the end. The latter are reads after all
 * others, so a write that was acknowledged must be on every replica, and one that surely failed on none.
 */
export async function faultsWithReplicas(
  { system, clients, events }: WorkloadStage,
  targets: readonly PlacedKey[],
): Promise<string[]> {
  const replicas = await readReplicas(system, targets, {
    firstProcess: Math.max(...clients.map(({ process }) => process)) + 1,
    time: events.at(-1)?.time ?? 0,
  });
  return [...(await keyFaults([...events, ...replicas.events])), ...replicas.faults];
}

/**
 * What is wrong with a history of records: one text for each key that is not linearizable or could not be decided. Keys are independent of
 * each other, and between two of them others may run: the proxies live in this process.
 */
export async function keyFaults(events: readonly HistoryEvent[]): Promise<string[]> {
  const byKey = new Map<string, HistoryEvent[]>();
  for (const event of events) {
    const ofKey = byKey.get(event.key);
    if (ofKey === undefined) byKey.set(event.key, [event]);
    else ofKey.push(event);
  }
  const faults: string[] = [];
  for (const [key, ofKey] of byKey) {
    const result = checkLinearizability(ofKey, recordModel);
    if (result.isLinearizable === false) faults.push(result.counterexample.explanation);
    if (result.isLinearizable === 'unknown') faults.push(`key ${key} is undecided after ${result.steps} steps`);
    await breathe();
  }
  return faults;
}
