import type { Disruption } from '../nemesis.js';

const SLOW_MS = [500, 3_000] as const;

/** A disk, often the leader's, whose syncs take long, or on which nothing moves for a while. */
export const slowDisk: Disruption = async (arena) => {
  const { chance, system } = arena;
  const leader = chance.happens(0.7) ? await arena.leader() : undefined;
  const node = leader ?? chance.pick(arena.nodes);
  const before = system.affectedDiskOperations(node);
  if (chance.happens(0.5)) {
    const syncMs = chance.int(20, 400);
    system.orderDisk(node, { delaysMs: { sync: syncMs, write: chance.int(0, syncMs) } });
    arena.count('slow disk');
  } else {
    system.orderDisk(node, { hanging: chance.pick([['sync'], ['write'], ['sync', 'write']] as const) });
    arena.count('hung disk');
  }
  await arena.last(...SLOW_MS);
  system.orderDisk(node, {});
  // It answers when it has healed; one that was killed meanwhile has nothing to say.
  await system.waitFor(() => Promise.resolve(system.affectedDiskOperations(node) > before), 500);
  arena.count('slow operation', Math.max(0, system.affectedDiskOperations(node) - before));
};
