import type { FaultSystem } from './fault-system.js';
import type { HeldRecord } from './node-door.js';
import { readReplicas } from './replicas.js';

/** Three nodes of one cluster; each holds what is given for it, by key. */
function systemHolding(...held: readonly Readonly<Record<string, HeldRecord>>[]) {
  const nodes = held.map((_, i) => ({ name: `n${i + 1}` }));
  let readings = 0;
  const system = {
    clusterIds: ['c1'],
    nodesOf: () => nodes,
    door: (node: { name: string }) => ({
      heldRecord: (key: string) => {
        readings += 1;
        return Promise.resolve(held[nodes.findIndex(({ name }) => name === node.name)]![key] ?? null);
      },
    }),
    waitFor: () => Promise.resolve(true),
  };
  return { system: system as unknown as FaultSystem, readings: () => readings };
}

describe('readReplicas', () => {
  const targets = ['a', 'b'].map((key) => ({ key, clusterId: 'c1' }));
  const options = { firstProcess: 10, time: 99 };
  const record = { value: 'v', revision: 1 };

  it('gives what every node holds of every key as reads', async () => {
    const { system } = systemHolding({ a: record }, { a: record }, { a: record });
    const { events, faults } = await readReplicas(system, targets, options);
    expect(faults).toEqual([]);
    expect(events.filter(({ type }) => type === 'ok').map(({ process, key, value }) => [process, key, value])).toEqual([
      [10, 'a', record],
      [11, 'a', record],
      [12, 'a', record],
      [10, 'b', null],
      [11, 'b', null],
      [12, 'b', null],
    ]);
    expect(events.every(({ f, time }) => f === 'read' && time === 99)).toBe(true);
  });

  it.each([
    ['lacks a key', {}],
    ['holds another value', { a: { value: 'w', revision: 1 } }],
    ['holds another revision', { a: { value: 'v', revision: 2 } }],
  ])('finds a replica that %s, after it has looked again', async (_what, other) => {
    const { system, readings } = systemHolding({ a: record }, other, { a: record });
    const { faults } = await readReplicas(system, targets, options);
    expect(faults).toEqual([expect.stringContaining('the replicas of key a differ')]);
    expect(readings()).toBeGreaterThan(6);
  });
});
