import { setTimeout as delay } from 'node:timers/promises';
import { SharedKeys, type KeyStep } from './shared-keys.js';

/** How often connections between a gateway and a leader are reset, with what is under way on them. */
const RESET_EVERY_MS = [150, 500] as const;

/** Increments, and reads in between. */
export const counterStep: KeyStep = (client, { target }) =>
  client.chance.happens(0.7) ? client.increment(target, client.chance.int(1, 3)) : client.read(target);

/**
 * Counters, and gateways that must repeat: connections to leaders are reset while increments are on them, so that nobody knows
 * whether they were applied. A repetition that counts twice is a violation.
 */
export class CounterWithForcedRetries extends SharedKeys {
  constructor(stage: ConstructorParameters<typeof SharedKeys>[0]) {
    super(stage, counterStep);
  }

  async disturb(signal: AbortSignal): Promise<ReadonlyMap<string, number>> {
    const { system, chance } = this.stage;
    let resets = 0;
    while (!signal.aborted) {
      await delay(chance.int(...RESET_EVERY_MS), undefined, { signal }).catch(() => undefined);
      const leader = await system.leaderOf(chance.pick(system.clusterIds));
      if (leader && !signal.aborted) resets += system.network.reset(chance.pick(system.gatewayNames), leader.name);
    }
    return new Map([['client reset', resets]]);
  }
}
