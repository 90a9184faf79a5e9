import { setTimeout as delay } from 'node:timers/promises';
import { BackupClient, Channel } from '@app/rpc';
import type { Load } from './load.js';
import type { RingraftSystem } from './ringraft-system.js';
import { TurnTaker } from './turns.js';

/** Between two rounds in which the state of every cluster is saved. */
const SNAPSHOT_EVERY_MS = 10_000;

export const SLOW_REQUESTS_LOAD: Load = { work: 'mixed', connections: 64, valueBytes: 128, keys: 'uniform' };

export interface SlowRequestsReport {
  readonly seconds: number;
  readonly requests: number;
  /** Above a quarter of a second, with those that were not sent because of them. */
  readonly slow: number;
  readonly maxMs: number;
  readonly p999Ms: number;
  /** Snapshots of a cluster's state that were taken and sent meanwhile, and their bytes. */
  readonly snapshots: number;
  readonly snapshotBytes: number;
}

/**
 * One long turn while snapshots are taken: a backup of every cluster, again and again, on top of the compaction of the log. The recorder is wrk: it
 * measures each request from its sending to the end of its answer, so the longest is exact. The number of slow ones counts also those that a connection would have
 * sent while it waited (see `LoadResult`).
 */
export async function measureSlowRequests(
  system: RingraftSystem,
  taker: TurnTaker,
  signal: AbortSignal,
): Promise<SlowRequestsReport> {
  const done = new AbortController();
  const saving = saveAgainAndAgain(system, AbortSignal.any([signal, done.signal]));
  // It ends at once when it fails, and the load does not: nobody may miss that.
  saving.catch(() => undefined);
  const report = await taker.run(SLOW_REQUESTS_LOAD, [system]).finally(() => done.abort());
  const { snapshots, snapshotBytes } = await saving;
  const failure = report.failures[system.name];
  if (failure !== undefined) throw new Error(`slow requests: ${failure}`);
  const { seconds, requests, slow, maxMs, p999Ms } = report.turns[system.name]![0]!.result;
  return { seconds, requests, slow: slow!, maxMs, p999Ms: p999Ms!, snapshots, snapshotBytes };
}

async function saveAgainAndAgain(
  system: RingraftSystem,
  signal: AbortSignal,
): Promise<{ snapshots: number; snapshotBytes: number }> {
  let snapshots = 0;
  let snapshotBytes = 0;
  while (!signal.aborted) {
    for (const clusterId of system.local.clusterIds) {
      const leader = await system.local.leaderOf(clusterId);
      if (!leader || signal.aborted) continue;
      snapshotBytes += await save(leader.address);
      snapshots += 1;
    }
    await delay(SNAPSHOT_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
  return { snapshots, snapshotBytes };
}

function save(address: string): Promise<number> {
  const channel = new Channel(address);
  return new Promise<number>((resolve, reject) => {
    let bytes = 0;
    channel
      .client(BackupClient)
      .save({})
      .on('data', ({ data }: { data: Uint8Array }) => (bytes += data.length))
      .on('error', reject)
      .on('end', () => resolve(bytes));
  }).finally(() => channel.close());
}
