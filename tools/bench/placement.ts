/**
 * How long it takes to compute placements, and how even they are: `npm run bench:placement`. Prints the median and the worst of
 * 50 builds of the first map, of adding a cluster to it and of removing one.
 */
import { SLOT_COUNT, firstPlacement, withCluster, withoutCluster, type PlacedCluster } from '@app/placement';

const BUILDS = 50;

const cluster = (i: number): PlacedCluster => ({
  id: `c${i}`,
  weight: 1,
  nodes: [{ id: `c${i}-n1`, address: `127.0.0.1:${10_000 + i}` }],
});

function measure(build: () => unknown): string {
  const times = Array.from({ length: BUILDS }, () => {
    const start = performance.now();
    build();
    return performance.now() - start;
  }).sort((a, b) => a - b);
  return `${times[BUILDS >> 1]!.toFixed(1)} / ${times.at(-1)!.toFixed(1)}`;
}

console.log('clusters  peak/mean  first, add, remove: median / worst of 50, in ms');
for (const count of [3, 10, 30, 100]) {
  const clusters = Array.from({ length: count }, (_, i) => cluster(i + 1));
  const map = firstPlacement(clusters);
  const peak = Math.max(...map.slotCounts().values()) / (SLOT_COUNT / count);
  const times = [
    measure(() => firstPlacement(clusters)),
    measure(() => withCluster(map, cluster(count + 1))),
    measure(() => withoutCluster(map, 'c1')),
  ];
  console.log(`${String(count).padStart(8)}  ${peak.toFixed(5)}    ${times.join(',  ')}`);
}
