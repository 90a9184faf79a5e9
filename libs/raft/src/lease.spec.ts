import { simpleConfiguration } from './configuration.js';
import { appendEntries, requestVote, testConfig, TestGroup, type TestGroupOptions } from './testing/group.js';

const TIMEOUT = testConfig.electionTimeoutTicks;
const LEASE = 6;
const withLeases = { leaseTicks: LEASE };

const ledByA = (ids = 'abc', options: TestGroupOptions = {}) => {
  const group = new TestGroup([...ids], { ...options, config: { ...withLeases, ...options.config } });
  group.campaign('a');
  group.tick(testConfig.heartbeatTicks);
  return group;
};

const outcome = (group: TestGroup, id = 'a') => {
  const read = group.read(id, 'lease');
  group.node(id).pump();
  return group.outcomeOf(read);
};

describe('lease reads (dissertation 6.4.1)', () => {
  it('are confirmed at once after a heartbeat that a quorum has answered', () => {
    const group = ledByA();
    expect(outcome(group)).toBe('confirmed');
    expect(group.network).toEqual([]);
  });

  it('need a round, like any read, where leases or check-quorum are off', () => {
    for (const config of [{ leaseTicks: 0 }, { checkQuorum: false }]) {
      const group = ledByA('abc', { config });
      const read = group.read('a', 'lease');
      group.node('a').pump();
      expect(group.outcomeOf(read)).toBe('pending');
      group.stabilize();
      expect(group.outcomeOf(read)).toBe('confirmed');
    }
  });

  it('last for so many ticks from the sending', () => {
    const group = ledByA();
    const { raft } = group.node('a');
    group.isolate('a');
    for (let tick = 1; tick < LEASE; tick++) {
      raft.tick();
      expect(outcome(group)).toBe('confirmed');
    }
    raft.tick();
    expect(outcome(group)).toBe('pending');
  });

  it.each([LEASE, LEASE - 1])('are not begun by answers that come %i ticks late', (leaseTicks) => {
    const group = ledByA('abc', { config: { leaseTicks } });
    const sentAt = group.node('a').state.now + 2;
    group.tick(2, (message) => message.type !== 'AppendEntriesResponse');
    const answers = group.sent.filter((message) => message.type === 'AppendEntriesResponse').slice(-2);
    group.isolate('a');
    while (group.node('a').state.now < sentAt + leaseTicks) group.node('a').raft.tick();
    group.heal();
    for (const answer of answers) group.hand(answer);
    expect(outcome(group)).toBe('pending');
  });

  it('are not served before an entry of the term is committed', () => {
    const group = new TestGroup(['a', 'b', 'c'], { config: withLeases });
    group.node('a').raft.campaign();
    group.stabilize((message) => message.type !== 'AppendEntries' || message.entries.length === 0);
    group.tick(2, (message) => message.type !== 'AppendEntries' || message.entries.length === 0);
    expect(group.node('a').role).toBe('leader');
    expect(outcome(group)).toBe('pending');
  });

  it('need a majority of both sides in a joint configuration', () => {
    const group = new TestGroup([...'abcde'], {
      config: withLeases,
      configuration: { voters: ['a', 'b', 'c'], outgoingVoters: ['a', 'd', 'e'], learners: [] },
    });
    group.node('a').raft.campaign();
    const noConfiguration = (message: { type: string; to: string }) =>
      message.type !== 'AppendEntries' || 'bc'.includes(message.to);
    group.stabilize(noConfiguration);
    group.tick(2, noConfiguration);
    expect(outcome(group)).toBe('pending');
  });

  it('end with the request to a successor to campaign', () => {
    const group = ledByA();
    group.node('a').raft.transferLeadership('b');
    expect(group.node('a').state.timeoutNowSent).toBe(true);
    expect(outcome(group)).toBe('pending');
  });

  it('end with the leadership', () => {
    const group = ledByA();
    group.node('a').raft.step(appendEntries({ from: 'b', term: 9 }));
    expect(outcome(group)).not.toBe('confirmed');
  });

  it('are refused as an option that outlasts an election timeout', () => {
    for (const leaseTicks of [TIMEOUT, -1, 0.5, NaN])
      expect(() => new TestGroup(['a'], { config: { leaseTicks } })).toThrow(RangeError);
  });
});

describe('a voter on which a lease may count', () => {
  const voter = (options: TestGroupOptions = {}) => {
    const group = new TestGroup(['a', 'b', 'c'], {
      config: withLeases,
      logs: { a: { terms: [1], currentTerm: 1 } },
      ...options,
    });
    return { group, raft: group.node('a').raft, state: group.node('a').state };
  };
  const ask = { from: 'c', term: 2, lastLogIndex: 1, lastLogTerm: 1 };

  it('neither votes nor campaigns for an election timeout after its start', () => {
    const { raft, state } = voter();
    for (let tick = 0; tick < TIMEOUT; tick++) {
      raft.step(requestVote(ask));
      raft.step(requestVote({ ...ask, preVote: true }));
      raft.step(requestVote({ ...ask, term: 1 }));
      raft.campaign();
      expect([state.currentTerm, state.votedFor, state.role]).toEqual([1, undefined, 'follower']);
      raft.tick();
    }
    raft.step(requestVote(ask));
    expect([state.currentTerm, state.votedFor]).toEqual([2, 'c']);
  });

  it('does not either after it has heard a leader, whatever has raised its term since', () => {
    const { raft, state } = voter();
    for (let tick = 0; tick < TIMEOUT; tick++) raft.tick();
    raft.step(appendEntries({ from: 'b', term: 1 }));
    // An old answer of someone with a later term: the leader is forgotten, what it may count on is not.
    raft.step({ type: 'RequestVoteResponse', from: 'c', to: 'a', term: 5, voteGranted: false, preVote: true });
    expect([state.currentTerm, state.leaderId]).toEqual([5, undefined]);
    raft.step(requestVote({ ...ask, term: 5 }));
    raft.step(requestVote({ ...ask, term: 6 }));
    expect([state.currentTerm, state.votedFor]).toEqual([5, undefined]);
    raft.tick();
    raft.reportDisconnected('b');
    raft.campaign();
    expect(state.role).toBe('follower');
  });

  it('waits no less for a leader whose connection has broken', () => {
    const { raft, state } = voter();
    for (let tick = 0; tick < TIMEOUT; tick++) raft.tick();
    raft.step(appendEntries({ from: 'b', term: 1 }));
    raft.reportDisconnected('b');
    for (let tick = 0; tick < TIMEOUT - 1; tick++) raft.tick();
    expect(state.role).toBe('follower');
  });

  it('votes in a campaign that its leader has asked for', () => {
    const { raft, state } = voter();
    raft.step(requestVote({ ...ask, isTransfer: true }));
    expect(state.votedFor).toBe('c');
  });

  it('does not wait where it always was alone, nor without leases', () => {
    const alone = new TestGroup(['a'], { config: withLeases, logs: { a: { terms: [1] } } });
    alone.campaign('a');
    expect(alone.leaders).toEqual(['a']);
    const { raft, state } = voter({ config: { leaseTicks: 0 }, configuration: simpleConfiguration(['a', 'b', 'c']) });
    raft.step(requestVote(ask));
    expect(state.votedFor).toBe('c');
  });
});
