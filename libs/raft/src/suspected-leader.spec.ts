import { TestGroup, testConfig } from './testing/group.js';

function ledBy(id: string): TestGroup {
  const group = new TestGroup(['a', 'b', 'c']);
  group.campaign(id);
  group.tick(testConfig.heartbeatTicks);
  expect(group.leaders).toEqual([id]);
  return group;
}

describe('a follower whose connection to the leader broke', () => {
  it('has a new leader after a few heartbeats, sooner than any election timeout', () => {
    const group = ledBy('a');
    group.crash('a');
    for (const id of ['b', 'c']) group.node(id).raft.reportDisconnected('a');
    let ticks = 0;
    group.tickUntil(() => {
      ticks += 1;
      return group.leaders.length > 0;
    });
    expect(ticks).toBeLessThan(testConfig.electionTimeoutTicks);
  });

  it('does not depose a leader that the others hear', () => {
    const group = ledBy('a');
    const term = group.node('a').state.currentTerm;
    group.cut('a', 'b');
    group.node('b').raft.reportDisconnected('a');
    group.tick(5 * testConfig.electionTimeoutTicks);
    expect(group.leaders).toEqual(['a']);
    expect(group.node('a').state.currentTerm).toBe(term);
  });

  it('goes on following when the leader is heard again', () => {
    const group = ledBy('a');
    const sentBefore = group.sent.length;
    for (const id of ['b', 'c']) group.node(id).raft.reportDisconnected('a');
    expect(group.node('b').raft.leaderId).toBeUndefined();
    group.tick(5 * testConfig.electionTimeoutTicks);
    expect(group.node('b').raft.leaderId).toBe('a');
    expect(group.sent.slice(sentBefore).filter((message) => message.type === 'RequestVote')).toEqual([]);
  });

  it('takes no notice of anybody but its leader', () => {
    const group = ledBy('a');
    group.node('b').raft.reportDisconnected('c');
    expect(group.node('b').raft.leaderId).toBe('a');
  });
});
