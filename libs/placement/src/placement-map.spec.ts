import { firstPlacement } from './placement-change.js';
import { PlacementMap } from './placement-map.js';
import { SLOT_COUNT, slotOf } from './slot.js';
import { clusters } from './testing/clusters.js';

describe('PlacementMap', () => {
  const map = firstPlacement(clusters(3));

  it('locates a key: its slot, and the cluster that owns the slot', () => {
    const { slot, epoch, cluster } = map.locate('mykey');
    expect(slot).toBe(slotOf('mykey'));
    expect(epoch).toBe(1);
    expect(map.slotsOf(cluster.id)).toContain(slot);
    expect(map.locate(Buffer.from('mykey'))).toEqual({ slot, epoch, cluster });
  });

  it('gives every slot to exactly one cluster', () => {
    const slots = map.clusters.flatMap(({ id }) => map.slotsOf(id));
    expect(slots.sort((a, b) => a - b)).toEqual(Array.from({ length: SLOT_COUNT }, (_, slot) => slot));
    expect(map.slotCounts().reduce((sum, count) => sum + count, 0)).toBe(SLOT_COUNT);
  });

  it('has no slots for a cluster that it does not know', () => {
    expect(map.slotsOf('c9')).toEqual([]);
    expect(map.cluster('c9')).toBeUndefined();
  });

  it('refuses to look up what is not a slot', () => {
    expect(() => map.ownerOf(SLOT_COUNT)).toThrow(RangeError);
    expect(() => map.ownerOf(-1)).toThrow(RangeError);
  });

  it('refuses an epoch below 1, missing slots, owners that are not there, and clusters out of order', () => {
    const owners = new Uint16Array(SLOT_COUNT);
    expect(() => new PlacementMap(0, clusters(1), owners)).toThrow('epoch 0 is not a whole number from 1');
    expect(() => new PlacementMap(1, clusters(1), new Uint16Array(9))).toThrow('9 slots instead of 16384');
    expect(() => new PlacementMap(1, clusters(1), new Uint16Array(SLOT_COUNT).fill(1))).toThrow('not there');
    expect(() => new PlacementMap(1, clusters(2).reverse(), owners)).toThrow('cluster c1 stands after c2');
  });
});
