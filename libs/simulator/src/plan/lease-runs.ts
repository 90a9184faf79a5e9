import { UNITS_PER_TICK } from '../observer.js';
import { SeededRandom } from '../seeded-random.js';
import { LEADER, nthFollower, type Fault, type FaultKind } from './fault.js';
import type { RunPlan } from './run-plan.js';

const LEASE_TICKS = 3;
const CLOCK_KINDS: ReadonlySet<FaultKind> = new Set(['clock_rate', 'clock_step', 'clock_freeze']);

/**
 * Makes of a plan one in which leases are short and trusted, and the leader's clock is as slow as they allow, so that it leads on beside its
 * successor. Then comes what a lease must survive: late answers, a voter that restarts and one that the leader does not reach, broken connections, a successor that
 * was asked to campaign. Other faults stay, but none of clocks.
 */
export function asLeaseRun(seed: number, plan: RunPlan, allowed: readonly FaultKind[]): RunPlan {
  const random = new SeededRandom(seed, 'leases');
  const electionTimeoutTicks = random.nextInt(9, 10);
  const config = {
    ...plan.cluster.config,
    electionTimeoutTicks,
    leaseTicks: LEASE_TICKS,
    checkQuorum: true,
    heartbeatTicks: 1,
  };
  const workload = {
    ...plan.workload,
    leaseShare: 70,
    readShare: Math.max(plan.workload.readShare, 40),
    // With few writes a voter that the leader does not reach may still have all of them, and win.
    thinkTimeMax: random.nextInt(0, 2) > 0 ? 60 * UNITS_PER_TICK : plan.workload.thinkTimeMax,
  };
  const timeout = electionTimeoutTicks * UNITS_PER_TICK;
  const end = plan.ticks * UNITS_PER_TICK;
  const faults = plan.faults.filter(({ kind }) => !CLOCK_KINDS.has(kind) && random.nextInt(0, 3) === 0);
  for (let at = 3 * timeout; at < end; at += random.nextInt(9, 12) * timeout) {
    const story = drawStory(random, at, electionTimeoutTicks).filter(({ kind }) => allowed.includes(kind));
    faults.push(...story);
  }
  faults.sort((one, other) => one.at - other.at);
  return { ...plan, cluster: { ...plan.cluster, config, overrides: {} }, workload, faults };
}

function drawStory(random: SeededRandom, at: number, electionTimeoutTicks: number): Fault[] {
  const timeout = electionTimeoutTicks * UNITS_PER_TICK;
  // Almost as slow as the lease allows.
  const rate = (1.08 * LEASE_TICKS) / (electionTimeoutTicks - 1);
  const soon = () => random.nextInt(0, UNITS_PER_TICK);
  const slow: Fault = { kind: 'clock_rate', at, duration: 6 * timeout, node: LEADER, amount: rate };
  const later = at + 2 * timeout + random.nextInt(0, timeout);
  const isolated: Fault = { kind: 'isolate', at: later, duration: 4 * timeout, node: LEADER };
  switch (random.nextInt(0, 5)) {
    case 0:
      return [slow, isolated];
    case 1: {
      const delay = random.nextInt(2, 4) * UNITS_PER_TICK;
      return [slow, isolated, { kind: 'delay', at, duration: 3 * timeout, amount: delay }];
    }
    case 2: {
      // The same, with a voter that forgets time and again whom it has heard.
      const apart: Fault = { kind: 'isolate', at, duration: 7 * timeout, node: LEADER, other: nthFollower(1) };
      const period = random.nextInt(15, 45);
      const loop = { at: at + 2 * timeout, duration: 4 * timeout, node: nthFollower(2), amount: period, leaves: 'all' };
      return [{ ...slow, duration: 7 * timeout }, apart, { kind: 'crash_loop', ...loop } as Fault];
    }
    case 5: {
      // Someone campaigns in vain; then a voter that has refused restarts.
      const apart: Fault = { kind: 'isolate', at, duration: 5 * timeout, node: LEADER, other: nthFollower(1) };
      const restarts = [2, 3].map((n): Fault => {
        return { kind: 'crash', at: later - soon(), duration: 1, node: nthFollower(n), amount: 0 };
      });
      return [slow, apart, ...restarts, isolated];
    }
    case 3:
      return [slow, { kind: 'reset', at: later, duration: 0, node: LEADER }, isolated];
    default: {
      const transfer: Fault = { kind: 'transfer', at: later, duration: 0, node: nthFollower(1) };
      return [slow, transfer, { ...isolated, at: later + random.nextInt(1, 4) }];
    }
  }
}
