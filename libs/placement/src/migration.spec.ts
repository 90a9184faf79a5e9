import { migrationSteps } from './migration.js';
import { firstPlacement, withCluster, withoutCluster } from './placement-change.js';
import { clusterNumber, clusters } from './testing/clusters.js';

describe('migrationSteps', () => {
  const before = firstPlacement(clusters(3));
  const after = withCluster(before, clusterNumber(4));

  it('name every slot that changes its owner exactly once, and no other', () => {
    const owners = new Map(
      migrationSteps(before, after).flatMap(({ from, to, slots }) => slots.map((slot) => [slot, { from, to }])),
    );
    for (let slot = 0; slot < 16384; slot++) {
      const from = before.ownerOf(slot).id;
      const to = after.ownerOf(slot).id;
      expect(owners.get(slot)).toEqual(from === to ? undefined : { from, to });
    }
  });

  it('are one per pair of clusters, in order, with their slots as ranges', () => {
    const steps = migrationSteps(before, after);
    expect(steps.map(({ from, to }) => `${from} ${to}`)).toEqual(['c1 c4', 'c2 c4', 'c3 c4']);
    expect(steps.map(({ slots }) => slots.length)).toEqual([1366, 1365, 1365]);
    for (const { slots, ranges } of steps) expect(ranges.startsWith(`${slots[0]}`)).toBe(true);
  });

  it('are none between equal maps, and undo what was done', () => {
    expect(migrationSteps(before, before)).toEqual([]);
    const undone = withoutCluster(after, 'c4');
    expect(migrationSteps(after, undone).map(({ from }) => from)).toEqual(['c4', 'c4', 'c4']);
  });
});
