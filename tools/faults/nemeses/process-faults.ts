import type { LocalNode } from '../../local-cluster/local-cluster.js';
import type { Arena, Disruption } from '../nemesis.js';

const DOWN_MS = [200, 1_500] as const;
const PAUSED_MS = [300, 2_500] as const;

export const killOne: Disruption = async (arena) => {
  await arena.kill(arena.chance.pick(arena.nodes), 'kill');
  await arena.last(...DOWN_MS);
  await arena.restore();
};

export const killLeader: Disruption = async (arena) => {
  if ((await arena.killLeader()) === undefined) return;
  await arena.last(...DOWN_MS);
  await arena.restore();
};

/** Every node of the cluster at the same moment. */
export const killAll: Disruption = async (arena) => {
  await Promise.all(arena.nodes.map((node) => arena.kill(node, 'kill')));
  arena.count('kill all');
  await arena.last(0, 500);
  await arena.restore();
};

/**
 * One node, killed and started again at once; sometimes killed once more while it starts. A cycle ends when the node has caught up.
 */
export const crashCycle: Disruption = async (arena) => {
  const node = arena.chance.pick(arena.nodes);
  await arena.kill(node, 'kill');
  arena.system.start(node);
  if (arena.chance.happens(0.2)) {
    await arena.last(0, 1_500);
    await arena.kill(node, 'kill');
    arena.count('second kill');
  }
  await arena.restore();
};

export const pauseLeader: Disruption = async (arena) => {
  const leader = await arena.leader();
  if (leader) await pause(arena, [leader]);
};

/** The leader and as many others as it takes, so that nobody can be elected. */
export const pauseMajority: Disruption = async (arena) => {
  const leader = await arena.leader();
  if (!leader) return;
  const others = arena.chance.shuffled(arena.others(leader));
  await pause(arena, [leader, ...others.slice(0, Math.floor(arena.nodes.length / 2))]);
};

/** SIGSTOP and later SIGCONT: to the others as if they were gone, to themselves as if no time had passed. */
async function pause(arena: Arena, nodes: readonly LocalNode[]): Promise<void> {
  for (const node of nodes) {
    node.pause();
    arena.count('pause');
  }
  try {
    await arena.last(...PAUSED_MS);
  } finally {
    // In another order, so that a paused leader may wake before or after those that could have voted.
    for (const node of arena.chance.shuffled(nodes)) node.resume();
  }
}
