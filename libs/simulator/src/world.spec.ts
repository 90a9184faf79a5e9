import type { Request } from '@app/kv';
import { SimulationFailure, UNITS_PER_TICK, type Outcome } from './observer.js';
import { silentObserver } from './testing/silent-observer.js';
import { World } from './world.js';

const bytes = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0));
const set = (key: string, value: string): Request => ({
  kind: 'set',
  key: bytes(key),
  value: bytes(value),
  contentType: '',
  ttlMs: 0,
});

const leaderOf = (world: World): string | undefined =>
  world.ids
    .filter((id) => world.node(id).raft?.isLeader)
    .sort((a, b) => world.node(b).state!.currentTerm - world.node(a).state!.currentTerm)[0];

function runUntil(world: World, condition: () => boolean, ticksMax = 2000): void {
  const end = world.now + ticksMax * UNITS_PER_TICK;
  while (!condition()) {
    if (world.now >= end) throw new Error(`not reached within ${ticksMax} ticks`);
    world.runUntil(world.now + 1);
  }
}

/** Writes until one is applied, wherever the leader is. */
function write(world: World, key: string, value: string): void {
  let isApplied = false;
  for (let attempt = 0; !isApplied && attempt < 50; attempt++) {
    runUntil(world, () => leaderOf(world) !== undefined);
    let outcome: Outcome<unknown> | undefined;
    const end = world.now + 30 * UNITS_PER_TICK;
    world.node(leaderOf(world)!).write(set(key, value), (given) => (outcome = given));
    while (outcome === undefined && world.now < end) world.runUntil(world.now + 1);
    isApplied = outcome?.kind === 'applied';
    if (!isApplied) world.runUntil(world.now + UNITS_PER_TICK);
  }
  if (!isApplied) throw new Error('the write was not applied');
}

const rowsOf = (world: World, id: string): string =>
  [...world.node(id).stateRows()].map(({ key, value }) => `${[...key].join()}=${[...value].join()}`).join(';');

function expectEqualStates(world: World): void {
  runUntil(world, () => new Set(world.ids.map((id) => world.node(id).appliedIndex)).size === 1);
  expect(new Set(world.ids.map((id) => rowsOf(world, id))).size).toBe(1);
}

const busyRun = (seed: number): World => {
  const world = new World({ seed, voters: 3, observer: silentObserver });
  for (let i = 0; i < 10; i++) write(world, `k${i}`, `${i}`);
  world.crash('n2', { effects: 3 });
  for (let i = 0; i < 10; i++) write(world, `k${i}`, `again ${i}`);
  world.restart('n2');
  world.runUntil(world.now + 50 * UNITS_PER_TICK);
  return world;
};

describe('World', () => {
  it('elects a leader and applies writes on all nodes', () => {
    const world = new World({ seed: 1, voters: 3, observer: silentObserver });
    for (let i = 0; i < 20; i++) write(world, `k${i}`, `${i}`);
    expectEqualStates(world);
  });

  it('runs the same from the same seed, and differently from another', () => {
    expect(busyRun(5).traceHash).toBe(busyRun(5).traceHash);
    expect(busyRun(5).traceHash).not.toBe(busyRun(6).traceHash);
  });

  it('survives a crash of any node at any effect', () => {
    const world = new World({ seed: 2, voters: 3, observer: silentObserver });
    for (let effects = 0; effects < 60; effects++) {
      const id = world.ids[effects % 3]!;
      world.crash(id, { effects, ...(effects % 2 === 0 ? { powerLoss: 'random' } : {}) });
      write(world, `k${effects}`, 'v');
      runUntil(world, () => !world.node(id).isUp);
      world.restart(id);
    }
    runUntil(world, () => world.ids.every((id) => world.node(id).raft !== undefined));
    expectEqualStates(world);
  });

  it('ends with the failure that an observer throws', () => {
    const observer = {
      ...silentObserver,
      applied: () => {
        throw new SimulationFailure('test', 'enough');
      },
    };
    const world = new World({ seed: 1, voters: 3, observer });
    expect(() => world.runUntil(1000)).toThrow('test: enough');
  });
});
