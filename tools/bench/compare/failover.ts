import { setTimeout as delay } from 'node:timers/promises';
import { firstSuccess } from './first-success.js';
import { percentile } from './statistics.js';
import type { FailoverSystem } from './system.js';

/** Between a repair and the next kill: the member that came back has caught up and heard from its leader. */
const SETTLE_MS = 500;

export interface FailoverReport {
  readonly system: string;
  /** From `kill -9` of the leader to the answer of a write that was begun after it, sorted. */
  readonly timesMs: readonly number[];
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Kills the leader of each in turns, and repairs it. */
export async function measureFailover(
  systems: readonly FailoverSystem[],
  kills: number,
  signal: AbortSignal,
  say: (line: string) => void,
): Promise<FailoverReport[]> {
  const times = new Map(systems.map((system) => [system, [] as number[]]));
  for (let kill = 0; kill < kills; kill++) {
    for (const system of systems) {
      signal.throwIfAborted();
      await firstSuccess(system, await system.url(), signal);
      const { url, killedAtMs } = await system.killLeader();
      const successAtMs = await firstSuccess(system, url, signal);
      times.get(system)!.push(successAtMs - killedAtMs);
      say(`failover: kill ${kill + 1}, ${system.name}: ${(successAtMs - killedAtMs).toFixed(0)} ms`);
      await system.repair();
      await delay(SETTLE_MS);
    }
  }
  return systems.map((system) => {
    const timesMs = times.get(system)!.sort((a, b) => a - b);
    return { system: system.name, timesMs, p50Ms: percentile(timesMs, 50), p99Ms: percentile(timesMs, 99) };
  });
}
