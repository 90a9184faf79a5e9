import { completeMembership, removeMember } from '../membership-repair.js';
import type { Disruption } from '../nemesis.js';

/**
 * A node, at times the leader, is removed, loses its disk, and comes back: as a learner that gets the state or the log, then as a voter.
 */
export const replaceMember: Disruption = async (arena) => {
  const { chance, clusterId, system, signal } = arena;
  const node = chance.pick(arena.nodes);
  const isRemoved = await removeMember(system, clusterId, node);
  if (isRemoved) arena.count('remove');
  await arena.last(0, 500);
  await completeMembership(system, clusterId, signal);
  if (isRemoved && !signal.aborted) arena.count('wipe and join');
};

/** The leadership is handed over: to a certain node, or to whom the leader chooses. */
export const transferLeadership: Disruption = async (arena) => {
  const leader = await arena.leader();
  if (leader === undefined) return;
  const successor = arena.chance.happens(0.5) ? arena.chance.pick(arena.others(leader)).name : '';
  const isDone = await arena.system
    .door(leader)
    .transferLeadership(successor)
    .then(
      () => true,
      () => false,
    );
  arena.count(isDone ? 'transfer' : 'transfer refused');
};

/** A node is killed while the membership of its cluster changes. */
export const killWhileReplacing: Disruption = async (arena) => {
  const { chance } = arena;
  const replacing = replaceMember(arena);
  await arena.last(0, 2_000);
  const victim = chance.pick(arena.nodes);
  if (!arena.signal.aborted && victim.isRunning) await arena.kill(victim, 'kill');
  await arena.last(200, 1_000);
  if (!victim.isRunning) arena.system.start(victim);
  await replacing;
};
