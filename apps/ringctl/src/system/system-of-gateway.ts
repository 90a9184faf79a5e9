import { CommandFailure } from '../command-failure.js';
import { EXIT } from '../exit-code.js';
import type { GatewayClient } from '../gateway/gateway-client.js';
import type { SystemView } from './system-view.js';

/** `GET /v1/cluster` of whichever gateway answers first. */
export async function systemOfGateway(gateway: GatewayClient, timeoutMs: number): Promise<SystemView> {
  const { endpoint, body } = await gateway.first('/v1/cluster', timeoutMs);
  try {
    const view = JSON.parse(body.toString()) as SystemView;
    if (Array.isArray(view.clusters)) return view;
  } catch {
    // Said below.
  }
  throw new CommandFailure(EXIT.FAILED, `${endpoint} does not answer GET /v1/cluster as a gateway does`, {
    hint: 'see that --endpoint names a gateway',
  });
}
