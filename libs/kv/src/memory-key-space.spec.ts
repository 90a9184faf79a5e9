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
});
