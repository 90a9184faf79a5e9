import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { putRequest, tailOf } from './requests.js';
import type { HttpSystem } from './system.js';

/** A write is begun so often, whatever became of the ones before: nobody waits for a request that went to the dead. */
const WRITE_EVERY_MS = 10;
const WRITE_TIMEOUT_MS = 10_000;
const SUCCESS_TIMEOUT_MS = 60_000;
/**
 * When a write that was begun from now on has succeeded, on the clock of `performance.now()`. A new one is begun every few
 * milliseconds, so that one which waits in vain holds up nothing. Throws when none succeeds for a minute.
 */
export async function firstSuccess(system: HttpSystem, url: string, signal: AbortSignal): Promise<number> {
  const agent = new Agent({ keepAlive: true });
  const tail = tailOf(system.dialect, Buffer.from('probe'));
  const prepared = putRequest(system.dialect, 'bench-probe');
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
