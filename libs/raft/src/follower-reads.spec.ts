import type { ReadIndexRequest, ReadIndexResponse } from './messages.js';
import { testConfig, TestGroup, type TestGroupOptions } from './testing/group.js';

const TIMEOUT = testConfig.electionTimeoutTicks;

const ledByA = (ids = 'abc', options: TestGroupOptions = {}) => {
  const group = new TestGroup([...ids], options);
  group.campaign('a');
  group.tick(testConfig.heartbeatTicks);
  return group;
};

const requests = (group: TestGroup) =>
  group.sent.filter((message): message is ReadIndexRequest => message.type === 'ReadIndexRequest');
const responses = (group: TestGroup) =>
  group.sent.filter((message): message is ReadIndexResponse => message.type === 'ReadIndexResponse');

describe('reads on a node that does not lead (dissertation 6.4)', () => {
  it('are confirmed at the commit index of the leader, which may be ahead of its own', () => {
    const group = ledByA();
    group.cut('a', 'b');
    group.propose('a', 'news');
    group.stabilize();
    group.heal();
    const read = group.read('b');
    group.stabilize();
    expect(group.outcomeOf(read)).toBe('confirmed');
    expect(group.node('b').confirmedReads).toEqual([{ context: read, index: 2 }]);
  });

  it('share a request, one at a time', () => {
    const group = ledByA();
    const reads = [group.read('b'), group.read('b')];
    group.pump();
    reads.push(group.read('b'), group.read('b'));
    group.pump();
    expect(requests(group)).toHaveLength(1);
    group.stabilize();
    expect(requests(group)).toHaveLength(2);
    expect(reads.map((read) => group.outcomeOf(read))).toEqual(Array(4).fill('confirmed'));
  });

  it('need a round at the leader that begins after the request', () => {
    const group = ledByA();
    const read = group.read('b');
    group.pump();
    group.deliver();
    expect(responses(group)).toEqual([]);
    group.stabilize((message) => message.type !== 'AppendEntriesResponse');
    expect(group.outcomeOf(read)).toBe('pending');
    group.tick(testConfig.heartbeatTicks);
    expect(group.outcomeOf(read)).toBe('confirmed');
  });

  it('are served to a learner', () => {
    const group = ledByA('abx', { configuration: { voters: ['a', 'b'], outgoingVoters: [], learners: ['x'] } });
    const read = group.read('x');
    group.stabilize();
    expect(group.outcomeOf(read)).toBe('confirmed');
  });

  it('end as unanswered when the request is lost, and those behind them soon after', () => {
    const group = ledByA();
    group.node('b').isDiskSlow = false;
    const lose = (message: { type: string }) => message.type !== 'ReadIndexRequest';
    const first = group.read('b');
    group.pump();
    const second = group.read('b');
    group.tick(TIMEOUT, lose);
    expect([first, second].map((read) => group.outcomeOf(read))).toEqual(['unanswered', 'pending']);
    group.tick(TIMEOUT, lose);
    expect(group.outcomeOf(second)).toBe('unanswered');
    expect(group.node('b').raft.status().pendingReads).toBe(0);
  });

  it('are not confirmed by an answer to an earlier request, nor by one of somebody else', () => {
    const group = ledByA();
    group.read('b');
    group.stabilize();
    const [old] = responses(group);
    const read = group.read('b');
    group.pump();
    const { requestId } = requests(group).at(-1)!;
    group.hand(old!);
    group.hand({ ...old!, requestId, from: 'c' });
    group.node('b').pump();
    expect(group.outcomeOf(read)).toBe('pending');
    group.stabilize();
    for (const response of responses(group)) group.hand(response);
    group.pump();
    expect(group.outcomeOf(read)).toBe('confirmed');
  });

  it('never use a number twice, restarts included', () => {
    const group = ledByA();
    for (let life = 0; life < 3; life++) {
      for (let i = 0; i < 3; i++) {
        group.read('b');
        group.stabilize();
      }
      group.crash('b');
      group.restart('b');
      group.tick(testConfig.heartbeatTicks);
    }
    const numbers = requests(group).map(({ requestId }) => requestId);
    expect(numbers).toHaveLength(9);
    expect(new Set(numbers).size).toBe(9);
    expect(numbers.every(Number.isSafeInteger)).toBe(true);
  });

  it('are lost with the leader, sent or not', () => {
    const group = ledByA();
    group.isolate('a');
    const reads = [group.read('b')];
    group.pump();
    reads.push(group.read('b'));
    group.node('b').raft.reportDisconnected('a');
    group.pump();
    expect(reads.map((read) => group.outcomeOf(read))).toEqual(['leadership_lost', 'leadership_lost']);
  });

  it('are refused by a node that does not lead, and told so when it loses the leadership', () => {
    const group = ledByA();
    const request: ReadIndexRequest = { type: 'ReadIndexRequest', from: 'c', to: 'b', term: 1, requestId: 7 };
    group.hand(request);
    group.hand({ ...request, from: 'stranger', to: 'a' });
    group.pump();
    expect(responses(group)).toMatchObject([
      { from: 'a', to: 'stranger', rejection: 'not_leader' },
      { from: 'b', to: 'c', requestId: 7, rejection: 'not_leader' },
    ]);
    group.network.length = 0;
    group.isolate('a');
    group.hand({ ...request, to: 'a' });
    group.heal('c', 'a');
    group.hand({ ...request, to: 'a' });
    group.node('a').raft.takeReady();
    for (let tick = 0; tick < 2 * TIMEOUT; tick++) group.node('a').raft.tick();
    const told = group
      .node('a')
      .raft.takeReady()
      .messages.filter(({ type }) => type === 'ReadIndexResponse');
    expect(told).toMatchObject([{ to: 'c', requestId: 7, rejection: 'leadership_lost' }]);
  });

  it('count against the bound of the leader and of the follower', () => {
    const group = ledByA('abc', { config: { pendingReadsMax: 1 } });
    const own = [group.read('b'), group.read('b')];
    group.node('b').pump();
    expect(own.map((read) => group.outcomeOf(read))).toEqual(['pending', 'read_limit']);
    group.read('a');
    group.node('a').pump();
    group.deliver((message) => message.type === 'ReadIndexRequest');
    group.stabilize();
    expect(group.outcomeOf(own[0]!)).toBe('read_limit');
  });
});
