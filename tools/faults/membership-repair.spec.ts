import type { FaultSystem } from './fault-system.js';
import { completeMembership } from './membership-repair.js';

/** A cluster as its leader sees it. A change may fail first, and may then have been made or not. */
function clusterWith(members: Map<string, 'voter' | 'learner'>, failures: ('lost' | 'made')[] = []) {
  const log: string[] = [];
  const change = (text: string, make: () => void): Promise<void> => {
    const failure = failures.shift();
    if (failure !== 'lost') make();
    log.push(failure ? `${text} (${failure})` : text);
    return failure ? Promise.reject(new Error('refused')) : Promise.resolve();
  };
  const nodes = ['n1', 'n2', 'n3'].map((name) => ({
    name,
    kill: () => {
      log.push(`kill ${name}`);
      return Promise.resolve();
    },
  }));
  const door = {
    status: () =>
      Promise.resolve({ members: [...members].map(([nodeId, kind]) => ({ nodeId, isLearner: kind === 'learner' })) }),
    addNode: (id: string) => change(`add ${id}`, () => members.set(id, 'learner')),
    promoteNode: (id: string) => change(`promote ${id}`, () => members.set(id, 'voter')),
  };
  const system = {
    leaderOf: () => Promise.resolve(nodes[0]),
    nodesOf: () => nodes,
    door: () => door,
    wipe: ({ name }: { name: string }) => log.push(`wipe ${name}`),
    start: ({ name }: { name: string }) => log.push(`start ${name}`),
  };
  return { system: system as unknown as FaultSystem, log };
}

describe('completeMembership', () => {
  const REPLACED = ['kill n3', 'wipe n3', 'start n3', 'add n3', 'promote n3'];

  it('does nothing where nothing is missing', async () => {
    const { system, log } = clusterWith(
      new Map([
        ['n1', 'voter'],
        ['n2', 'voter'],
        ['n3', 'voter'],
      ]),
    );
    await completeMembership(system, 'c1');
    expect(log).toEqual([]);
  });

  it('takes in a node that was removed, with an empty disk', async () => {
    const { system, log } = clusterWith(
      new Map([
        ['n1', 'voter'],
        ['n2', 'voter'],
      ]),
    );
    await completeMembership(system, 'c1');
    expect(log).toEqual(REPLACED);
  });

  it('promotes a learner that an earlier attempt has left', async () => {
    const { system, log } = clusterWith(
      new Map([
        ['n1', 'voter'],
        ['n2', 'voter'],
        ['n3', 'learner'],
      ]),
    );
    await completeMembership(system, 'c1');
    expect(log).toEqual(['promote n3']);
  });

  it('does not wipe a node again whose addition failed, for it may yet be made', async () => {
    const { system, log } = clusterWith(
      new Map([
        ['n1', 'voter'],
        ['n2', 'voter'],
      ]),
      ['lost', 'made'],
    );
    await completeMembership(system, 'c1');
    expect(log).toEqual(['kill n3', 'wipe n3', 'start n3', 'add n3 (lost)', 'add n3 (made)', 'promote n3']);
  });
});
