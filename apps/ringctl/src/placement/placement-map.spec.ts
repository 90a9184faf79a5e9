import { ownerOf, type PlacementMapView } from './placement-map.js';

describe('who owns a slot', () => {
  const cluster = (id: string, ranges: string) => ({ id, weight: 1, slots: 1, slot_ranges: ranges, nodes: [] });
  const map: PlacementMapView = {
    epoch: 1,
    slot_count: 16_384,
    clusters: [cluster('c1', '0-4,7'), cluster('c2', '5-6,8-16383'), cluster('c3', '')],
  };

  it.each([
    [0, 'c1'],
    [4, 'c1'],
    [5, 'c2'],
    [7, 'c1'],
    [16_383, 'c2'],
    [16_384, undefined],
  ])('%i: %s', (slot, owner) => expect(ownerOf(map, slot)?.id).toBe(owner));
});
