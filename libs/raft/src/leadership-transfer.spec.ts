import type { Message, TimeoutNow } from './messages.js';
import { appendEntries, testConfig, TestGroup, type TestGroupOptions } from './testing/group.js';

const TIMEOUT = testConfig.electionTimeoutTicks;
const HEARTBEAT = testConfig.heartbeatTicks;

const ledByA = (options: TestGroupOptions = {}) => {
  const group = new TestGroup(['a', 'b', 'c'], options);
  group.campaign('a');
  group.tick(HEARTBEAT);
  return group;
};

const transfer = (group: TestGroup, to: string) => group.node('a').raft.transferLeadership(to);

const timeoutNow = (fields: Partial<TimeoutNow>): TimeoutNow => ({
  type: 'TimeoutNow',
  from: 'a',
  to: 'b',
  term: 1,
  lastLogIndex: 1,
  lastLogTerm: 1,
  ...fields,
});

const termOf = (group: TestGroup, id: string) => group.node(id).state.currentTerm;

describe('a transfer of leadership (dissertation 3.10)', () => {
  it.each([[{ preVote: true, checkQuorum: true }], [{ preVote: false, checkQuorum: false }]])(
    'needs no timeout and one campaign, with %j',
    (config) => {
      const group = ledByA({ config });
      expect(transfer(group, 'c')).toBeUndefined();
      group.stabilize();
      expect(group.leaders).toEqual(['c']);
      expect(termOf(group, 'c')).toBe(2);
      expect(group.sent.filter((message) => message.type === 'RequestVote' && message.term === 2)).toEqual(
        ['a', 'b'].map((to) => expect.objectContaining({ from: 'c', to, preVote: false, isTransfer: true }) as unknown),
      );
    },
  );

  it('brings the successor up to date first, and takes no proposals meanwhile', () => {
    const group = ledByA();
    group.cut('a', 'c');
    group.propose('a', 'x');
    group.stabilize();
    expect(transfer(group, 'c')).toBeUndefined();
    expect(group.propose('a', 'y')).toEqual({ accepted: false, reason: 'leadership_transfer' });
    expect(group.node('a').raft.proposeChange({ remove: ['b'] })).toMatchObject({ reason: 'leadership_transfer' });
    group.stabilize();
    expect(group.sent.some(({ type }) => type === 'TimeoutNow')).toBe(false);
    expect(group.node('a').raft.status().transferTo).toBe('c');
    group.heal();
    group.tick(2 * HEARTBEAT);
    expect(group.leaders).toEqual(['c']);
    expect(group.leader!.log).toContain('1:x');
    expect(group.node('a').raft.status().transferTo).toBeUndefined();
  });

  it('is taken back after an election timeout; the message is sent once', () => {
    const group = ledByA();
    expect(transfer(group, 'c')).toBeUndefined();
    group.tick(TIMEOUT - 1, ({ type }) => type !== 'TimeoutNow');
    expect(group.propose('a', 'x')).toEqual({ accepted: false, reason: 'leadership_transfer' });
    group.tick(1);
    expect(group.propose('a', 'x').accepted).toBe(true);
    expect(group.leaders).toEqual(['a']);
    expect(group.sent.filter(({ type }) => type === 'TimeoutNow')).toHaveLength(1);
    expect(transfer(group, 'b')).toBeUndefined();
    group.tick(1);
    expect(group.leaders).toEqual(['b']);
  });

  it('is remembered for the rest of the term, also after it was taken back: no lease holds any more', () => {
    const group = ledByA();
    expect(group.node('a').state.timeoutNowSent).toBe(false);
    transfer(group, 'c');
    group.tick(TIMEOUT, ({ type }) => type !== 'TimeoutNow');
    expect(group.node('a').state.transfer).toBeUndefined();
    expect(group.node('a').state.timeoutNowSent).toBe(true);
    transfer(group, 'b');
    group.stabilize();
    group.node('b').raft.transferLeadership('a');
    group.stabilize();
    expect(group.leaders).toEqual(['a']);
    expect(group.node('a').state.timeoutNowSent).toBe(false);
  });

  it('is refused where it makes no sense, and changes nothing then', () => {
    const group = ledByA();
    group.add('x');
    group.node('a').raft.proposeChange({ addLearners: ['x'] });
    group.tick(2 * HEARTBEAT);
    expect(group.node('b').raft.transferLeadership('c')).toBe('not_leader');
    expect(transfer(group, 'a')).toBe('already_leader');
    expect(transfer(group, 'x')).toBe('not_a_voter');
    expect(transfer(group, 'z')).toBe('not_a_voter');
    group.crash('c');
    group.tick(TIMEOUT);
    expect(transfer(group, 'c')).toBe('unreachable');
    expect(group.propose('a', 'still').accepted).toBe(true);
    expect(transfer(group, 'b')).toBeUndefined();
    expect(transfer(group, 'b')).toBe('transfer_in_progress');
  });

  it('does not go to a voter that is on its way out', () => {
    const group = ledByA();
    for (const id of ['b', 'c']) group.node(id).isDiskSlow = true;
    group.node('a').raft.proposeChange({ remove: ['b', 'c'] });
    expect(transfer(group, 'b')).toBe('not_a_voter');
  });

  it('ends with the leadership', () => {
    const group = ledByA();
    group.isolate('a');
    transfer(group, 'c');
    group.tick(1);
    group.tickUntil(() => group.node('a').role === 'follower', 2 * TIMEOUT);
    expect(group.node('a').state.transfer).toBeUndefined();
  });

  it('fails when another voter knows more, and the cluster goes on', () => {
    const group = ledByA();
    transfer(group, 'c');
    group.pump();
    // The successor crashes before it is told.
    group.crash('c');
    group.stabilize();
    group.tick(2 * TIMEOUT);
    expect(group.leaders).toEqual(['a']);
    expect(group.propose('a', 'x').accepted).toBe(true);
  });
});

describe('TimeoutNow', () => {
  const campaigns = (group: TestGroup, message: TimeoutNow) => {
    const before = termOf(group, 'b');
    group.node('b').raft.step(message);
    return termOf(group, 'b') > before || group.node('b').role !== 'follower';
  };

  it('starts a campaign at once', () => {
    const group = ledByA();
    expect(campaigns(group, timeoutNow({}))).toBe(true);
    expect(group.node('b').role).toBe('candidate');
  });

  it.each<[string, Partial<TimeoutNow>]>([
    ['of an earlier end of the log', { lastLogIndex: 1 }],
    ['of a later end of the log', { lastLogIndex: 3, lastLogTerm: 1 }],
    ['of somebody who does not lead', { from: 'c', lastLogIndex: 2 }],
  ])('%s is ignored', (_, fields) => {
    const group = ledByA();
    group.propose('a', 'x');
    group.tick(HEARTBEAT);
    expect(campaigns(group, timeoutNow({ ...fields }))).toBe(false);
    expect(campaigns(group, timeoutNow({ lastLogIndex: 2 }))).toBe(true);
  });

  it('that speaks of another entry at the end of the log is ignored', () => {
    const group = new TestGroup(['a', 'b', 'c'], { logs: { b: { terms: [1, 1] } } });
    const { raft, state } = group.node('b');
    raft.step(appendEntries({ from: 'a', to: 'b', term: 2 }));
    expect(state.leaderId).toBe('a');
    expect(campaigns(group, timeoutNow({ term: 2, lastLogIndex: 2, lastLogTerm: 2 }))).toBe(false);
    expect(campaigns(group, timeoutNow({ term: 2, lastLogIndex: 2, lastLogTerm: 1 }))).toBe(true);
  });

  it('of an earlier term is ignored, though the log has not grown since', () => {
    const group = ledByA();
    transfer(group, 'b');
    group.tick(1, ({ type }) => type !== 'TimeoutNow');
    const late = group.sent.find((message): message is TimeoutNow => message.type === 'TimeoutNow')!;
    group.tick(TIMEOUT);
    group.node('a').raft.transferLeadership('c');
    group.tick(HEARTBEAT);
    expect(group.leaders).toEqual(['c']);
    group.node('b').raft.step(late);
    group.tick(2 * TIMEOUT);
    expect(group.leaders).toEqual(['c']);
    expect(termOf(group, 'c')).toBe(2);
  });

  it('that comes twice leads to one campaign', () => {
    const group = ledByA();
    transfer(group, 'b');
    group.stabilize();
    const told = group.sent.find((message): message is TimeoutNow => message.type === 'TimeoutNow')!;
    expect(group.leaders).toEqual(['b']);
    group.node('b').raft.step(told);
    group.tick(2 * TIMEOUT);
    expect(group.leaders).toEqual(['b']);
    expect(termOf(group, 'b')).toBe(2);
  });

  it('does not make a learner campaign', () => {
    const group = ledByA({ configuration: { voters: ['a', 'c'], outgoingVoters: [], learners: ['b'] } });
    expect(campaigns(group, timeoutNow({}))).toBe(false);
  });

  it('that fails is followed by an ordinary campaign, which followers of a leader ignore', () => {
    const group = ledByA();
    group.node('b').raft.step(timeoutNow({}));
    const deliver = (message: Message) => message.from !== 'b';
    group.tick(3 * TIMEOUT, deliver);
    const asked = group.sent.filter((message) => message.type === 'RequestVote' && message.from === 'b');
    expect(asked.length).toBeGreaterThan(2);
    expect(asked.map((message) => message.type === 'RequestVote' && message.isTransfer)).toEqual(
      asked.map((_, i) => i < 2),
    );
  });
});
