import type { NodeId, Random } from '@app/raft';
import { SeededRandom } from '../seeded-random.js';
import { UNITS_PER_TICK } from '../observer.js';
import type { PowerLossLeaves } from '../world-control.js';
import { drawLinks } from './draw-links.js';
import { FAULT_KINDS, LEADER, nthFollower, type Fault, type FaultKind } from './fault.js';
import { asLeaseRun } from './lease-runs.js';
import { FOCUSES, type ClusterPlan, type Focus, type NodeConfig, type RunPlan, type WorkloadPlan } from './run-plan.js';

export interface PlanOptions {
  readonly seed: number;
  readonly ticks?: number;
  readonly nodes?: number;
  /** Only these kinds. */
  readonly faults?: readonly FaultKind[];
}

/** What is likely in a run of a focus; everything else is possible. */
const KINDS_OF_FOCUS: Readonly<Record<Focus, readonly FaultKind[]>> = {
  everything: FAULT_KINDS,
  elections: [
    'cut',
    'crash',
    'loss',
    'delay',
    'replay',
    'transfer',
    'pause',
    'slow_disk',
    'power_loss',
    'reset',
    'reluctant',
    'quarantine',
  ],
  reads: ['cut', 'pause', 'delay', 'replay', 'crash', 'apply_stall', 'duplicate', 'transfer', 'slow'],
  membership: [
    'add',
    'promote',
    'remove',
    'replace',
    'two_at_once',
    'transfer',
    'crash',
    'apply_stall',
    'cut',
    'slow_disk',
  ],
  snapshots: [
    'checkpoints',
    'checkpoint',
    'cut',
    'crash',
    'slow_snapshot',
    'apply_stall',
    'reset',
    'replay',
    'duplicate',
    'pause',
    'power_loss',
  ],
  disk: [
    'slow_disk',
    'disk_reorder',
    'hung_disk',
    'fsync_error',
    'disk_full',
    'read_error',
    'bit_flip',
    'wipe',
    'power_loss',
    'crash',
    'crash_loop',
    'reluctant',
  ],
  sessions: ['cut', 'crash', 'duplicate', 'loss', 'pause', 'power_loss'],
  clocks: ['clock_rate', 'clock_step', 'clock_freeze', 'pause', 'cut', 'slow'],
  quiet: [],
};

const SPARES = 3;
const FAULTS_MAX = 80;
/** Election timeouts at the beginning of a quiet run without any fault. */
const QUIET_TIMEOUTS = 21;

/** A plan for each seed: a random subset of the faults, each as often and as hard as chance decides, so that most can also be seen alone. */
export function drawPlan({ seed, ticks: givenTicks, nodes, faults: allowed = FAULT_KINDS }: PlanOptions): RunPlan {
  const random = new SeededRandom(seed, 'plan');
  const focus = FOCUSES[random.nextInt(0, FOCUSES.length - 1)]!;
  const ticks = givenTicks ?? random.nextInt(3, 12) * 100;
  const cluster = drawCluster(random, focus, nodes);
  const workload = drawWorkload(random, focus, ticks, cluster.config.electionTimeoutTicks);
  const plan = { focus, ticks, cluster, workload };
  const faults: Fault[] = [];
  for (const kind of FAULT_KINDS) {
    if (kind === 'isolate' || kind === 'join' || kind === 'move') continue;
    const percent =
      focus === 'quiet' ? 8 : KINDS_OF_FOCUS[focus].includes(kind) ? (focus === 'everything' ? 35 : 65) : 12;
    // Drawn also for what is not allowed, so that the rest of the plan stays the same.
    const drawn = random.nextInt(1, 100) <= percent ? drawFaults(kind, random, plan) : [];
    if (allowed.includes(kind)) faults.push(...drawn);
  }
  faults.push(...drawStories(seed, plan).filter(({ kind }) => allowed.includes(kind)));
  // So that it is also seen what a cluster does by itself.
  const calm = focus === 'quiet' ? QUIET_TIMEOUTS * cluster.config.electionTimeoutTicks * UNITS_PER_TICK : 0;
  const late = faults.filter(({ at }) => at >= calm);
  faults.splice(0, faults.length, ...late);
  while (faults.length > FAULTS_MAX) faults.splice(random.nextInt(0, faults.length - 1), 1);
  faults.push(...drawJoins(seed, plan).filter(({ kind, at }) => allowed.includes(kind) && at >= calm));
  faults.sort((one, other) => one.at - other.at);
  const drawn = { ...plan, faults };
  const isLeaseRun = (focus === 'clocks' || focus === 'reads') && cluster.voters.length >= 3 && seed % 4 !== 0;
  return isLeaseRun ? asLeaseRun(seed, drawn, allowed) : drawn;
}

function drawCluster(random: Random, focus: Focus, nodes: number | undefined): ClusterPlan {
  const sizes = focus === 'membership' ? [1, 2, 3, 3, 3, 4, 5] : [1, 2, 3, 3, 3, 3, 3, 3, 4, 5, 5, 5, 5, 6, 7];
  const drawn = sizes[random.nextInt(0, sizes.length - 1)]!;
  const names = Array.from({ length: (nodes ?? drawn) + SPARES }, (_, i) => `n${i + 1}`);
  const [voters, spares] = [names.slice(0, -SPARES), names.slice(-SPARES)];
  const chance = (percent: number) => random.nextInt(1, 100) <= percent;
  const electionTimeoutTicks = random.nextInt(5, 10);
  const checkQuorum = chance(focus === 'reads' ? 60 : 80);
  const leaseTicks =
    checkQuorum && (chance(40) || focus === 'reads' || focus === 'clocks')
      ? random.nextInt(2, electionTimeoutTicks - 2)
      : 0;
  const config: NodeConfig = {
    electionTimeoutTicks,
    heartbeatTicks: electionTimeoutTicks >= 8 ? random.nextInt(1, 2) : 1,
    preVote: chance(75),
    checkQuorum,
    leaseTicks,
    appendBytesMax: random.nextInt(80, 250),
    inflightMessagesMax: random.nextInt(1, 4),
    inflightBytesMax: random.nextInt(100, 500),
    uncommittedBytesMax: random.nextInt(200, 1000),
    pendingReadsMax: random.nextInt(1, 6),
    applyBytesMax: random.nextInt(80, 400),
    retainedEntries: random.nextInt(0, focus === 'snapshots' ? 1 : 6),
    cacheBytesMax: random.nextInt(100, 600),
  };
  const areFlagsMixed = leaseTicks === 0 && chance(15);
  const overrides: Record<NodeId, Partial<NodeConfig>> = {};
  if (areFlagsMixed)
    for (const id of [...voters, ...spares]) overrides[id] = { preVote: chance(50), checkQuorum: chance(50) };
  const checkpointEntries =
    focus === 'snapshots' || chance(40) ? random.nextInt(1, focus === 'snapshots' ? 3 : 10) : random.nextInt(20, 200);
  return { voters, spares, config, overrides, checkpointEntries };
}

function drawWorkload(random: Random, focus: Focus, ticks: number, electionTimeoutTicks: number): WorkloadPlan {
  const thinkTimeMax = random.nextInt(1, 6) * UNITS_PER_TICK;
  const timeout = electionTimeoutTicks * UNITS_PER_TICK;
  const share = (often: boolean) =>
    random.nextInt(0, 3) > 0 || often ? random.nextInt(often ? 40 : 5, often ? 80 : 50) : 0;
  return {
    clients: random.nextInt(2, 5),
    operationsMax: Math.min(400, Math.ceil((ticks * UNITS_PER_TICK) / thinkTimeMax)),
    thinkTimeMax,
    attemptTimeout: random.nextInt(1, 4) * timeout,
    giveUpTimeout: random.nextInt(2, 8) * timeout,
    sharedKeys: random.nextInt(1, 3),
    readShare: share(focus === 'reads' || focus === 'clocks'),
    leaseShare: (random.nextInt(0, 1) || focus === 'reads' ? 1 : 0) * random.nextInt(10, 70),
    staleShare: random.nextInt(0, 1) * random.nextInt(5, 20),
    anywhereShare: random.nextInt(5, 50),
    sessionShare: share(focus === 'sessions'),
    repeatShare: share(focus === 'sessions'),
  };
}

function drawFaults(kind: FaultKind, random: Random, { ticks, cluster }: Omit<RunPlan, 'faults'>): Fault[] {
  const meanTicks = 30 * 2 ** random.nextInt(0, 4);
  const count = Math.max(1, Math.round(ticks / meanTicks));
  const timeout = cluster.config.electionTimeoutTicks * UNITS_PER_TICK;
  const isLong = random.nextInt(0, 2) === 0;
  return Array.from({ length: Math.min(count, LIMITS[kind] ?? 20) }, () => {
    const at = random.nextInt(0, ticks * UNITS_PER_TICK);
    const isVeryLong = kind === 'hung_disk' || (isLong && random.nextInt(0, 5) === 0);
    const duration = random.nextInt(1, (isVeryLong ? 60 : isLong ? 15 : 4) * timeout);
    return drawFault(kind, at, duration, random, cluster);
  });
}

/**
 * Faults that do most harm one after the other. A leader is cut off with writes that are not committed, and returns when its successor, who
 * has committed a little, is gone; or its disk is so slow that it still writes what is truncated. A leader that is cut off, and whose clock
 * is slow or stands still, is asked for reads. Members are replaced time and again. All disks fill up at about the same time, and the leader
 * is lost.
 */
function drawStories(seed: number, { focus, ticks, cluster }: Omit<RunPlan, 'faults'>): Fault[] {
  const random = new SeededRandom(seed, 'stories');
  const timeout = cluster.config.electionTimeoutTicks * UNITS_PER_TICK;
  const end = ticks * UNITS_PER_TICK;
  const faults: Fault[] = [];
  if (['everything', 'elections', 'disk', 'snapshots'].includes(focus)) {
    for (let count = random.nextInt(0, 5); count > 0; count--) {
      const at = random.nextInt(0, end);
      // A short time is enough for a successor with few entries.
      const duration = random.nextInt(timeout >> 1, (random.nextInt(0, 2) > 0 ? 2 : 5) * timeout);
      faults.push({ kind: 'isolate', at, duration, node: LEADER });
      const slowness = random.nextInt(timeout >> 1, 2 * timeout);
      if (random.nextInt(0, 1) > 0)
        faults.push({ kind: 'slow_disk', at, duration: duration + 2 * timeout, node: LEADER, amount: slowness });
      const isLost = random.nextInt(0, 2) > 0;
      const crash = { at: at + duration - 1, duration: random.nextInt(timeout, 4 * timeout), node: LEADER, amount: 0 };
      if (isLost) faults.push({ kind: 'crash', ...crash });
    }
  }
  if (focus === 'reads' || focus === 'clocks') {
    for (let count = random.nextInt(2, 7); count > 0; count--) {
      const at = random.nextInt(0, end);
      const [duration, pause] = [
        random.nextInt(2 * timeout, 6 * timeout),
        random.nextInt(Math.floor(0.7 * timeout), timeout - 1),
      ];
      const rate = slowRate(random, cluster.config);
      const variant = Math.max(0, random.nextInt(-1, 3));
      faults.push({ kind: 'isolate', at: at + pause, duration, node: LEADER });
      const base = { at, duration: pause + duration, node: LEADER };
      if (variant === 0) faults.push({ ...base, kind: 'pause', duration: pause + 1 });
      if (variant === 1) faults.push({ ...base, kind: 'clock_rate', amount: rate });
      if (variant === 2 && cluster.config.leaseTicks === 0) faults.push({ ...base, kind: 'clock_freeze' });
    }
  }
  if (focus === 'membership') {
    const all = [...cluster.voters, ...cluster.spares];
    const any = () => all[random.nextInt(0, all.length - 1)]!;
    for (let count = random.nextInt(2, 6); count > 0; count--) {
      const node = random.nextInt(0, 2) > 0 ? any() : LEADER;
      faults.push({ kind: 'replace', at: random.nextInt(0, end), duration: 0, node, other: any() });
    }
  }
  if (focus === 'elections' || focus === 'everything') {
    // A leader that has given up handing over, and what it had sent before arrives later than what it sends now.
    const at = random.nextInt(0, end);
    const amount = random.nextInt(10, 20) * UNITS_PER_TICK;
    faults.push({ kind: 'reorder', at, duration: 8 * timeout, amount });
    for (let n = 1; n <= 4; n++) {
      faults.push({
        kind: 'transfer',
        at: at + 2 * n * timeout - timeout,
        duration: 0,
        node: nthFollower(1 + (n % 2)),
      });
    }
  }
  if (['elections', 'disk', 'everything', 'quiet'].includes(focus) && random.nextInt(0, 2) === 0) {
    const at = random.nextInt(0, end >> 1);
    for (const node of cluster.voters) {
      const [late, duration] = [random.nextInt(0, timeout), random.nextInt(40, 80) * timeout];
      faults.push({ kind: 'reluctant', at: at + late, duration, node });
    }
    faults.push({ kind: 'isolate', at: at + 2 * timeout, duration: 15 * timeout, node: LEADER });
  }
  return faults;
}

/** Members that join by themselves, in addition or in somebody's place, and members that move. Drawn apart, so that the rest of a plan is as it was. */
function drawJoins(seed: number, { focus, ticks, cluster }: Omit<RunPlan, 'faults'>): Fault[] {
  const random = new SeededRandom(seed, 'joins');
  if (!['membership', 'everything', 'quiet'].includes(focus)) return [];
  const end = ticks * UNITS_PER_TICK;
  const among = (ids: readonly NodeId[]) => ids[random.nextInt(0, ids.length - 1)]!;
  const all = [...cluster.voters, ...cluster.spares];
  const joins = Array.from({ length: random.nextInt(0, focus === 'membership' ? 6 : 3) }, (): Fault => {
    const node = random.nextInt(0, 3) > 0 ? among(cluster.spares) : among(all);
    const other = random.nextInt(0, 3) > 0 ? among(cluster.voters) : LEADER;
    const isReplacement = random.nextInt(0, 2) > 0;
    return { kind: 'join', at: random.nextInt(0, end), duration: 0, node, ...(isReplacement && { other }) };
  });
  const moves = Array.from({ length: random.nextInt(0, 2) }, (): Fault => {
    return { kind: 'move', at: random.nextInt(0, end), duration: 0, node: among(all) };
  });
  return [...joins, ...moves];
}

/** Of a leader that does not notice how the time passes, as far as its lease allows. */
function slowRate(random: Random, { leaseTicks, electionTimeoutTicks }: NodeConfig): number {
  const rates = [0.25, 0.5, 0.8].filter((rate) => leaseTicks < (electionTimeoutTicks - 1) * rate);
  return rates[random.nextInt(0, rates.length - 1)] ?? 1;
}

/** Faults that end something for good, or that fill a run by themselves. */
const LIMITS: Partial<Record<FaultKind, number>> = {
  power_loss: 4,
  wipe: 2,
  bit_flip: 2,
  crash_loop: 3,
  hung_disk: 4,
  add: 6,
  promote: 8,
  remove: 5,
  replace: 4,
  quarantine: 2,
};

function drawFault(kind: FaultKind, at: number, duration: number, random: Random, cluster: ClusterPlan): Fault {
  const { voters, spares } = cluster;
  const tick = UNITS_PER_TICK;
  const among = <T>(choices: readonly T[]): T => choices[random.nextInt(0, choices.length - 1)]!;
  const anyNode = () => (random.nextInt(0, 99) < 40 ? LEADER : among([...voters, ...voters, ...spares]));
  const leaves = () => among<PowerLossLeaves>(['nothing', 'all', 'random']);
  const node = anyNode();
  const base = { kind, at, duration };
  switch (kind) {
    case 'loss':
      return { ...base, ...someLinks(random, cluster), amount: random.nextInt(5, 60) / 100 };
    case 'duplicate':
    case 'replay':
    case 'garbage':
      return { ...base, ...someLinks(random, cluster), amount: random.nextInt(5, 50) / 100 };
    case 'delay':
    case 'reorder':
      return { ...base, ...someLinks(random, cluster), amount: random.nextInt(tick, 20 * tick) };
    case 'cut':
      return { ...base, links: drawLinks(random, linkEnds(random, cluster)) };
    case 'reset':
      return { kind, at, duration: 0, links: drawLinks(random, linkEnds(random, cluster)) };
    case 'crash':
      return { ...base, node, amount: random.nextInt(0, 8), ...(random.nextInt(0, 1) > 0 && { leaves: leaves() }) };
    case 'crash_loop':
      return { ...base, node, amount: random.nextInt(tick, 8 * tick), leaves: leaves() };
    case 'power_loss':
      return { ...base, leaves: leaves() };
    case 'wipe':
    case 'bit_flip':
      return { ...base, node, leaves: leaves() };
    case 'slow':
      return { ...base, node, amount: random.nextInt(1, 3 * tick) };
    case 'slow_disk':
    case 'slow_snapshot':
      return { ...base, node, amount: random.nextInt(tick, 15 * tick) };
    case 'clock_rate':
      return { ...base, node, amount: among([0.25, 0.5, 0.8, 0.9, 1.1, 1.25, 2, 4]) };
    case 'clock_step':
      return { kind, at, duration: tick, node, amount: random.nextInt(3, 40) };
    case 'checkpoints':
      return { ...base, node, amount: random.nextInt(1, 10) };
    case 'checkpoint':
    case 'fsync_error':
    case 'read_error':
      return { kind, at, duration: 0, node };
    case 'add':
    case 'promote':
      return { kind, at, duration: 0, node: random.nextInt(0, 3) > 0 ? among(spares) : among([...voters, ...spares]) };
    case 'remove':
      return { kind, at, duration: 0, node };
    case 'replace':
      return { kind, at, duration: 0, node, other: among(spares) };
    case 'transfer':
      return { kind, at, duration: 0, node: among(voters) };
    case 'two_at_once':
      return { kind, at, duration: 0, node: among([...voters, ...spares]), other: among([...voters, ...spares]) };
    default:
      return { ...base, node };
  }
}

/** A graph of the voters is cut through more often than one in which spares stand about. */
function linkEnds(random: Random, { voters, spares }: ClusterPlan): readonly NodeId[] {
  return random.nextInt(0, 3) > 0 && voters.length > 1 ? voters : [...voters, ...spares];
}

function someLinks(random: Random, cluster: ClusterPlan): Pick<Fault, 'links'> {
  return random.nextInt(0, 1) > 0 ? {} : { links: drawLinks(random, linkEnds(random, cluster)) };
}
