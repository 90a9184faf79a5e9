import type { NodeId, Random } from '@app/raft';

type Links = (readonly [from: NodeId, to: NodeId])[];

/** A directed graph of links, of the shapes that have hurt: one node alone, in one direction or both; halves; a ring; a bridge; or any. */
export function drawLinks(random: Random, ids: readonly NodeId[]): Links {
  const all: Links = ids.flatMap((from) => ids.filter((to) => to !== from).map((to) => [from, to] as const));
  const one = ids[random.nextInt(0, ids.length - 1)]!;
  switch (random.nextInt(0, 7)) {
    case 0:
      return all.filter(([from, to]) => from === one || to === one);
    case 1:
      return all.filter(([from]) => from === one);
    case 2:
      return all.filter(([, to]) => to === one);
    case 3: {
      const half = new Set(ids.filter(() => random.nextInt(0, 1) > 0));
      return all.filter(([from, to]) => half.has(from) !== half.has(to));
    }
    case 4: {
      // What is left is a ring, in both directions or in one.
      const isDirected = random.nextInt(0, 1) > 0;
      const place = (id: NodeId) => ids.indexOf(id);
      return all.filter(([from, to]) => {
        const step = (place(to) - place(from) + ids.length) % ids.length;
        return step !== 1 && (isDirected || step !== ids.length - 1);
      });
    }
    case 5: {
      // Two halves that only one node reaches both of.
      const half = new Set(ids.filter(() => random.nextInt(0, 1) > 0));
      return all.filter(([from, to]) => from !== one && to !== one && half.has(from) !== half.has(to));
    }
    default: {
      const percent = random.nextInt(10, 70);
      return all.filter(() => random.nextInt(1, 100) <= percent);
    }
  }
}
