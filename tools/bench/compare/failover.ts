import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { putRequest, tailOf } from './requests.js';
import { percentile } from './statistics.js';
import type { FailoverSystem, HttpSystem } from './system.js';

/** A write is begun so often, whatever became of the ones before: nobody waits for a request that went to the dead. */
const WRITE_EVERY_MS = 10;
const WRITE_TIMEOUT_MS = 10_000;
const SUCCESS_TIMEOUT_MS = 60_000;
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

/**
 * When a write that was begun from now on has succeeded, on the clock of `performance.now()`. A new one is begun every few
 * milliseconds, so that one which waits in vain holds up nothing. Throws when none succeeds for a minute.
 */
export async function firstSuccess(system: HttpSystem, url: string, signal: AbortSignal): Promise<number> {
  const agent = new Agent({ keepAlive: true });
  const tail = tailOf(system.dialect, Buffer.from('failover'));
  const prepared = putRequest(system.dialect, 'failover');
  const body = Buffer.concat([Buffer.from(prepared.body), tail]);
  let successAtMs: number | undefined;
  const write = (): void => {
    const headers = { 'content-type': prepared.contentType!, 'content-length': body.length };
    const options = { agent, method: prepared.method, headers, timeout: WRITE_TIMEOUT_MS };
    const outgoing = request(`${url}${prepared.path}`, options, (response) => {
      const { statusCode = 0 } = response;
      response.resume().on('error', () => undefined);
      response.on('end', () => {
        if (statusCode < 300) successAtMs ??= performance.now();
      });
    });
    outgoing.on('timeout', () => outgoing.destroy()).on('error', () => undefined);
    outgoing.end(body);
  };
  const deadline = performance.now() + SUCCESS_TIMEOUT_MS;
  try {
    while (successAtMs === undefined) {
      signal.throwIfAborted();
      if (performance.now() > deadline) throw new Error(`${system.name} takes no write for ${SUCCESS_TIMEOUT_MS} ms`);
      write();
      await delay(WRITE_EVERY_MS);
    }
    return successAtMs;
  } finally {
    agent.destroy();
  }
}
