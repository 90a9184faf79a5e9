import { EntryType } from './entry.js';
import { InvariantViolationError } from './errors.js';
import type { Message } from './messages.js';
import {
  appendEntries,
  bytes,
  logOf,
  requestVote,
  testConfig,
  TestGroup,
  voteResponse,
  type TestGroupOptions,
} from './testing/group.js';

const TIMEOUT = testConfig.electionTimeoutTicks;

const trio = (options: TestGroupOptions = {}) => new TestGroup(['a', 'b', 'c'], options);

/** Three nodes of which `a` leads, and everybody knows. */
const ledByA = (options: TestGroupOptions = {}) => {
  const group = trio(options);
  group.campaign('a');
  group.tick(testConfig.heartbeatTicks);
  expect(group.leaders).toEqual(['a']);
  return group;
};

const termOf = (group: TestGroup, id: string) => group.node(id).state.currentTerm;

/** What `a` answers to a message at once. */
const answersOf = (group: TestGroup, message: Message) => {
  group.pump();
  group.network.length = 0;
  group.node('a').raft.step(message);
  group.pump();
  return [...group.network];
};

describe('the election timer', () => {
  it('lasts between one and two election timeouts, drawn anew each time', () => {
    const waits = new Set<number>();
    const group = trio();
    group.isolate('a');
    for (let i = 0; i < 200; i++) {
      const before = group.sent.length;
      let ticks = 0;
      while (!group.sent.slice(before).some((message) => message.from === 'a')) {
        group.node('a').raft.tick();
        group.stabilize();
        ticks++;
      }
      waits.add(ticks);
    }
    expect(Math.min(...waits)).toBe(TIMEOUT);
    expect(Math.max(...waits)).toBe(2 * TIMEOUT);
    expect(waits.size).toBe(TIMEOUT + 1);
  });

  it('is not the same on all nodes: each draws from a stream of its own', () => {
    // Equal streams split every vote; independent ones soon have a winner, whatever the seed.
    for (let seed = 1; seed <= 50; seed++) {
      const group = trio({ seed, config: { preVote: false } });
      group.tickUntil(() => group.leaders.length === 1, 10 * TIMEOUT);
    }
  });

  it('never makes a learner campaign', () => {
    const group = trio({ configuration: { voters: ['b', 'c'], outgoingVoters: [], learners: ['a'] } });
    group.isolate('a');
    group.tick(5 * TIMEOUT, () => false);
    group.campaign('a');
    expect(group.sent.filter((message) => message.from === 'a')).toEqual([]);
  });

  it('never makes a node campaign that is not a member', () => {
    const group = trio({ configuration: { voters: ['b', 'c'], outgoingVoters: [], learners: [] } });
    group.tick(5 * TIMEOUT);
    expect(group.sent.filter((message) => message.from === 'a' && message.type === 'RequestVote')).toEqual([]);
    expect(['b', 'c']).toContain(group.leaders[0]);
  });
});

describe('votes and the disk', () => {
  it('does not let a vote leave before it is synced', () => {
    const group = trio({ config: { preVote: false } });
    group.node('b').isDiskSlow = true;
    group.node('a').raft.campaign();
    group.pump();
    group.deliver();
    expect(group.on('RequestVoteResponse').map((message) => message.from)).toEqual(['c']);
    group.node('b').completePersist();
    expect(group.node('b').disk.hardState).toMatchObject({ currentTerm: 1, votedFor: 'a' });
    expect(group.on('RequestVoteResponse').map((message) => message.from)).toEqual(['c', 'b']);
  });

  it('does not let a vote leave with a batch that was written before it was given', () => {
    const group = trio({ config: { checkQuorum: false } });
    const b = group.node('b');
    b.isDiskSlow = true;
    // b is busy writing a term without a vote when it is asked for one.
    b.raft.step(appendEntries({ from: 'c', to: 'b', term: 1, entries: logOf([1]) }));
    group.pump();
    b.raft.step(requestVote({ from: 'a', to: 'b', term: 2, lastLogIndex: 1, lastLogTerm: 1 }));
    group.pump();
    b.completePersist();
    expect(group.on('RequestVoteResponse')).toEqual([]);
    group.pump();
    b.completePersist();
    expect(group.on('RequestVoteResponse')).toMatchObject([{ to: 'a', term: 2, voteGranted: true }]);
  });

  it('asks for votes only once the own vote is synced', () => {
    const group = trio();
    group.node('a').isDiskSlow = true;
    group.campaign('a');
    expect(group.node('a').role).toBe('candidate');
    expect(group.sent.filter((message) => message.type === 'RequestVote' && !message.preVote)).toEqual([]);
    group.node('a').completePersist();
    expect(group.on('RequestVote')).toHaveLength(2);
  });

  it('counts the own vote only once it is synced', () => {
    const group = new TestGroup(['a']);
    group.node('a').isDiskSlow = true;
    group.campaign('a');
    expect(group.node('a').role).toBe('candidate');
    group.node('a').completePersist();
    expect(group.node('a').role).toBe('leader');
  });

  it('forgets a vote that was not synced, and has then not given it', () => {
    const group = trio({ config: { preVote: false } });
    group.node('b').isDiskSlow = true;
    group.node('a').raft.campaign();
    group.pump();
    group.deliver();
    group.crash('b');
    group.restart('b');
    expect(group.node('b').state.votedFor).toBeUndefined();
    expect(group.sent.filter((message) => message.from === 'b')).toEqual([]);
  });

  it('remembers a synced vote over a restart', () => {
    const group = trio({ config: { preVote: false } });
    group.cut('a', 'c');
    group.campaign('a');
    group.crash('b');
    group.restart('b');
    group.node('b').raft.step(requestVote({ from: 'c', to: 'b', term: 1 }));
    group.pump();
    expect(group.on('RequestVoteResponse').at(-1)).toMatchObject({ to: 'c', voteGranted: false, term: 1 });
  });

  it('keeps the vote when it steps down within its term', () => {
    const group = trio({ config: { preVote: false } });
    group.isolate('a');
    group.campaign('a');
    group.node('a').raft.step(appendEntries({ from: 'b', term: 1 }));
    expect([group.node('a').role, group.node('a').state.votedFor]).toEqual(['follower', 'a']);
    group.heal();
    expect(answersOf(group, requestVote({ from: 'c', term: 1 }))).toMatchObject([{ voteGranted: false }]);
  });

  it('keeps the vote when check-quorum makes the leader step down', () => {
    const group = ledByA();
    group.isolate('a');
    group.tickUntil(() => group.node('a').role !== 'leader');
    expect([termOf(group, 'a'), group.node('a').state.votedFor]).toEqual([1, 'a']);
  });

  it('grants the same vote again to the same candidate', () => {
    const group = trio();
    const ask = requestVote({ from: 'b', term: 1 });
    expect(answersOf(group, ask)).toMatchObject([{ voteGranted: true }]);
    expect(answersOf(group, ask)).toMatchObject([{ voteGranted: true }]);
  });
});

describe('counting votes', () => {
  it('loses at once when a majority says no', () => {
    const group = trio({ config: { preVote: false } });
    group.campaign('a');
    const lone = trio({ config: { preVote: false } });
    lone.isolate('a');
    lone.campaign('a');
    for (const from of ['b', 'c']) lone.node('a').raft.step(voteResponse({ from, voteGranted: false }));
    expect([group.node('a').role, lone.node('a').role]).toEqual(['leader', 'follower']);
  });

  it('counts a node once, however often its answer arrives', () => {
    const group = new TestGroup([...'abcde'], { config: { preVote: false } });
    group.isolate('a');
    group.campaign('a');
    for (let i = 0; i < 4; i++) group.node('a').raft.step(voteResponse({ from: 'b' }));
    expect(group.node('a').role).toBe('candidate');
    group.node('a').raft.step(voteResponse({ from: 'c' }));
    expect(group.node('a').role).toBe('leader');
  });

  it.each(['learner', 'stranger'])('does not count the vote of a %s', (kind) => {
    const learners = kind === 'learner' ? ['x'] : [];
    const group = new TestGroup(['a', 'b', 'c', 'x'], {
      config: { preVote: false },
      configuration: { voters: ['a', 'b', 'c'], outgoingVoters: [], learners },
    });
    group.isolate('a');
    group.campaign('a');
    expect(group.sent.some((message) => message.to === 'x')).toBe(false);
    group.node('a').raft.step(voteResponse({ from: 'x' }));
    expect(group.node('a').role).toBe('candidate');
  });

  it('does not count votes of an earlier campaign', () => {
    const group = trio({ config: { preVote: false } });
    group.isolate('a');
    group.campaign('a');
    group.campaign('a');
    group.node('a').raft.step(voteResponse({ from: 'b', term: 1 }));
    expect([group.node('a').role, termOf(group, 'a')]).toEqual(['candidate', 2]);
  });

  it('asks and needs both majorities of a joint configuration, also of a voter that is to become a learner', () => {
    const group = new TestGroup([...'abcdef'], {
      config: { preVote: false },
      configuration: { voters: ['a', 'b', 'c'], outgoingVoters: ['d', 'e', 'f'], learners: ['d'] },
    });
    group.isolate('a');
    group.campaign('a');
    expect(group.sent.map((message) => message.to).sort()).toEqual([...'bcdef']);
    for (const from of ['b', 'c', 'd']) group.node('a').raft.step(voteResponse({ from }));
    expect(group.node('a').role).toBe('candidate');
    group.node('a').raft.step(voteResponse({ from: 'e' }));
    expect(group.node('a').role).toBe('leader');
  });

  it('stops a node that sees two leaders in one term', () => {
    const group = ledByA();
    expect(() => group.node('a').raft.step(appendEntries({ from: 'b', term: 1 }))).toThrow(InvariantViolationError);
  });
});

describe('pre-vote (dissertation 9.6)', () => {
  it('lets a node that was cut off return without deposing the leader', () => {
    const group = ledByA();
    group.isolate('c');
    group.tick(20 * TIMEOUT);
    expect([group.node('c').role, termOf(group, 'c')]).toEqual(['preCandidate', 1]);
    group.heal();
    group.tick(5 * TIMEOUT);
    expect(group.leaders).toEqual(['a']);
    expect([termOf(group, 'a'), group.node('c').role]).toEqual([1, 'follower']);
  });

  it('without it, the same node deposes the leader (why it is there)', () => {
    const group = ledByA({ config: { preVote: false } });
    group.isolate('c');
    group.tick(5 * TIMEOUT);
    group.heal();
    group.tick(5 * TIMEOUT);
    expect(termOf(group, 'a')).toBeGreaterThan(1);
  });

  it.each([true, false])('is refused by a follower that hears its leader, check-quorum %s', (checkQuorum) => {
    const group = ledByA({ config: { checkQuorum } });
    group.cut('a', 'c');
    group.tick(10 * TIMEOUT);
    expect(group.leaders).toEqual(['a']);
    expect(['a', 'b'].map((id) => termOf(group, id))).toEqual([1, 1]);
  });

  it.each([true, false])('is refused by the leader itself, check-quorum %s', (checkQuorum) => {
    const group = ledByA({ config: { checkQuorum } });
    const ask = requestVote({ from: 'b', term: 2, lastLogIndex: 9, lastLogTerm: 1, preVote: true });
    expect(answersOf(group, ask)).toEqual([]);
  });

  it('changes nothing at the voter: not its term, not its vote, not its timer', () => {
    const group = trio({ logs: { a: { terms: [1, 1], currentTerm: 3, votedFor: 'c' } } });
    const before = { ...group.node('a').state };
    const ask = requestVote({ term: 9, lastLogIndex: 2, lastLogTerm: 1, preVote: true });
    expect(answersOf(group, ask)).toMatchObject([{ voteGranted: true, preVote: true, term: 9 }]);
    expect(group.node('a').state).toMatchObject({
      currentTerm: 3,
      votedFor: 'c',
      electionTimerStart: before.electionTimerStart,
    });
    expect(group.node('a').disk.hardState.currentTerm).toBe(3);
  });

  it('is refused to a node whose log is behind', () => {
    const group = trio({ logs: { a: { terms: [1, 2] } } });
    const ask = requestVote({ term: 9, lastLogIndex: 5, lastLogTerm: 1, preVote: true });
    expect(answersOf(group, ask)).toMatchObject([{ voteGranted: false, preVote: true, term: 2 }]);
  });

  it('counts only answers about the term that was asked about', () => {
    const group = trio();
    group.isolate('a');
    group.campaign('a');
    expect(group.node('a').role).toBe('preCandidate');
    group.node('a').raft.step(voteResponse({ term: 5, preVote: true }));
    group.node('a').raft.step(voteResponse({ term: 0, preVote: true }));
    expect(group.node('a').role).toBe('preCandidate');
    group.node('a').raft.step(voteResponse({ term: 1, preVote: true }));
    expect(group.node('a').role).toBe('candidate');
  });

  it('is not mistaken for a vote, nor a vote for it', () => {
    const group = trio();
    group.isolate('a');
    group.campaign('a');
    group.node('a').raft.step(voteResponse({ from: 'b', term: 1, preVote: true }));
    group.pump();
    // Now a candidate: a late pre-vote must not elect it.
    group.node('a').raft.step(voteResponse({ from: 'c', term: 1, preVote: true }));
    expect(group.node('a').role).toBe('candidate');
    group.node('a').raft.step(voteResponse({ from: 'c', term: 1 }));
    expect(group.node('a').role).toBe('leader');
  });

  describe('of two nodes that ask each other at the same time', () => {
    /** `a` and `b` have lost their leader `c`, and campaign before they hear of each other. */
    const bothCampaign = (options: TestGroupOptions = {}) => {
      const group = trio(options);
      group.crash('c');
      group.cut('a', 'b');
      for (const id of ['a', 'b']) group.campaign(id);
      expect(['a', 'b'].map((id) => group.node(id).role)).toEqual(['preCandidate', 'preCandidate']);
      return group;
    };
    const asks = (from: string, to: string) =>
      requestVote({ from, to, term: 1, lastLogIndex: 0, lastLogTerm: 0, preVote: true });

    it('is granted by one only, and that one votes for the other', () => {
      const group = bothCampaign();
      group.heal();
      group.node('a').raft.step(asks('b', 'a'));
      group.node('b').raft.step(asks('a', 'b'));
      group.stabilize();
      expect(group.leaders).toEqual(['a']);
      expect(termOf(group, 'a')).toBe(1);
    });

    it('goes to the longer log, whoever has it', () => {
      const group = bothCampaign({ logs: { a: { terms: [], currentTerm: 1 }, b: { terms: [1], currentTerm: 1 } } });
      const ask = { ...asks('b', 'a'), term: 2, lastLogIndex: 1, lastLogTerm: 1 };
      expect(answersOf(group, ask)).toMatchObject([{ voteGranted: true }]);
    });

    it('is not held up for longer than a moment by one that cannot win', () => {
      const group = bothCampaign();
      group.tick(2 * testConfig.heartbeatTicks - 1);
      expect(answersOf(group, asks('b', 'a'))).toMatchObject([{ voteGranted: false }]);
      group.tick(1);
      expect(group.node('a').role).toBe('preCandidate');
      expect(answersOf(group, asks('b', 'a'))).toMatchObject([{ voteGranted: true }]);
    });
  });

  it('ends when the node votes for another', () => {
    const group = new TestGroup([...'abcde'], { logs: { a: { terms: [], currentTerm: 1 } } });
    group.isolate('a');
    group.campaign('a');
    expect(answersOf(group, requestVote({ from: 'b', term: 1 }))).toMatchObject([{ voteGranted: true }]);
    for (const from of ['c', 'd']) group.node('a').raft.step(voteResponse({ from, term: 2, preVote: true }));
    expect([group.node('a').role, termOf(group, 'a')]).toEqual(['follower', 1]);
  });
});

describe('nodes with different terms find together', () => {
  it('elects a node of a smaller term that has the longer log: the others tell it their term', () => {
    const group = trio({
      logs: {
        a: { terms: [1, 1, 1], currentTerm: 1 },
        b: { terms: [1, 1], currentTerm: 7 },
        c: { terms: [1, 1], currentTerm: 7 },
      },
    });
    group.crash('c');
    group.tickUntil(() => group.leaders.length === 1, 20 * TIMEOUT);
    expect(group.leaders).toEqual(['a']);
  });

  it.each([
    [true, true],
    [true, false],
    [false, true],
    [false, false],
  ])('takes back a node with a later term (preVote %s, checkQuorum %s)', (preVote, checkQuorum) => {
    const group = ledByA({ config: { preVote, checkQuorum } });
    group.crash('c');
    group.node('c').disk.hardState = { currentTerm: 9, votedFor: 'c', commitIndex: 0 };
    group.restart('c');
    group.tickUntil(
      () => group.leaders.length === 1 && [...'abc'].every((id) => group.node(id).raft.leaderId === group.leaders[0]),
      20 * TIMEOUT,
    );
    expect(termOf(group, 'a')).toBeGreaterThanOrEqual(9);
  });

  it('elects a leader whichever nodes have pre-vote and check-quorum switched on', () => {
    for (let flags = 0; flags < 64; flags++) {
      const configs = Object.fromEntries(
        [...'abc'].map((id, i) => [
          id,
          { preVote: ((flags >> (2 * i)) & 1) === 1, checkQuorum: ((flags >> (2 * i + 1)) & 1) === 1 },
        ]),
      );
      const group = trio({
        seed: flags,
        configs,
        logs: {
          a: { terms: [1, 2], currentTerm: 2 },
          b: { terms: [1], currentTerm: 5 },
          c: { terms: [1], currentTerm: 3 },
        },
      });
      group.tickUntil(() => group.leaders.length === 1, 30 * TIMEOUT);
      const [first] = group.leaders;
      group.crash(first!);
      group.tickUntil(() => group.leaders.length === 1 && group.leaders[0] !== first, 30 * TIMEOUT);
      expect(group.leader!.state.currentTerm).toBeGreaterThan(5);
    }
  });
});

describe('check-quorum (dissertation 6.2)', () => {
  it('makes a leader step down that hears from no quorum, within two election timeouts', () => {
    const group = ledByA();
    group.isolate('a');
    group.tick(2 * TIMEOUT, (message) => message.from !== 'a');
    expect(group.leaders).not.toContain('a');
    expect(group.node('a').raft.leaderId).toBeUndefined();
  });

  it('leaves a leader alone that hears from a quorum', () => {
    const group = ledByA();
    group.crash('c');
    group.tick(10 * TIMEOUT);
    expect([group.leaders, termOf(group, 'a')]).toEqual([['a'], 1]);
  });

  it('does not count learners', () => {
    const group = new TestGroup(['a', 'b', 'c', 'x', 'y'], {
      configuration: { voters: ['a', 'b', 'c'], outgoingVoters: [], learners: ['x', 'y'] },
    });
    group.campaign('a');
    group.cut('a', 'b');
    group.cut('a', 'c');
    group.tick(3 * TIMEOUT);
    expect(group.leaders).not.toContain('a');
  });

  it('makes a leader step down that can send but not hear, and another takes over', () => {
    const group = ledByA();
    group.cutOneWay('b', 'a');
    group.cutOneWay('c', 'a');
    group.tick(6 * TIMEOUT);
    expect(group.leader!.id).not.toBe('a');
  });

  it('counts a follower whose disk hangs as heard: it answers heartbeats, accepted or refused', () => {
    const group = ledByA();
    for (const id of ['b', 'c']) group.node(id).isDiskSlow = true;
    group.propose('a', 'x');
    group.tick(5 * TIMEOUT);
    expect([group.leaders, termOf(group, 'a')]).toEqual([['a'], 1]);
    expect(group.node('a').state.commitIndex).toBe(1);
  });

  it('ignores a candidate of a later term while a leader is heard (4.2.3)', () => {
    const group = ledByA({ config: { preVote: false } });
    const b = group.node('b');
    const ask = requestVote({ from: 'c', to: 'b', term: 5, lastLogIndex: 9, lastLogTerm: 4 });
    b.raft.step(ask);
    group.pump();
    expect([b.state.currentTerm, group.network]).toEqual([1, []]);
    for (let i = 0; i < TIMEOUT; i++) b.state.now++;
    b.raft.step(ask);
    group.pump();
    expect(group.on('RequestVoteResponse')).toMatchObject([{ from: 'b', to: 'c', term: 5, voteGranted: true }]);
  });

  it('keeps a leader in a partial partition: who cannot hear it is not listened to by who can', () => {
    const group = new TestGroup([...'abcde']);
    group.campaign('a');
    group.cut('a', 'd');
    group.cut('a', 'e');
    group.tick(20 * TIMEOUT);
    expect([group.leaders, termOf(group, 'a')]).toEqual([['a'], 1]);
  });

  it('moves the leadership to the only node that reaches a majority', () => {
    const group = new TestGroup([...'abcde']);
    group.campaign('a');
    group.tick(2 * testConfig.heartbeatTicks);
    // Every link but those of c is lost.
    for (const one of 'abde') for (const other of 'abde') if (one !== other) group.cut(one, other);
    group.tickUntil(() => group.leader?.id === 'c', 20 * TIMEOUT);
    expect(group.propose('c', 'x')).toMatchObject({ accepted: true });
    group.tick(2 * testConfig.heartbeatTicks);
    expect(group.node('c').applied.at(-1)?.data).toEqual(bytes('x'));
  });
});

describe('a single voter', () => {
  it('elects itself within its first timeout and commits what it has synced', () => {
    const group = new TestGroup(['a']);
    group.tick(2 * TIMEOUT);
    expect(group.node('a').role).toBe('leader');
    group.propose('a', 'x', 'y');
    group.pump();
    expect(group.node('a').applied.map(({ type }) => type)).toEqual([
      EntryType.Noop,
      EntryType.Normal,
      EntryType.Normal,
    ]);
  });

  it('leads with a learner that it cannot reach', () => {
    const group = new TestGroup(['a', 'x'], {
      configuration: { voters: ['a'], outgoingVoters: [], learners: ['x'] },
    });
    group.isolate('a');
    group.tick(10 * TIMEOUT);
    expect([group.leaders, termOf(group, 'a')]).toEqual([['a'], 1]);
  });
});
