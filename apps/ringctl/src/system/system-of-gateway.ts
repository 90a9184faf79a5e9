import { clustersAnswer } from '../gateway/clusters-answer.js';
import type { GatewayClient } from '../gateway/gateway-client.js';
import type { SystemView } from './system-view.js';

/** `GET /v1/cluster` of whichever gateway answers first. */
export function systemOfGateway(gateway: GatewayClient, timeoutMs: number): Promise<SystemView> {
  return clustersAnswer(gateway, '/v1/cluster', timeoutMs);
}
