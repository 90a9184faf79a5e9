import type { Arena, Disruption } from '../nemesis.js';

const PARTED_MS = [500, 3_000] as const;

/**
 * One node, often the leader, on one side and the majority on the other. A gateway may be on the side of the minority: then it reaches
 * nobody else. Sometimes connections do not outlive the partition.
 */
export const partitionHalves: Disruption = async (arena) => {
  const { chance, network } = arena;
  const alone = await leaderOrAny(arena);
  const others = arena.others(alone).map(({ name }) => name);
  const gateway = chance.happens(0.5) ? chance.pick(arena.gateways) : undefined;
  const pairs: [string, string][] = others.map((name) => [alone.name, name]);
  for (const name of arena.gateways) {
    if (name === gateway) pairs.push(...others.map((other): [string, string] => [name, other]));
    else pairs.push([name, alone.name]);
  }
  for (const pair of pairs) network.cutBetween(...pair);
  arena.count('halves');
  await arena.last(...PARTED_MS);
  mend(arena, pairs);
};

/** Each node sees its neighbours on a ring and nobody else; three of them stand in a line. */
export const partitionRing: Disruption = async (arena) => {
  const ring = arena.chance.shuffled(arena.nodes).map(({ name }) => name);
  const isNeighbour = (a: number, b: number): boolean =>
    Math.abs(a - b) === 1 || (ring.length > 3 && Math.abs(a - b) === ring.length - 1);
  const pairs = ring.flatMap((a, i) =>
    ring.flatMap((b, j): [string, string][] => (i < j && !isNeighbour(i, j) ? [[a, b]] : [])),
  );
  for (const pair of pairs) arena.network.cutBetween(...pair);
  arena.count('ring');
  await arena.last(...PARTED_MS);
  mend(arena, pairs);
};

/** A node, often the leader, that the others hear and that hears nobody, or the other way round; or one such link. */
export const partitionOneWay: Disruption = async (arena) => {
  const { chance, network } = arena;
  const node = await leaderOrAny(arena);
  const others = arena.others(node).map(({ name }) => name);
  const affected = chance.happens(0.7) ? others : [chance.pick(others)];
  const isDeaf = chance.happens(0.5);
  for (const other of affected) {
    if (isDeaf) network.cutWay(other, node.name);
    else network.cutWay(node.name, other);
  }
  arena.count(isDeaf ? 'deaf' : 'mute');
  await arena.last(...PARTED_MS);
  mend(
    arena,
    affected.map((other) => [node.name, other]),
  );
};

/** A gateway does not reach some of the nodes, or does not hear their answers. The nodes are well. */
export const partitionGateway: Disruption = async (arena) => {
  const { chance, network } = arena;
  const gateway = chance.pick(arena.gateways);
  const leader = await leaderOrAny(arena);
  const nodes = [leader, ...arena.others(leader).slice(0, chance.int(0, arena.nodes.length - 1))];
  const isMute = chance.happens(0.5);
  for (const { name } of nodes) {
    // Requests arrive and answers do not: the outcome is unknown to the gateway, and it repeats.
    if (isMute) network.cutWay(name, gateway);
    else network.cutBetween(name, gateway);
  }
  arena.count(isMute ? 'gateway hears nobody' : 'gateway cut off');
  await arena.last(...PARTED_MS);
  mend(
    arena,
    nodes.map(({ name }) => [gateway, name]),
  );
};

/** Links that are slow, jitter, are narrow, or reset connections over and over. */
export const flakyLinks: Disruption = async (arena) => {
  const { chance, network } = arena;
  const node = await leaderOrAny(arena);
  const ends = [...arena.others(node).map(({ name }) => name), ...arena.gateways];
  const pairs = ends.map((end): [string, string] => [node.name, end]);
  const affected = chance.happens(0.5) ? pairs : [chance.pick(pairs)];
  switch (chance.pick(['delay', 'throttle', 'reset', 'refuse'] as const)) {
    case 'delay':
      for (const pair of affected)
        network.impair(...pair, { delayMs: chance.int(5, 100), jitterMs: chance.int(0, 200) });
      arena.count('delay');
      await arena.last(...PARTED_MS);
      break;
    case 'throttle':
      for (const pair of affected) network.impair(...pair, { bytesPerSecond: chance.int(5_000, 50_000) });
      arena.count('throttle');
      await arena.last(...PARTED_MS);
      break;
    case 'reset':
      for (let times = chance.int(2, 8); times > 0 && !arena.signal.aborted; times--) {
        arena.count(
          'reset',
          affected.reduce((sum, pair) => sum + network.reset(...pair), 0),
        );
        await arena.last(50, 300);
      }
      break;
    case 'refuse':
      for (const pair of affected) network.refuse(...pair);
      arena.count('refuse');
      await arena.last(...PARTED_MS);
      break;
  }
  for (const pair of affected) network.heal(...pair);
};

async function leaderOrAny(arena: Arena) {
  const leader = arena.chance.happens(0.6) ? await arena.leader() : undefined;
  return leader ?? arena.chance.pick(arena.nodes);
}

/** What was held back arrives late, or the connections are gone. */
function mend({ chance, network }: Arena, pairs: readonly [string, string][]): void {
  const survives = chance.happens(0.5);
  for (const pair of pairs) {
    if (!survives) network.reset(...pair);
    network.heal(...pair);
  }
}
