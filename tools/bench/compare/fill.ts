import { Agent, request } from 'node:http';
import { keyCountFor, keyName } from './load.js';
import { putRequest, tailOf } from './requests.js';
import { valueOf } from './request-file.js';
import type { HttpSystem } from './system.js';

const CONNECTIONS = 64;
const ATTEMPT_TIMEOUT_MS = 15_000;

/** Writes every key once, so that every read finds one. Throws at the first refusal. */
export async function fillKeys(system: HttpSystem, valueBytes: number, signal: AbortSignal): Promise<void> {
  if (system.dialect === 'echo') return;
  const url = await system.url();
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const tail = tailOf(system.dialect, valueOf(valueBytes));
  const count = keyCountFor(valueBytes);
  let next = 0;
  const writer = async (): Promise<void> => {
    while (next < count) {
      signal.throwIfAborted();
      const { method, path, contentType, body } = putRequest(system.dialect, keyName(next++));
      const status = await send(agent, `${url}${path}`, method, contentType!, Buffer.concat([Buffer.from(body), tail]));
      if (status >= 300) throw new Error(`${system.name} answered ${status} to a write`);
    }
  };
  try {
    await Promise.all(Array.from({ length: CONNECTIONS }, writer));
  } finally {
    agent.destroy();
  }
}

function send(agent: Agent, url: string, method: string, contentType: string, body: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': contentType, 'content-length': body.length };
    const outgoing = request(url, { agent, method, headers, timeout: ATTEMPT_TIMEOUT_MS }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0));
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in time'))).on('error', reject);
    outgoing.end(body);
  });
}
