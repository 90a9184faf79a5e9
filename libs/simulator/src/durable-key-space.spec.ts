import type { Row } from '@app/kv';
import { DurableKeySpace } from './durable-key-space.js';
import { SeededRandom } from './seeded-random.js';

const initial = { index: 0, configuration: { voters: ['a'], outgoingVoters: [], learners: [] } };
const later = { index: 3, configuration: { voters: ['a', 'b'], outgoingVoters: [], learners: [] } };

/** Batch i puts key i and removes key i - 1. */
function write(space: DurableKeySpace, index: number): void {
  const changes = [{ key: Uint8Array.of(index), value: Uint8Array.of(index) }];
  const removal = { key: Uint8Array.of(index - 1), value: undefined };
  space.write([...changes, removal], index);
  space.describe({ index, term: 1, configuration: index >= 3 ? later : initial });
}

const keysOf = (rows: Iterable<Row>): number[] => [...rows].map(({ key }) => key[0]!);
const keys = (space: DurableKeySpace): number[] => keysOf(space.allRows());

describe('DurableKeySpace', () => {
  it('loses in a power loss a suffix of the unsynced batches, never one in the middle', () => {
    const left = new Set<number>();
    for (let seed = 0; seed < 40; seed++) {
      const space = new DurableKeySpace(initial);
      for (let index = 1; index <= 8; index++) write(space, index);
      space.sync(4);
      expect(space.syncedIndex).toBe(4);
      space.powerLoss('random', new SeededRandom(seed, 'loss'));
      const { appliedIndex } = space;
      expect(appliedIndex).toBeGreaterThanOrEqual(4);
      expect(keys(space)).toEqual([appliedIndex]);
      expect(space.image()).toMatchObject({ index: appliedIndex, term: 1, configuration: later });
      left.add(appliedIndex);
    }
    expect([...left].sort()).toEqual([4, 5, 6, 7, 8]);
  });

  it('keeps all or none of what was not synced when it is told so', () => {
    const random = new SeededRandom(1, 'unused');
    for (const [leaves, index] of [
      ['all', 6],
      ['nothing', 2],
    ] as const) {
      const space = new DurableKeySpace(initial);
      for (let each = 1; each <= 6; each++) write(space, each);
      space.sync(2);
      space.powerLoss(leaves, random);
      expect([space.appliedIndex, keys(space)]).toEqual([index, [index]]);
    }
  });

  it('gives images that later writes do not change', () => {
    const space = new DurableKeySpace(initial);
    write(space, 1);
    const image = space.image();
    write(space, 2);
    space.sync(2);
    expect(keysOf(image.rows.rows())).toEqual([1]);
    const other = new DurableKeySpace(initial);
    other.install(image);
    write(other, 2);
    expect(keysOf(image.rows.rows())).toEqual([1]);
    other.powerLoss('nothing', new SeededRandom(1, 'unused'));
    expect([other.appliedIndex, keys(other), other.image().isInstalled]).toEqual([1, [1], true]);
  });

  it('is empty after a wipe', () => {
    const space = new DurableKeySpace(initial);
    write(space, 1);
    space.sync(1);
    space.wipe(initial);
    expect([space.appliedIndex, space.syncedIndex, keys(space)]).toEqual([0, 0, []]);
  });
});
