import { setTimeout as delay } from 'node:timers/promises';
import { firstSuccess } from './first-success.js';
import { costOf, type ProcessCost } from './process-cost.js';
import type { HttpSystem } from './system.js';

/** For what is still being written to disks and given back to the system after the last key. */
const SETTLE_MS = 10_000;

/** One that can be filled fast, and lose all its processes at once. */
export interface RecoverableSystem extends HttpSystem {
  /** Writes so many keys, as fast as it takes them, and not necessarily the way other requests go. */
  fill(count: number, valueBytes: number, signal: AbortSignal): Promise<void>;
  /** `kill -9` for all processes. */
  killAll(): Promise<void>;
  /** Starts all of them with what is in their directories, and waits until they serve. */
  restartAll(): Promise<void>;
}

/** Of the process that keeps data and has most of it. */
export type Memory = Pick<ProcessCost, 'residentBytes' | 'ownBytes'>;

export interface ManyKeysReport {
  readonly system: string;
  readonly keys: number;
  readonly valueBytes: number;
  readonly fillSeconds: number;
  /** After the keys were written. */
  readonly memory: Memory;
  readonly memoryAfterRestart: Memory;
  /** From the start of the processes, all of which were killed, to the answer of a write. */
  readonly recoveryMs: number;
}

export async function measureManyKeys(
  system: RecoverableSystem,
  keys: number,
  valueBytes: number,
  signal: AbortSignal,
): Promise<ManyKeysReport> {
  const filledFromMs = performance.now();
  await system.fill(keys, valueBytes, signal);
  const fillSeconds = (performance.now() - filledFromMs) / 1000;
  await delay(SETTLE_MS, undefined, { signal });
  const memory = await largest(system);
  await system.killAll();
  const startedAtMs = performance.now();
  await system.restartAll();
  const recoveryMs = (await firstSuccess(system, await system.url(), signal)) - startedAtMs;
  await delay(SETTLE_MS, undefined, { signal });
  const memoryAfterRestart = await largest(system);
  return { system: system.name, keys, valueBytes, fillSeconds, memory, memoryAfterRestart, recoveryMs };
}

async function largest(system: HttpSystem): Promise<Memory> {
  const keepers = (await system.processes()).filter(({ kind }) => kind !== 'gateway');
  const costs = keepers.map(({ pid }) => costOf(pid));
  const { residentBytes, ownBytes } = costs.reduce((most, cost) =>
    cost.residentBytes > most.residentBytes ? cost : most,
  );
  return { residentBytes, ownBytes };
}
