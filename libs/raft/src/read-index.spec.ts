import type { AppendEntries } from './messages.js';
import { appendResponse, testConfig, TestGroup, type TestGroupOptions } from './testing/group.js';

const TIMEOUT = testConfig.electionTimeoutTicks;

const ledByA = (ids = 'abc', options: TestGroupOptions = {}) => {
  const group = new TestGroup([...ids], options);
  group.campaign('a');
  expect(group.node('a').state.hasCommittedInTerm).toBe(true);
  return group;
};

/** The rounds that leave with the next pump, one number per message. */
const roundsSent = (group: TestGroup) => {
  const before = group.sent.length;
  group.pump();
  return group.sent
    .slice(before)
    .filter((message): message is AppendEntries => message.type === 'AppendEntries')
    .map((message) => message.readContext);
};

describe('ReadIndex (dissertation 6.4)', () => {
  it('confirms a read at the commit index of its beginning, after one round and without the disk', () => {
    const group = ledByA();
    group.propose('a', 'x');
    group.stabilize();
    for (const id of 'abc') group.node(id).isDiskSlow = true;
    const read = group.read('a');
    group.pump();
    expect(group.outcomeOf(read)).toBe('pending');
    group.deliver();
    group.deliver();
    expect(group.node('a').confirmedReads).toEqual([{ context: read, index: 2 }]);
  });

  it('confirms nothing before a quorum has answered', () => {
    const group = ledByA('abcde');
    const read = group.read('a');
    group.pump();
    group.deliver((message) => message.to === 'b');
    group.deliver();
    expect(group.outcomeOf(read)).toBe('pending');
    group.tick(testConfig.heartbeatTicks);
    expect(group.outcomeOf(read)).toBe('confirmed');
  });

  it('needs no round in a cluster of one', () => {
    const group = ledByA('a');
    const read = group.read('a');
    group.pump();
    expect(group.outcomeOf(read)).toBe('confirmed');
  });

  it('needs a majority of both sides in a joint configuration, and no learner', () => {
    const group = new TestGroup([...'abcdex'], {
      configuration: { voters: ['a', 'd', 'e'], outgoingVoters: [], learners: ['b', 'c', 'x'] },
    });
    group.campaign('a');
    group.tick(3 * testConfig.heartbeatTicks);
    // They answer heartbeats, but the joint configuration is not committed, so it is not left.
    for (const id of ['d', 'e']) group.node(id).isDiskSlow = true;
    expect(group.node('a').raft.proposeChange({ promote: ['b', 'c'], remove: ['d', 'e'] }).accepted).toBe(true);
    group.stabilize();
    const read = group.read('a');
    group.pump();
    group.deliver((message) => 'bcx'.includes(message.to));
    group.deliver();
    expect(group.outcomeOf(read)).toBe('pending');
    group.tick(testConfig.heartbeatTicks);
    expect(group.outcomeOf(read)).toBe('confirmed');
  });

  it('lets all reads that wait share one round', () => {
    const group = ledByA();
    const first = group.read('a');
    group.pump();
    // One round is under way: these share the next.
    const others = [group.read('a'), group.read('a'), group.read('a')];
    const before = group.sent.length;
    group.stabilize();
    const rounds = new Set(
      group.sent.slice(before).flatMap((message) => (message.type === 'AppendEntries' ? [message.readContext] : [])),
    );
    expect([first, ...others].map((read) => group.outcomeOf(read))).toEqual(Array(4).fill('confirmed'));
    expect(rounds.size).toBe(1);
  });

  it('begins no round before an entry of its own term is committed', () => {
    const group = new TestGroup(['a', 'b', 'c'], {
      logs: { a: { terms: [1, 1] }, b: { terms: [1, 1] }, c: { terms: [1] } },
    });
    // The votes arrive, the entries do not.
    group.node('a').raft.campaign();
    group.stabilize((message) => message.type !== 'AppendEntries');
    expect(group.node('a').role).toBe('leader');
    const read = group.read('a');
    expect(roundsSent(group)).toEqual([]);
    group.tick(
      testConfig.heartbeatTicks,
      (message) => message.type !== 'AppendEntries' || message.entries.length === 0,
    );
    expect(group.outcomeOf(read)).toBe('pending');
    group.tick(testConfig.heartbeatTicks);
    expect(group.node('a').confirmedReads).toEqual([{ context: read, index: 3 }]);
  });

  it('never uses a number twice within a term, and no answer to an earlier round confirms a later one', () => {
    const group = ledByA();
    group.read('a');
    group.stabilize();
    const answered = group.sent.filter((message) => message.type === 'AppendEntriesResponse');
    const read = group.read('a');
    expect(roundsSent(group)).toEqual([2, 2]);
    // All answers that were ever given, again.
    for (const message of answered) group.hand(message);
    group.node('a').pump();
    expect(group.outcomeOf(read)).toBe('pending');
    group.stabilize();
    expect(group.outcomeOf(read)).toBe('confirmed');
  });

  it('is not confirmed by the same answer twice', () => {
    const group = ledByA('abcde');
    const read = group.read('a');
    group.pump();
    group.deliver((message) => message.to === 'b');
    const [answer] = group.on('AppendEntriesResponse');
    for (let i = 0; i < 3; i++) group.hand(answer!);
    group.node('a').pump();
    expect(group.outcomeOf(read)).toBe('pending');
  });

  it('is confirmed by a late answer to its own round, also after a later heartbeat', () => {
    const group = ledByA();
    const read = group.read('a');
    group.pump();
    group.deliver();
    const answers = group.network.splice(0);
    group.tick(1);
    for (const message of answers) group.hand(message);
    group.pump();
    expect(group.outcomeOf(read)).toBe('confirmed');
  });

  it('repeats a round that was lost with the next heartbeat', () => {
    const group = ledByA();
    const read = group.read('a');
    group.pump();
    group.network.length = 0;
    group.tick(testConfig.heartbeatTicks);
    expect(group.outcomeOf(read)).toBe('confirmed');
  });

  it('accepts the answer of a follower that refuses the entries: it still follows', () => {
    const group = new TestGroup(['a', 'b', 'c'], {
      logs: { a: { terms: [1, 1, 1] }, b: { terms: [] }, c: { terms: [1, 1, 1] } },
    });
    group.crash('b');
    group.campaign('a');
    group.crash('c');
    group.restart('b');
    const read = group.read('a');
    group.pump();
    group.deliver();
    expect(group.on('AppendEntriesResponse')).toMatchObject([{ from: 'b', success: false, readContext: 1 }]);
    group.deliver();
    expect(group.outcomeOf(read)).toBe('confirmed');
  });

  it('stops a leader that is answered a round which it never began', () => {
    const group = ledByA();
    expect(() => group.node('a').raft.step(appendResponse({ readContext: 7 }))).toThrow(/round 7/);
  });

  it('rejects reads at once where there is no leader', () => {
    const group = new TestGroup(['a', 'b', 'c']);
    const read = group.read('b');
    group.pump();
    expect(group.outcomeOf(read)).toBe('not_leader');
  });

  it('rejects reads above the limit, and those alone', () => {
    const group = ledByA('abc', { config: { pendingReadsMax: 2 } });
    const reads = [group.read('a'), group.read('a'), group.read('a')];
    group.pump();
    expect(reads.map((read) => group.outcomeOf(read))).toEqual(['pending', 'pending', 'read_limit']);
    const late = group.read('a');
    group.stabilize();
    expect([...reads, late].map((read) => group.outcomeOf(read))).toEqual([
      'confirmed',
      'confirmed',
      'read_limit',
      'read_limit',
    ]);
    const next = group.read('a');
    group.stabilize();
    expect(group.outcomeOf(next)).toBe('confirmed');
  });

  it('rejects every read that waits, in a round or for one, when the leadership is lost', () => {
    const group = ledByA();
    group.isolate('a');
    const first = group.read('a');
    group.pump();
    const second = group.read('a');
    expect(group.node('a').raft.status().pendingReads).toBe(2);
    group.tick(3 * TIMEOUT);
    expect([first, second].map((read) => group.outcomeOf(read))).toEqual(['leadership_lost', 'leadership_lost']);
    expect(group.node('a').raft.status().pendingReads).toBe(0);
  });

  it('does not confirm on a deposed leader that does not know it yet', () => {
    const group = ledByA('abc', { config: { checkQuorum: false } });
    // It has answered rounds before it was cut off: they must not help.
    group.read('a');
    group.stabilize();
    group.isolate('a');
    group.tickUntil(() => group.leader?.id !== 'a');
    const [successor] = group.leaders.filter((id) => id !== 'a');
    group.propose(successor!, 'news');
    group.stabilize();
    const reads = [group.read('a'), group.read('a')];
    group.tick(5 * TIMEOUT);
    expect(group.node('a').role).toBe('leader');
    expect(reads.map((read) => group.outcomeOf(read))).toEqual(['pending', 'pending']);
    group.heal();
    group.tick(testConfig.heartbeatTicks);
    expect(reads.map((read) => group.outcomeOf(read))).toEqual(['leadership_lost', 'leadership_lost']);
  });

  it('begins to count anew in a new term: an answer of the old one is worth nothing', () => {
    const group = ledByA();
    group.read('a');
    group.stabilize();
    const old = group.sent.filter((message) => message.type === 'AppendEntriesResponse');
    group.isolate('a');
    group.tickUntil(() => group.leader !== undefined && group.leader.id !== 'a');
    group.heal();
    group.tick(testConfig.heartbeatTicks);
    group.crash(group.leader!.id);
    group.tickUntil(() => group.leaders.length === 1);
    const leader = group.leader!;
    const read = group.read(leader.id);
    expect(new Set(roundsSent(group))).toEqual(new Set([1]));
    for (const message of old)
      group.hand({ ...message, to: leader.id, from: [...'abc'].find((id) => id !== leader.id)! });
    leader.pump();
    expect(group.outcomeOf(read)).toBe('pending');
    group.stabilize();
    expect(group.outcomeOf(read)).toBe('confirmed');
  });
});
