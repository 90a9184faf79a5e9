import { Agent, request } from 'node:http';
import { keyName } from './load.js';
import { valueOf } from './request-file.js';

/** etcd takes 128 by default. */
const PUTS_PER_TRANSACTION = 100;
const CONNECTIONS = 16;

/** Writes keys through transactions of many puts. Throws at the first refusal. */
export async function fillEtcd(url: string, count: number, valueBytes: number, signal: AbortSignal): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  let next = 0;
  const writer = async (): Promise<void> => {
    while (next < count) {
      signal.throwIfAborted();
      const size = Math.min(PUTS_PER_TRANSACTION, count - next);
      const success = Array.from({ length: size }, () => ({
        requestPut: {
          key: Buffer.from(keyName(next++)).toString('base64'),
          value: valueOf(valueBytes).toString('base64'),
        },
      }));
      const status = await post(agent, `${url}/v3/kv/txn`, JSON.stringify({ success }));
      if (status !== 200) throw new Error(`etcd answered ${status} to a transaction`);
    }
  };
  try {
    await Promise.all(Array.from({ length: CONNECTIONS }, writer));
  } finally {
    agent.destroy();
  }
}

function post(agent: Agent, url: string, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const outgoing = request(url, { agent, method: 'POST', headers }, (response) => {
      response
        .resume()
        .on('end', () => resolve(response.statusCode ?? 0))
        .on('error', reject);
    });
    outgoing.on('error', reject).end(body);
  });
}
