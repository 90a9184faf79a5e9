import type { Nemesis } from '../nemesis.js';
import { flakyLinks, partitionGateway, partitionHalves, partitionOneWay, partitionRing } from './network-faults.js';
import { killAll, killLeader, killOne, pauseLeader, pauseMajority } from './process-faults.js';

/** Every nemesis but `mixed`, by name. */
const SINGLE = {
  none: { disruptions: [] },
  'kill-one': { disruptions: [killOne] },
  'kill-leader': { disruptions: [killLeader] },
  'kill-all': { disruptions: [killAll] },
  'pause-leader': { disruptions: [pauseLeader] },
  'pause-majority': { disruptions: [pauseMajority] },
  halves: { disruptions: [partitionHalves] },
  ring: { disruptions: [partitionRing] },
  'one-way': { disruptions: [partitionOneWay] },
  'gateway-only': { disruptions: [partitionGateway] },
  'flaky-links': { disruptions: [flakyLinks] },
} as const satisfies Record<string, Nemesis>;

export type NemesisName = keyof typeof SINGLE | 'mixed';

/** Every nemesis, by name. */
export const NEMESES: Readonly<Record<NemesisName, Nemesis>> = {
  ...SINGLE,
  mixed: { disruptions: Object.values<Nemesis>(SINGLE).flatMap(({ disruptions }) => disruptions) },
};
