import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import fc from 'fast-check';
import { migrationSteps } from './migration.js';
import { firstPlacement, withCluster, withNodes, withWeights, withoutCluster } from './placement-change.js';
import { encodePlacement } from './placement-data.js';
import type { PlacementMap } from './placement-map.js';
import { SLOT_COUNT } from './slot.js';
import { clusterNumber, clusters } from './testing/clusters.js';
import { mapDigests } from './testing/map-digests.js';
import { thrownBy } from './testing/thrown-by.js';

/** Far above what it takes: a machine that is busy with other tests must not fail this one. */
jest.setTimeout(30_000);

const EQUAL_CLUSTER_COUNTS = Array.from({ length: 98 }, (_, i) => i + 3);

const movedSlots = (before: PlacementMap, after: PlacementMap): number =>
  migrationSteps(before, after).reduce((sum, { slots }) => sum + slots.length, 0);

/** By how many slots the furthest cluster is off its share. */
function deviation(map: PlacementMap): number {
  const weightSum = map.clusters.reduce((sum, { weight }) => sum + weight, 0);
  return Math.max(
    ...map.slotCounts().map((count, i) => Math.abs(count - (SLOT_COUNT * map.clusters[i]!.weight) / weightSum)),
  );
}

describe('firstPlacement', () => {
  it.each(EQUAL_CLUSTER_COUNTS)(
    'gives %i clusters of equal weight their share in whole slots: peak-to-mean as low as it can be',
    (count) => {
      const counts = firstPlacement(clusters(count)).slotCounts();
      const mean = SLOT_COUNT / count;
      expect(Math.max(...counts)).toBe(Math.ceil(mean));
      expect(Math.min(...counts)).toBe(Math.floor(mean));
    },
  );

  it('has a peak-to-mean of at most 1.001 wherever whole slots can: always up to 20 clusters, at 100 too, not at 99', () => {
    const possible = EQUAL_CLUSTER_COUNTS.filter(
      (count) => Math.ceil(SLOT_COUNT / count) * count <= SLOT_COUNT * 1.001,
    );
    const reached = EQUAL_CLUSTER_COUNTS.filter(
      (count) => (Math.max(...firstPlacement(clusters(count)).slotCounts()) * count) / SLOT_COUNT <= 1.001,
    );
    expect(reached).toEqual(possible);
    expect(reached).toEqual(expect.arrayContaining(Array.from({ length: 18 }, (_, i) => i + 3)));
    expect(reached.slice(-2)).toEqual([97, 100]);
  });

  it('honours weights to within one slot', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 12 }), (weights) => {
        expect(deviation(firstPlacement(weights.map((weight, i) => clusterNumber(i, weight))))).toBeLessThan(1);
      }),
      { numRuns: 25 },
    );
  });

  it('does not depend on the order in which clusters are given', () => {
    expect(encodePlacement(firstPlacement(clusters(9).reverse()))).toEqual(
      encodePlacement(firstPlacement(clusters(9))),
    );
  });

  it('keeps most slots where plain consistent hashing has them', () => {
    const map = firstPlacement(clusters(10));
    const larger = firstPlacement(clusters(11));
    expect(movedSlots(map, larger) / SLOT_COUNT).toBeLessThan(0.3);
  });

  it('refuses no clusters, and clusters without nodes, with shared nodes or malformed addresses', () => {
    expect(thrownBy(() => firstPlacement([])).reasons).toEqual(['there is no cluster']);
    const error = thrownBy(() =>
      firstPlacement([
        { id: 'c1', weight: Number.NaN, nodes: [] },
        { id: 'c2', weight: 1, nodes: [{ id: 'n', address: 'nowhere' }] },
        { id: 'c3', weight: 1, nodes: [{ id: 'n', address: '[::1]:7001' }] },
        { id: 'c4', weight: 1, nodes: [{ id: '', address: 'a b:1' }] },
      ]),
    );
    expect(error.code).toBe('INVALID_PLACEMENT');
    expect(error.reasons).toEqual([
      'weight NaN of cluster c1 is not a whole number from 1 to 100',
      'cluster c1 has no node',
      'address "nowhere" of node n is not host:port',
      'node n is in c2 and in c3',
      'node id "" of cluster c4 is not 1 to 64 characters of A-Z a-z 0-9 . _ -',
      'address "a b:1" of node  is not host:port',
    ]);
  });
});

describe('withCluster', () => {
  it.each([1, 2, 3, 4, 7, 10, 31, 64, 99])(
    'adding one to %i moves at most 1/(G+1) + 0.1%% of the slots, all to the new one',
    (count) => {
      const before = firstPlacement(clusters(count));
      const after = withCluster(before, clusterNumber(count + 1));
      expect(movedSlots(before, after) / SLOT_COUNT).toBeLessThanOrEqual(1 / (count + 1) + 0.001);
      for (const { to } of migrationSteps(before, after)) expect(to).toBe(`c${count + 1}`);
      expect(Math.max(...after.slotCounts())).toBe(Math.ceil(SLOT_COUNT / (count + 1)));
      expect(after.epoch).toBe(before.epoch + 1);
    },
  );

  it('stays as even as whole slots allow while a system grows from 1 to 100 clusters one by one', () => {
    let map = firstPlacement(clusters(1));
    for (let count = 2; count <= 100; count++) {
      map = withCluster(map, clusterNumber(count));
      expect(Math.max(...map.slotCounts())).toBe(Math.ceil(SLOT_COUNT / count));
      expect(Math.min(...map.slotCounts())).toBe(Math.floor(SLOT_COUNT / count));
    }
  });

  it('refuses a cluster that is there already, and a node that is', () => {
    const map = firstPlacement(clusters(2));
    expect(thrownBy(() => withCluster(map, clusterNumber(2))).code).toBe('CLUSTER_EXISTS');
    expect(() => withCluster(map, { ...clusterNumber(2), id: 'c3' })).toThrow('node c2-n1 is in c2 and in c3');
  });
});

describe('withoutCluster', () => {
  it.each([2, 3, 4, 8, 11, 65, 100])('removing one of %i moves its slots and nothing else', (count) => {
    const before = firstPlacement(clusters(count));
    for (const gone of ['c1', `c${count}`]) {
      const after = withoutCluster(before, gone);
      for (const { from } of migrationSteps(before, after)) expect(from).toBe(gone);
      expect(movedSlots(before, after)).toBe(before.slotsOf(gone).length);
      expect(Math.max(...after.slotCounts())).toBe(Math.ceil(SLOT_COUNT / (count - 1)));
      expect(after.cluster(gone)).toBeUndefined();
    }
  });

  it('refuses an unknown cluster, and the last one', () => {
    const map = firstPlacement(clusters(1));
    expect(thrownBy(() => withoutCluster(map, 'c2')).code).toBe('CLUSTER_UNKNOWN');
    expect(thrownBy(() => withoutCluster(map, 'c1')).code).toBe('LAST_CLUSTER');
  });
});

describe('a history of changes', () => {
  it('never moves a slot between surviving clusters and keeps every weight to within one slot', () => {
    const change = fc.record({
      isAddition: fc.boolean(),
      weight: fc.integer({ min: 1, max: 20 }),
      victim: fc.nat(),
    });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 8 }), (changes) => {
        let nextNumber = 4;
        let map = firstPlacement(clusters(3));
        for (const { isAddition, weight, victim } of changes) {
          const before = map;
          const changed =
            isAddition || map.clusters.length === 1 ? `c${nextNumber}` : map.clusters[victim % map.clusters.length]!.id;
          map = before.cluster(changed)
            ? withoutCluster(before, changed)
            : withCluster(before, clusterNumber(nextNumber++, weight));
          for (const { from, to } of migrationSteps(before, map)) expect([from, to]).toContain(changed);
          expect(deviation(map)).toBeLessThanOrEqual(1);
        }
      }),
      { numRuns: 30, seed: 1 },
    );
  });
});

describe('withWeights', () => {
  it('moves only as much as the quotas differ', () => {
    const before = firstPlacement(clusters(4));
    const after = withWeights(before, { c1: 3 });
    expect(after.slotsOf('c1')).toHaveLength(SLOT_COUNT / 2);
    expect(deviation(after)).toBeLessThan(1);
    expect(movedSlots(before, after)).toBe(SLOT_COUNT / 4);
    expect(withWeights(after, {}).slotCounts()).toEqual(after.slotCounts());
    expect(movedSlots(after, withWeights(after, {}))).toBe(0);
  });

  it('refuses weights of unknown clusters and weights out of range', () => {
    const map = firstPlacement(clusters(2));
    expect(thrownBy(() => withWeights(map, { c9: 2 })).code).toBe('CLUSTER_UNKNOWN');
    expect(thrownBy(() => withWeights(map, { c1: 0 })).code).toBe('INVALID_PLACEMENT');
  });
});

describe('withNodes', () => {
  it('changes addresses and moves nothing', () => {
    const before = firstPlacement(clusters(2));
    const after = withNodes(before, 'c1', [{ id: 'c1-n9', address: 'host:1' }]);
    expect(after.cluster('c1')!.nodes).toEqual([{ id: 'c1-n9', address: 'host:1' }]);
    expect(movedSlots(before, after)).toBe(0);
    expect(after.epoch).toBe(2);
    expect(before.cluster('c1')!.nodes).toHaveLength(3);
  });
});

describe('the same input gives the same map in any process', () => {
  it('equal to the maps that were pinned when this test was written', () => {
    expect(mapDigests()).toEqual({
      first: '0c38a08ed984657b9e722b7ce363b010e490af89aeba0a0d793ee5e0e746414a',
      grown: '526bc6e423e0d556c696f1cff5917b83323f7f3dd558d101c77644434944bb89',
      shrunk: '7daf9d50c664f253ee9982f665c9018ec2f321e81c666e83df4cfd9545a509fe',
    });
  });

  it('equal to the maps of a process started now', () => {
    const script = `
      const { readFileSync } = require('node:fs');
      const { dirname, resolve } = require('node:path');
      const swc = require('@swc/core');
      const loaded = new Map();
      function load(file) {
        if (!loaded.has(file)) {
          const module = { exports: {} };
          loaded.set(file, module);
          const { code } = swc.transformSync(readFileSync(file, 'utf8'), {
            jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
            module: { type: 'commonjs' },
            swcrc: false,
          });
          new Function('exports', 'require', code)(module.exports, (name) =>
            name.startsWith('.') ? load(resolve(dirname(file), name.replace(/js$/, 'ts'))) : require(name));
        }
        return loaded.get(file).exports;
      }
      console.log(JSON.stringify(load(process.argv[1]).mapDigests()));
    `;
    const printed = execFileSync(process.execPath, ['-e', script, join(__dirname, 'testing/map-digests.ts')]);
    expect(JSON.parse(printed.toString())).toEqual(mapDigests());
  });
});
