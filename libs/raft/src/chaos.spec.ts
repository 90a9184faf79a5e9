import { ChaosRun, replay, runSeed } from './testing/chaos.js';

const STEPS = 1000;

describe('random schedules of messages, faults and clients', () => {
  it.each([
    [3, 250],
    [4, 100],
    [5, 100],
  ])('keep every invariant on %i nodes and recover once the faults end', (size, seeds) => {
    for (let seed = 1; seed <= seeds; seed++) expect(() => runSeed({ seed, size }, STEPS)).not.toThrow();
  });

  it('are the same for the same seed', () => {
    const [first, second] = [1, 2].map(() => runSeed({ seed: 1, size: 3 }, STEPS).group.sent);
    expect(first).toEqual(second);
  });

  it('can be replayed from their actions alone, also from some of them', () => {
    const setting = { seed: 1, size: 3 };
    expect(
      replay(setting, [
        ['crash', 'a', 0],
        ['tick', 'b'],
        ['deliver', 99],
        ['restart', 'a', 0],
      ]),
    ).toBeUndefined();
  });

  it('do not overlook a disk that forgets what it has acknowledged', () => {
    const run = new ChaosRun({ seed: 1, size: 3 });
    run.recover();
    const [id, node] = [...run.group.nodes][0]!;
    node.disk.entries.length = 1;
    expect(() => run.perform(['tick', id])).toThrow(/believes \d+ synced/);
  });
});
