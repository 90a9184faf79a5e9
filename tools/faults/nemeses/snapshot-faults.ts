import type { Disruption } from '../nemesis.js';

/** Long enough for the log to be compacted behind a node that misses a few hundred entries. */
const AWAY_MS = [800, 2_500] as const;

/** A follower is away, by a cut or a kill, until the others have dropped what it needs: it must get the state instead. */
export const missEntries: Disruption = async (arena) => {
  const { chance, network } = arena;
  const leader = await arena.leader();
  if (leader === undefined) return;
  const node = chance.pick(arena.others(leader));
  if (chance.happens(0.5)) {
    await arena.kill(node, 'kill');
    await arena.last(...AWAY_MS);
  } else {
    const others = arena.others(node).map(({ name }) => name);
    for (const other of others) network.cutBetween(node.name, other);
    arena.count('cut off');
    await arena.last(...AWAY_MS);
    for (const other of others) network.heal(node.name, other);
  }
  if (chance.happens(0.3) && !arena.signal.aborted) {
    // While it gets the state, or right after.
    await arena.last(0, 600);
    const victim = chance.pick([node, leader]);
    if (victim.isRunning) await arena.kill(victim, 'kill');
  }
  await arena.restore();
};
