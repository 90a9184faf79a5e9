import { firstPlacement, withCluster } from './placement-change.js';
import { decodePlacement, encodePlacement, type PlacementData } from './placement-data.js';
import { parseSlotRanges, slotRanges } from './slot-ranges.js';
import { clusterNumber, clusters } from './testing/clusters.js';
import { thrownBy } from './testing/thrown-by.js';

const asJson = (data: unknown): unknown => JSON.parse(JSON.stringify(data));

describe('placement data', () => {
  const map = withCluster(firstPlacement(clusters(3)), clusterNumber(4, 2));
  const data = encodePlacement(map);

  /** The data with some parts of its first cluster replaced. */
  const withFirst = (parts: object): unknown => ({
    ...data,
    clusters: [{ ...data.clusters[0], ...parts }, ...data.clusters.slice(1)],
  });

  it('survives JSON', () => {
    expect(decodePlacement(asJson(data))).toEqual(map);
    expect(encodePlacement(decodePlacement(asJson(data)))).toEqual(data);
  });

  it('does not depend on the order of the clusters', () => {
    expect(decodePlacement({ ...data, clusters: [...data.clusters].reverse() })).toEqual(map);
  });

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a list', []],
    ['another format', { ...data, format: 2 }],
    ['no epoch', { ...data, epoch: undefined }],
    ['clusters that are no list', { ...data, clusters: {} }],
    ['a cluster that is null', { ...data, clusters: [null] }],
    ['a weight that is text', withFirst({ weight: '1' })],
    ['no nodes', withFirst({ nodes: undefined })],
    ['a node without an address', withFirst({ nodes: [{ id: 'n' }] })],
    ['slots that are no text', withFirst({ slots: [1] })],
  ])('is refused when it has the wrong shape: %s', (_what, wrong) => {
    expect(() => decodePlacement(wrong)).toThrow('not a placement of format 1');
  });

  it('is refused when a slot has two owners or none, and both are named', () => {
    const [first, second] = data.clusters as [PlacementData['clusters'][number], PlacementData['clusters'][number]];
    const stolen = second.slots.split(',')[0]!.split('-')[0]!;
    const ownSlots = parseSlotRanges(first.slots)!;
    const faulty = slotRanges([...ownSlots.slice(1), Number(stolen)].sort((a, b) => a - b));
    expect(thrownBy(() => decodePlacement(withFirst({ slots: faulty }))).reasons).toEqual([
      `slot ${stolen} belongs to c1 and to c2`,
      `1 slots belong to no cluster, slot ${ownSlots[0]} first`,
    ]);
  });

  it.each(['1-', '5-4', '4,4', '7,3', '16384', '0-16384', '1,,2', ' 1', '-1', '0x10'])(
    'is refused with the slots %j',
    (slots) => {
      expect(parseSlotRanges(slots)).toBeUndefined();
      expect(() => decodePlacement(withFirst({ slots }))).toThrow('slots of cluster c1 are not ascending ranges');
    },
  );

  it('is refused with ids, weights, addresses and epochs that no map may have', () => {
    expect(() => decodePlacement({ ...data, epoch: 0 })).toThrow('epoch 0');
    expect(() => decodePlacement(withFirst({ weight: 101 }))).toThrow('weight 101 of cluster c1');
    expect(() => decodePlacement(withFirst({ nodes: [] }))).toThrow('cluster c1 has no node');
  });

  it('prints slots as ranges', () => {
    expect(slotRanges([])).toBe('');
    expect(slotRanges([0, 1, 2, 5, 7, 8])).toBe('0-2,5,7-8');
    expect(parseSlotRanges('0-2,5,7-8')).toEqual([0, 1, 2, 5, 7, 8]);
    expect(parseSlotRanges('')).toEqual([]);
  });
});
