import { TestGroup, testConfig } from './testing/group.js';

const TIMEOUT = testConfig.electionTimeoutTicks;

function ledByA(): TestGroup {
  const group = new TestGroup(['a', 'b', 'c']);
  group.campaign('a');
  group.tick(testConfig.heartbeatTicks);
  expect(group.leaders).toEqual(['a']);
  return group;
}

describe('a leader whose disk hangs', () => {
  it('makes way for another, which commits without it', () => {
    const group = ledByA();
    group.node('a').isDiskSlow = true;
    group.propose('a', 'x');
    group.tick(20 * TIMEOUT);
    const { leader } = group;
    expect(leader?.id).not.toBe('a');
    group.propose(leader!.id, 'y');
    group.stabilize();
    expect(leader!.applied.map((entry) => String.fromCharCode(...entry.data))).toEqual(['', 'x', '', 'y']);
  });

  it('follows the other when the disk works again', () => {
    const group = ledByA();
    group.node('a').isDiskSlow = true;
    group.propose('a', 'x');
    group.tick(20 * TIMEOUT);
    group.node('a').isDiskSlow = false;
    group.node('a').completePersist();
    group.tick(5 * TIMEOUT);
    expect(group.leaders).toHaveLength(1);
    expect(group.node('a').log).toEqual(group.leader!.log);
  });

  it('stays when the disk is only slow', () => {
    const group = ledByA();
    group.node('a').isDiskSlow = true;
    for (let i = 0; i < 10; i++) {
      group.propose('a', 'x');
      group.tick(5 * TIMEOUT);
      group.node('a').completePersist();
    }
    expect(group.leaders).toEqual(['a']);
  });
});
