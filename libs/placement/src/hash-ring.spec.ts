import { HashRing } from './hash-ring.js';
import { SLOT_COUNT } from './slot.js';
import { clusters } from './testing/clusters.js';
import { thrownBy } from './testing/thrown-by.js';

const owners = (ring: HashRing): (string | undefined)[] =>
  Array.from({ length: SLOT_COUNT }, (_, slot) => ring.ownerOf(slot));

describe('HashRing', () => {
  it('does not depend on the order in which clusters are given', () => {
    expect(owners(HashRing.of(clusters(7).reverse()))).toEqual(owners(HashRing.of(clusters(7))));
  });

  it('gives a new cluster slots of all others, and moves nothing between them', () => {
    const before = HashRing.of(clusters(7));
    const after = before.withCluster({ id: 'new', weight: 1 });
    const ownersBefore = owners(before);
    const movedSlots = owners(after).flatMap((owner, slot) => (owner === ownersBefore[slot] ? [] : [{ owner, slot }]));
    expect(new Set(movedSlots.map(({ owner }) => owner))).toEqual(new Set(['new']));
    expect(new Set(movedSlots.map(({ slot }) => ownersBefore[slot])).size).toBe(7);
    expect(before.clusters).toHaveLength(7);
  });

  it('comes back to itself when a cluster is added and taken away', () => {
    const ring = HashRing.of(clusters(5));
    expect(ring.withCluster({ id: 'new', weight: 3 }).without('new')).toEqual(ring);
  });

  it('gives a cluster of double weight about double the slots', () => {
    const ring = HashRing.of([...clusters(6), { id: 'heavy', weight: 2 }]);
    const share = owners(ring).filter((owner) => owner === 'heavy').length / (SLOT_COUNT / 8);
    expect(share).toBeGreaterThan(1.7);
    expect(share).toBeLessThan(2.3);
  });

  it('spreads equal weights to within a fifth of the mean before loads are bounded', () => {
    const counts = new Map<string | undefined, number>();
    for (const owner of owners(HashRing.of(clusters(20)))) counts.set(owner, (counts.get(owner) ?? 0) + 1);
    for (const count of counts.values()) expect(Math.abs(count / (SLOT_COUNT / 20) - 1)).toBeLessThan(0.25);
  });

  it('goes on clockwise, around the end of the circle too, to the first cluster that is accepted', () => {
    const ring = HashRing.of(clusters(4));
    for (const slot of [0, 1, 8191, SLOT_COUNT - 1]) {
      const first = ring.nearest(slot)!;
      const second = ring.nearest(slot, (cluster) => cluster !== first.cluster)!;
      expect(second.cluster).not.toBe(first.cluster);
      expect(second.distance).toBeGreaterThan(first.distance);
      expect(second.distance).toBeLessThan(2 ** 32);
    }
    expect(ring.nearest(0, () => false)).toBeUndefined();
  });

  it('has no owner for any slot when it is empty', () => {
    expect(HashRing.of([]).ownerOf(0)).toBeUndefined();
  });

  it('refuses malformed ids, repeated ids and weights out of range, all at once', () => {
    const faulty = [
      { id: 'a b', weight: 1 },
      { id: 'c1', weight: 0 },
      { id: 'c1', weight: 1 },
      { id: 'c2', weight: 1.5 },
    ];
    const error = thrownBy(() => HashRing.of(faulty));
    expect(error.code).toBe('INVALID_PLACEMENT');
    expect(error.reasons).toEqual([
      'cluster id "a b" is not 1 to 64 characters of A-Z a-z 0-9 . _ -',
      'cluster c1 is there twice',
      'weight 0 of cluster c1 is not a whole number from 1 to 100',
      'weight 1.5 of cluster c2 is not a whole number from 1 to 100',
    ]);
  });

  it('says so when the cluster to take away is not there', () => {
    expect(thrownBy(() => HashRing.of(clusters(2)).without('c9')).code).toBe('CLUSTER_UNKNOWN');
  });
});
