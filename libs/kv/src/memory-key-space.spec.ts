import { MemoryKeySpace } from './memory-key-space.js';
import { describeKeySpace } from './testing/key-space-contract.js';

describeKeySpace('MemoryKeySpace', () =>
  Promise.resolve({ keySpace: new MemoryKeySpace(), close: () => Promise.resolve() }),
);

describe('MemoryKeySpace', () => {
  it('lists every row in key order', () => {
    const space = new MemoryKeySpace();
    space.write(
      [
        { key: Uint8Array.of(0xff), value: Uint8Array.of(1) },
        { key: Uint8Array.of(0), value: Uint8Array.of(2) },
      ],
      1,
    );
    expect([...space.rows()]).toEqual([
      { key: Uint8Array.of(0), value: Uint8Array.of(2) },
      { key: Uint8Array.of(0xff), value: Uint8Array.of(1) },
    ]);
  });

  it('has clones that later writes do not touch, in either direction', () => {
    const row = (key: number, value: number) => ({ key: Uint8Array.of(key), value: Uint8Array.of(value) });
    // More than one node of the tree, so that some are shared.
    const first = Array.from({ length: 100 }, (_, i) => row(i, 1));
    const space = new MemoryKeySpace();
    space.write(first, 7);
    const copy = space.clone();
    space.write([row(0, 2), { key: Uint8Array.of(99), value: undefined }], 8);
    expect([copy.appliedIndex, copy.size, [...copy.rows()]]).toEqual([7, 100, first]);
    const changed = [row(0, 2), ...first.slice(1, 99)];
    copy.write([row(50, 3), row(100, 3)], 9);
    expect([space.appliedIndex, space.size, [...space.rows()]]).toEqual([8, 99, changed]);
    expect([copy.appliedIndex, copy.size, copy.get(Uint8Array.of(50))]).toEqual([9, 101, Uint8Array.of(3)]);
    expect(() => copy.write([], 9)).toThrow(RangeError);
  });
});
