import { FORGETS_VARIABLE } from '../disk-orders.js';
import type { Nemesis } from '../nemesis.js';
import { slowDisk } from './disk-faults.js';
import { killWhileReplacing, replaceMember, transferLeadership } from './membership-faults.js';
import { flakyLinks, partitionGateway, partitionHalves, partitionOneWay, partitionRing } from './network-faults.js';
import { crashCycle, killAll, killLeader, killOne, pauseLeader, pauseMajority } from './process-faults.js';
import { missEntries } from './snapshot-faults.js';

/** The log keeps so few entries that whoever is away for a moment needs the state. */
const FEW_ENTRIES = { RINGRAFT_RETAINED_ENTRIES: '50', RINGRAFT_SEGMENT_BYTES_MAX: '65536' };

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
  'slow-disk': { disruptions: [slowDisk], needsFaultyDisks: true },
  membership: { disruptions: [replaceMember, transferLeadership, killWhileReplacing], env: FEW_ENTRIES },
  snapshots: { disruptions: [missEntries], env: FEW_ENTRIES },
} as const satisfies Record<string, Nemesis>;

export type NemesisName = keyof typeof SINGLE | 'mixed';

/** Every nemesis, by name. */
export const NEMESES: Readonly<Record<NemesisName, Nemesis>> = {
  ...SINGLE,
  mixed: {
    disruptions: Object.values<Nemesis>(SINGLE).flatMap(({ disruptions }) => disruptions),
    env: FEW_ENTRIES,
    needsFaultyDisks: true,
  },
};

/** Nothing but crashes, one right after the other, so many. With `isPowerLoss` each takes with it what the log had not synced. */
export function crashCycles(count: number, isPowerLoss = false): Nemesis {
  const nemesis: Nemesis = { disruptions: [crashCycle], restMs: [0, 500], attacksMax: count };
  return isPowerLoss ? { ...nemesis, needsFaultyDisks: true, env: { [FORGETS_VARIABLE]: 'true' } } : nemesis;
}
