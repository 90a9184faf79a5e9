import { TestGroup, testConfig } from './testing/group.js';

const TIMEOUT = testConfig.electionTimeoutTicks;

function ledByA(): TestGroup {
  const group = new TestGroup(['a', 'b', 'c']);
  group.campaign('a');
  group.tick(testConfig.heartbeatTicks);
  expect(group.leaders).toEqual(['a']);
  return group;
}

describe('followers whose disks are slower than an election timeout', () => {
  it('are heard all the same by a leader that does not know yet what they have', () => {
    const group = ledByA();
    const { currentTerm } = group.node('a').state;
    for (const id of ['b', 'c']) {
      group.node(id).isDiskSlow = true;
      group.node('a').raft.reportUnreachable(id);
    }
    group.propose('a', 'x');
    group.tick(3 * TIMEOUT);
    expect(group.leaders).toEqual(['a']);
    expect(group.node('a').state.currentTerm).toBe(currentTerm);
    for (const id of ['b', 'c']) group.node(id).completePersist();
    group.tick(testConfig.heartbeatTicks);
    expect(group.node('a').state.commitIndex).toBe(2);
  });
});
