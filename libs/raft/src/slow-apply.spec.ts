import { TestGroup, testConfig } from './testing/group.js';

const TEXT = 'x'.repeat(500);
const LIMITS = { cacheBytesMax: 2048, uncommittedBytesMax: 4096 };

/** `a` leads; `b` keeps its log but applies nothing. */
function withSlowApply(): TestGroup {
  const group = new TestGroup(['a', 'b', 'c'], { config: LIMITS });
  group.campaign('a');
  group.tick(testConfig.heartbeatTicks);
  group.node('b').isApplySlow = true;
  for (let i = 0; i < 200; i++) {
    group.propose('a', TEXT);
    group.tick();
  }
  expect(group.leaders).toEqual(['a']);
  expect(group.node('a').applied).toHaveLength(201);
  return group;
}

describe('a follower that applies more slowly than the leader commits', () => {
  it('holds a bounded number of bytes in memory', () => {
    const { state } = withSlowApply().node('b');
    const bound = LIMITS.cacheBytesMax + LIMITS.uncommittedBytesMax + testConfig.appendBytesMax;
    expect(state.log.bytesInMemory).toBeLessThanOrEqual(bound);
    expect(state.log.lastIndex).toBeGreaterThan(5);
  });

  it('does not make the leader send without pause what it cannot take', () => {
    const group = withSlowApply();
    const before = group.sent.length;
    group.tick(10 * testConfig.heartbeatTicks);
    const toB = group.sent.slice(before).filter(({ to, type }) => to === 'b' && type === 'AppendEntries');
    expect(toB.length).toBeLessThanOrEqual(10 * (1 + testConfig.inflightMessagesMax));
  });

  it('gets the rest when it has caught up', () => {
    const group = withSlowApply();
    group.node('b').isApplySlow = false;
    group.tick(10 * testConfig.electionTimeoutTicks);
    expect(group.node('b').applied).toHaveLength(201);
    expect(group.leaders).toEqual(['a']);
  });

  it('takes what waits for its commit, however much that is', () => {
    const group = new TestGroup(['a', 'b', 'c'], {
      config: { ...LIMITS, uncommittedBytesMax: 100_000, inflightBytesMax: 100_000, inflightMessagesMax: 100 },
      configs: { b: { uncommittedBytesMax: 4096 } },
    });
    group.campaign('a');
    group.tick(testConfig.heartbeatTicks);
    group.crash('c');
    for (let i = 0; i < 40; i++) group.propose('a', TEXT);
    group.tick(1, (message) => message.type !== 'AppendEntriesResponse');
    expect(group.node('b').state.log.lastIndex).toBe(41);
    group.tick(testConfig.electionTimeoutTicks);
    expect(group.node('b').applied).toHaveLength(41);
  });
});
