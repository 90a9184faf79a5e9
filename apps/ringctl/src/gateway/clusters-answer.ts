import { CommandFailure } from '../command-failure.js';
import { EXIT } from '../exit-code.js';
import type { GatewayClient } from './gateway-client.js';

/** A GET whose answer lists clusters, of whichever gateway answers first. */
export async function clustersAnswer<T extends { readonly clusters: readonly unknown[] }>(
  gateway: GatewayClient,
  path: '/v1/cluster' | '/v1/placement',
  timeoutMs: number,
): Promise<T> {
  const { endpoint, body } = await gateway.first(path, timeoutMs);
  try {
    const answer = JSON.parse(body.toString()) as T;
    if (Array.isArray(answer.clusters)) return answer;
  } catch {
    // Said below.
  }
  throw new CommandFailure(EXIT.FAILED, `${endpoint} does not answer GET ${path} as a gateway does`, {
    hint: 'see that --endpoint names a gateway',
  });
}
