import { testConfig, TestGroup } from './testing/group.js';

const TIMEOUT = testConfig.electionTimeoutTicks;
const HEARTBEAT = testConfig.heartbeatTicks;

const ledByA = () => {
  const group = new TestGroup(['a', 'b', 'c']);
  group.campaign('a');
  group.tick(HEARTBEAT);
  return group;
};

describe('a node that had better not lead', () => {
  it('leaves the campaign to the others', () => {
    const group = ledByA();
    group.node('b').raft.setCandidacy('reluctant');
    group.cut('a', 'b');
    group.cut('a', 'c');
    group.tick(3 * TIMEOUT);
    expect(group.node('c').raft.isLeader).toBe(true);
    expect(group.sent.some(({ type, from }) => type === 'RequestVote' && from === 'b')).toBe(false);
  });

  it('campaigns when nobody else does', () => {
    const group = ledByA();
    group.node('a').raft.setCandidacy('reluctant');
    group.node('b').raft.setCandidacy('reluctant');
    group.node('c').raft.setCandidacy('reluctant');
    group.cut('a', 'b');
    group.cut('a', 'c');
    group.tick(4 * TIMEOUT);
    expect(group.sent.some(({ type }) => type === 'RequestVote')).toBe(true);
    expect(group.node('b').raft.isLeader || group.node('c').raft.isLeader).toBe(false);
    group.tick(3 * TIMEOUT);
    expect(group.node('b').raft.isLeader || group.node('c').raft.isLeader).toBe(true);
  });

  it('does not take over when it is asked to, and the leader goes on', () => {
    const group = ledByA();
    group.node('b').raft.setCandidacy('reluctant');
    expect(group.node('a').raft.transferLeadership('b')).toBeUndefined();
    group.tick(TIMEOUT);
    expect(group.leaders).toEqual(['a']);
    expect(group.propose('a', 'x').accepted).toBe(true);
  });

  it('remains leader while it is reluctant', () => {
    const group = ledByA();
    group.node('a').raft.setCandidacy('reluctant');
    group.tick(10 * TIMEOUT);
    expect(group.leaders).toEqual(['a']);
  });
});

describe('a node that must not lead', () => {
  it('hands over when it leads', () => {
    const group = ledByA();
    group.node('a').raft.setCandidacy('never');
    group.stabilize();
    expect(group.leaders).toHaveLength(1);
    expect(group.leaders).not.toContain('a');
  });

  it('steps down when nobody takes over', () => {
    const group = ledByA();
    group.node('a').raft.setCandidacy('never');
    group.tick(TIMEOUT, ({ type }) => type !== 'TimeoutNow' && type !== 'RequestVote');
    expect(group.leaders).toEqual([]);
    group.tick(3 * TIMEOUT);
    expect(group.leaders).toHaveLength(1);
    expect(group.leaders).not.toContain('a');
  });

  it('steps down at once when nobody is within reach', () => {
    const group = new TestGroup(['a']);
    group.campaign('a');
    group.node('a').raft.setCandidacy('never');
    expect(group.leaders).toEqual([]);
    group.tick(20 * TIMEOUT);
    expect(group.leaders).toEqual([]);
    group.node('a').raft.setCandidacy('ready');
    group.tick(2 * TIMEOUT);
    expect(group.leaders).toEqual(['a']);
  });

  it('votes and stores entries all the same', () => {
    const group = ledByA();
    group.node('b').raft.setCandidacy('never');
    group.cut('a', 'b');
    group.cut('a', 'c');
    group.tick(3 * TIMEOUT);
    expect(group.node('c').raft.isLeader).toBe(true);
    group.propose('c', 'x');
    group.stabilize();
    expect(group.node('b').log.at(-1)).toContain('x');
  });

  it('ends its own campaign', () => {
    const group = new TestGroup(['a', 'b', 'c']);
    group.node('a').raft.campaign();
    expect(group.node('a').raft.status().role).toBe('preCandidate');
    group.node('a').raft.setCandidacy('never');
    expect(group.node('a').raft.status()).toMatchObject({ role: 'follower', candidacy: 'never' });
  });
});

describe('the successor', () => {
  it('is the voter within reach that has most of the log', () => {
    const group = ledByA();
    group.cut('a', 'c');
    group.propose('a', 'x');
    group.stabilize();
    expect(group.node('a').raft.successor()).toBe('b');
    expect(group.node('a').raft.successor(['b'])).toBe('c');
    expect(group.node('a').raft.successor(['b', 'c'])).toBeUndefined();
    expect(group.node('b').raft.successor()).toBeUndefined();
  });
});
