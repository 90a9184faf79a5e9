import { TestGroup, testConfig } from './testing/group.js';

const { heartbeatTicks: HEARTBEAT, electionTimeoutTicks: TIMEOUT } = testConfig;

function ledByA(): TestGroup {
  // A full window would bring heartbeats, too.
  const group = new TestGroup(['a', 'b', 'c'], { config: { inflightMessagesMax: 1_000, inflightBytesMax: 1_000_000 } });
  group.campaign('a');
  group.tick(2 * HEARTBEAT);
  expect(group.leaders).toEqual(['a']);
  return group;
}

/** Whether each AppendEntries that left for b since `begin` was a heartbeat. */
const toB = (group: TestGroup, begin: number) =>
  group.sent
    .slice(begin)
    .flatMap((message) =>
      message.type === 'AppendEntries' && message.to === 'b' ? [message.entries.length === 0] : [],
    );

describe('heartbeats', () => {
  it('come at their interval while there is nothing else to send', () => {
    const group = ledByA();
    const begin = group.sent.length;
    group.tick(10 * HEARTBEAT);
    expect(toB(group, begin)).toEqual(Array(10).fill(true));
  });

  it('are spared while entries do what they would', () => {
    const group = ledByA();
    const begin = group.sent.length;
    for (let i = 0; i < 10 * HEARTBEAT; i++) {
      group.propose('a', 'x');
      group.tick();
    }
    expect(toB(group, begin)).toEqual(Array(10 * HEARTBEAT).fill(false));
    const end = group.sent.length;
    group.tick(HEARTBEAT);
    expect(toB(group, end)).toEqual([true]);
    expect(group.node('b').state.commitIndex).toBe(group.node('a').state.commitIndex);
  });

  it('are not spared where the answers to entries wait for a slow disk: the leader would lose its quorum', () => {
    const group = ledByA();
    for (const id of ['b', 'c']) group.node(id).isDiskSlow = true;
    for (let i = 0; i < 5 * TIMEOUT; i++) {
      group.propose('a', 'x');
      group.tick();
    }
    expect(group.leaders).toEqual(['a']);
    expect(group.node('a').state.currentTerm).toBe(1);
  });

  it('go to each follower on its own account', () => {
    const group = ledByA();
    group.cut('a', 'c');
    const begin = group.sent.length;
    for (let i = 0; i < 3 * HEARTBEAT; i++) {
      group.propose('a', 'x');
      group.tick();
    }
    expect(toB(group, begin)).not.toContain(true);
    const toC = group.sent.slice(begin).filter(({ type, to }) => type === 'AppendEntries' && to === 'c');
    expect(toC.some((message) => message.type === 'AppendEntries' && message.entries.length === 0)).toBe(true);
  });
});
