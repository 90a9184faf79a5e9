import { Chance } from '../chance.js';
import type { DatabaseClient } from '../database-client.js';
import type { FaultSystem } from '../fault-system.js';
import type { Completion } from '../history-recorder.js';
import { learn, SharedKeys, type Knowledge } from './shared-keys.js';

describe('SharedKeys', () => {
  function workload(answer: () => Completion) {
    const clients = Array.from({ length: 8 }, (_, process) => ({ process }) as DatabaseClient);
    const system = { clusterIds: ['a', 'b', 'c'] } as unknown as FaultSystem;
    const used: string[] = [];
    const keyOf = (clusterId: string, name: string) => ({ clusterId, key: `${clusterId}-${name}` });
    const stage = { system, clients, chance: new Chance(1, 'test'), keyOf, events: [] };
    const shared = new SharedKeys(stage, (_client, { target }) => {
      used.push(target.key);
      return Promise.resolve(answer());
    });
    const round = async (): Promise<string[]> => {
      used.length = 0;
      for (const client of clients) await shared.step(client);
      return [...used];
    };
    return { round };
  }

  it('deals clients out to keys in all clusters', async () => {
    const { round } = workload(() => ({ type: 'ok', value: null }));
    const keys = await round();
    expect(keys).toEqual(['a', 'b', 'c', 'a', 'b', 'c', 'a', 'b'].map((c, i) => `${c}-k${i % 3}.0`));
    expect(await round()).toEqual(keys);
  });

  it('goes on with new keys after a few unknown outcomes, but not after failures', async () => {
    let type: 'info' | 'fail' = 'fail';
    const { round } = workload(() => ({ type }));
    for (let i = 0; i < 5; i++) await round();
    expect((await round())[0]).toBe('a-k0.0');
    type = 'info';
    await round();
    await round();
    expect((await round())[0]).toBe('a-k0.1');
  });

  it('goes on with new keys after many operations', async () => {
    const { round } = workload(() => ({ type: 'ok', value: null }));
    for (let i = 0; i < 100; i++) await round();
    expect((await round())[0]).toBe('a-k0.1');
  });
});

describe('learn', () => {
  it('remembers the revision of any answer that tells one, and that an absent key has none', () => {
    const knowledge: Knowledge = { target: { key: 'k', clusterId: 'c' }, revision: 1, nextValue: () => '' };
    const after = (completion: Completion) => {
      learn(knowledge, completion);
      return knowledge.revision;
    };
    expect(after({ type: 'ok', value: { value: 'v', revision: 2 } })).toBe(2);
    expect(after({ type: 'info' })).toBe(2);
    expect(after({ type: 'ok', value: { refused: 'PRECONDITION_FAILED', revision: 3 } })).toBe(3);
    expect(after({ type: 'ok', value: { refused: 'PRECONDITION_FAILED', revision: 0 } })).toBeUndefined();
    expect(after({ type: 'ok', value: null })).toBeUndefined();
  });
});
