import { Availability } from './availability.js';
import { Chance } from './chance.js';
import type { FaultSystem } from './fault-system.js';
import { attack, type Arena, type Disruption } from './nemesis.js';

const NO_REST = [0, 0] as const;

describe('attack', () => {
  const system = { clusterIds: ['a', 'b'] } as unknown as FaultSystem;
  const availability = new Availability(['a', 'b'], 0);
  const chanceOf = (clusterId: string): Chance => new Chance(1, clusterId);

  it('attacks every cluster until it is called off, and adds up what was injected', async () => {
    const calledOff = new AbortController();
    const attacked: string[] = [];
    const disruption: Disruption = (arena: Arena) => {
      attacked.push(arena.clusterId);
      arena.count('fault', 2);
      if (attacked.length === 10) calledOff.abort();
      return Promise.resolve();
    };
    const nemesis = { disruptions: [disruption], restMs: NO_REST };
    const counts = await attack(nemesis, system, chanceOf, availability, calledOff.signal);
    expect(new Set(attacked)).toEqual(new Set(['a', 'b']));
    expect(counts).toEqual(new Map([['fault', 2 * attacked.length]]));
  });

  it('ends when it has attacked as often as it may', async () => {
    let attacks = 0;
    const nemesis = { disruptions: [() => Promise.resolve(void attacks++)], restMs: NO_REST, attacksMax: 7 };
    await attack(nemesis, system, chanceOf, availability, new AbortController().signal);
    expect(attacks).toBe(7);
  });

  it('waits for the end when it does nothing', async () => {
    const calledOff = new AbortController();
    let hasEnded = false;
    const attacking = attack({ disruptions: [] }, system, chanceOf, availability, calledOff.signal).then(
      () => (hasEnded = true),
    );
    await new Promise((resolve) => setImmediate(resolve));
    expect(hasEnded).toBe(false);
    calledOff.abort();
    await attacking;
  });

  it('lets no fault last beyond the end', async () => {
    const calledOff = new AbortController();
    const nemesis = {
      disruptions: [
        async (arena: Arena) => {
          calledOff.abort();
          await arena.last(3_600_000, 3_600_000);
          arena.count('mended');
        },
      ],
      restMs: NO_REST,
    };
    const counts = await attack(nemesis, system, chanceOf, availability, calledOff.signal);
    expect(counts.get('mended')).toBeGreaterThan(0);
  });
});
