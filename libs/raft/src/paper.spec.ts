/**
 * "In Search of an Understandable Consensus Algorithm (Extended Version)", Ongaro and Ousterhout 2014, claim by claim:
 * sections 5.1 to 5.4 and 8. Where this implementation goes further than the paper (pre-vote, check-quorum), it is
 * switched off here; docs/raft.md lists the differences.
 */
import { EntryType } from './entry.js';
import type { AppendEntries } from './messages.js';
import {
  appendEntries,
  appendResponse,
  logOf,
  requestVote,
  testConfig,
  TestGroup,
  voteResponse,
  type TestGroupOptions,
} from './testing/group.js';
import { show } from './testing/node.js';

const TIMEOUT = testConfig.electionTimeoutTicks;
const HEARTBEAT = testConfig.heartbeatTicks;

const paperGroup = (ids: string, options: TestGroupOptions = {}) =>
  new TestGroup([...ids], { ...options, config: { preVote: false, checkQuorum: false, ...options.config } });

const ledByA = (ids = 'abc', options: TestGroupOptions = {}) => {
  const group = paperGroup(ids, options);
  group.campaign('a');
  group.tick(HEARTBEAT);
  return group;
};

const stateOf = (group: TestGroup, id = 'a') => group.node(id).state;

/** What `a` answers to `message`. */
const answer = <T extends 'RequestVoteResponse' | 'AppendEntriesResponse'>(
  group: TestGroup,
  type: T,
  message: Parameters<TestGroup['hand']>[0],
) => {
  group.pump();
  group.network.length = 0;
  group.node('a').raft.step(message);
  group.node('a').pump();
  return group.on(type).at(-1);
};

const sentSince = (group: TestGroup, before: number, from: string) =>
  group.sent.slice(before).filter((message) => message.from === from);

describe('5.1 Raft basics', () => {
  it('a node starts as a follower, in the term that it had', () => {
    const group = paperGroup('abc', { logs: { a: { terms: [1, 3], currentTerm: 4 } } });
    expect([group.node('a').role, stateOf(group).currentTerm]).toEqual(['follower', 4]);
  });

  it('followers are passive: they issue no requests on their own', () => {
    const group = ledByA();
    const before = group.sent.length;
    group.tick(10 * TIMEOUT);
    for (const id of 'bc') {
      expect(new Set(sentSince(group, before, id).map((message) => message.type))).toEqual(
        new Set(['AppendEntriesResponse']),
      );
    }
  });

  it('there is at most one leader in a term, however often nodes campaign', () => {
    const group = paperGroup('abcde');
    const leaders = new Map<number, string>();
    for (let i = 0; i < 200; i++) {
      // Two at a time, in the middle of the campaigns of others.
      if (i % 3 === 0) for (const at of [i % 5, (i * 2) % 5]) group.node('abcde'[at]!).raft.campaign();
      group.pump();
      group.deliver();
      for (const id of group.leaders) {
        const { currentTerm } = stateOf(group, id);
        expect(leaders.get(currentTerm) ?? id).toBe(id);
        leaders.set(currentTerm, id);
      }
    }
    expect(leaders.size).toBeGreaterThan(5);
  });

  it('the current term increases monotonically, and is exchanged in every message', () => {
    const group = ledByA();
    const terms = group.sent.map((message) => message.term);
    expect(terms.every((term, i) => i === 0 || term >= terms[i - 1]!)).toBe(true);
    expect(new Set(terms)).toEqual(new Set([1]));
  });

  it.each([
    ['RequestVote', requestVote({ term: 7 })],
    ['RequestVoteResponse', voteResponse({ term: 7, voteGranted: false })],
    ['AppendEntries', appendEntries({ term: 7 })],
    ['AppendEntriesResponse', appendResponse({ term: 7, success: false })],
  ])('a node that sees a larger term in a %s updates its own', (_, message) => {
    const group = paperGroup('abc');
    group.node('a').raft.step(message);
    group.pump();
    expect([stateOf(group).currentTerm, group.node('a').disk.hardState.currentTerm]).toEqual([7, 7]);
  });

  it.each([
    ['leader', () => ledByA()],
    [
      'candidate',
      () => {
        const group = paperGroup('abc');
        group.node('a').raft.campaign();
        group.pump();
        return group;
      },
    ],
  ])('a %s that discovers that its term is out of date reverts to follower at once', (role, make) => {
    const group = make();
    expect(group.node('a').role).toBe(role);
    group.node('a').raft.step(appendResponse({ term: 9, success: false }));
    expect([group.node('a').role, stateOf(group).currentTerm, stateOf(group).votedFor]).toEqual([
      'follower',
      9,
      undefined,
    ]);
  });

  it('a request with a stale term is rejected', () => {
    const group = paperGroup('abc', { logs: { a: { terms: [1], currentTerm: 5 } } });
    expect(
      answer(group, 'RequestVoteResponse', requestVote({ term: 4, lastLogIndex: 9, lastLogTerm: 4 })),
    ).toMatchObject({
      voteGranted: false,
      term: 5,
    });
    expect(
      answer(group, 'AppendEntriesResponse', appendEntries({ term: 4, prevLogIndex: 1, prevLogTerm: 1 })),
    ).toMatchObject({ success: false, term: 5 });
    expect(stateOf(group).votedFor).toBeUndefined();
  });

  it('messages are sent again when they are not answered in time', () => {
    const group = paperGroup('abc');
    group.campaign('a');
    group.propose('a', 'x');
    group.stabilize(() => false);
    group.tick(2 * HEARTBEAT);
    expect(group.node('b').log).toEqual(group.node('a').log);
  });
});

describe('5.2 Leader election', () => {
  it('a leader sends heartbeats to all followers to keep its authority', () => {
    const group = ledByA();
    const before = group.sent.length;
    group.tick(10 * HEARTBEAT);
    const beats = sentSince(group, before, 'a') as AppendEntries[];
    expect(beats).toHaveLength(20);
    expect(beats.every((beat) => beat.type === 'AppendEntries' && beat.entries.length === 0)).toBe(true);
    expect([group.leaders, stateOf(group).currentTerm]).toEqual([['a'], 1]);
  });

  it('a follower that hears nothing over an election timeout begins an election', () => {
    const group = ledByA();
    group.crash('a');
    group.tickUntil(() => group.leaders.length === 1, 6 * TIMEOUT);
    expect(group.leader!.state.currentTerm).toBeGreaterThan(1);
  });

  it.each([
    ['hears from a leader', (i: number) => appendEntries({ term: 1, leaderCommit: i })],
    ['grants votes', (i: number) => requestVote({ term: i + 1 })],
  ])('a follower that %s does not', (_, messageAt) => {
    const group = paperGroup('abc');
    for (let i = 0; i < 10 * TIMEOUT; i++) {
      group.node('a').raft.step(messageAt(i));
      group.node('a').raft.tick();
    }
    expect(group.node('a').role).toBe('follower');
  });

  it('a follower that refuses its vote does not wait any longer for that', () => {
    const group = paperGroup('abc', { logs: { a: { terms: [1, 2] } } });
    for (let i = 0; i < 2 * TIMEOUT && group.node('a').role === 'follower'; i++) {
      group.node('a').raft.step(requestVote({ term: 3 + i, lastLogIndex: 1, lastLogTerm: 1 }));
      group.node('a').raft.tick();
    }
    expect(group.node('a').role).toBe('candidate');
  });

  it('to begin an election it increments its term, votes for itself and asks all others in parallel', () => {
    const group = paperGroup('abcde', { logs: { a: { terms: [1, 1, 3] } } });
    group.node('a').raft.campaign();
    group.pump();
    expect(stateOf(group)).toMatchObject({ role: 'candidate', currentTerm: 4, votedFor: 'a' });
    expect(group.network).toMatchObject(
      [...'bcde'].map((to) => ({ type: 'RequestVote', to, term: 4, lastLogIndex: 3, lastLogTerm: 3, preVote: false })),
    );
  });

  it.each([
    ['abc', 'b', 'leader'],
    ['abc', '', 'candidate'],
    ['abcde', 'bc', 'leader'],
    ['abcde', 'b', 'candidate'],
    ['abcd', 'b', 'candidate'],
    ['abcd', 'bc', 'leader'],
    ['a', '', 'leader'],
  ])('in the cluster %s, with the votes of itself and "%s", the candidate a becomes %s', (ids, voters, role) => {
    const group = paperGroup(ids);
    group.node('a').raft.campaign();
    group.pump();
    for (const from of voters) group.node('a').raft.step(voteResponse({ from }));
    expect(group.node('a').role).toBe(role);
  });

  it('a node votes for at most one candidate in a term, first come, first served', () => {
    const group = paperGroup('abc');
    expect(answer(group, 'RequestVoteResponse', requestVote({ from: 'b' }))!.voteGranted).toBe(true);
    expect(answer(group, 'RequestVoteResponse', requestVote({ from: 'c' }))!.voteGranted).toBe(false);
    expect(answer(group, 'RequestVoteResponse', requestVote({ from: 'b' }))!.voteGranted).toBe(true);
    expect(answer(group, 'RequestVoteResponse', requestVote({ from: 'c', term: 2 }))!.voteGranted).toBe(true);
  });

  it('a new leader sends heartbeats at once, to prevent new elections', () => {
    const group = paperGroup('abc');
    group.node('a').raft.campaign();
    group.pump();
    group.node('a').raft.step(voteResponse({}));
    group.network.length = 0;
    group.node('a').pump();
    expect(group.on('AppendEntries').map((message) => message.to)).toEqual(['b', 'c']);
  });

  it('a candidate that hears from a leader of its term returns to follower', () => {
    const group = paperGroup('abc');
    group.node('a').raft.campaign();
    group.pump();
    group.node('a').raft.step(appendEntries({ from: 'c', term: 1 }));
    expect([group.node('a').role, group.node('a').raft.leaderId]).toEqual(['follower', 'c']);
  });

  it('a candidate rejects a leader of an earlier term and stays candidate', () => {
    const group = paperGroup('abc', { logs: { a: { terms: [], currentTerm: 4 } } });
    group.node('a').raft.campaign();
    expect(answer(group, 'AppendEntriesResponse', appendEntries({ from: 'c', term: 4 }))).toMatchObject({
      success: false,
      term: 5,
    });
    expect(group.node('a').role).toBe('candidate');
  });

  it('a split vote elects nobody; the candidates time out and begin anew in the next term', () => {
    const group = paperGroup('abcd');
    for (const id of 'abcd') group.node(id).raft.campaign();
    group.stabilize();
    expect([group.leaders, [...'abcd'].map((id) => stateOf(group, id).currentTerm)]).toEqual([[], [1, 1, 1, 1]]);
    group.tickUntil(() => group.leaders.length === 1, 10 * TIMEOUT);
    expect(group.leader!.state.currentTerm).toBeGreaterThan(1);
  });

  it('randomized timeouts make split votes rare and resolve them quickly', () => {
    let rounds = 0;
    for (let seed = 1; seed <= 100; seed++) {
      const group = paperGroup('abcde', { seed });
      group.tickUntil(() => group.leaders.length === 1, 20 * TIMEOUT);
      rounds += group.leader!.state.currentTerm;
    }
    expect(rounds / 100).toBeLessThan(1.5);
  });
});

describe('5.3 Log replication', () => {
  it('a leader appends the command, sends it in parallel, and applies it once it is safely replicated', () => {
    const group = ledByA('abcde');
    group.propose('a', 'x');
    group.pump();
    expect(group.on('AppendEntries').map((message) => message.to)).toEqual([...'bcde']);
    expect(group.node('a').applied.map(show)).toEqual(['1:-']);
    group.stabilize();
    expect(group.node('a').applied.map(show)).toEqual(['1:-', '1:x']);
  });

  it('retries for ever, even after it has answered, until all followers have stored all entries', () => {
    const group = ledByA();
    group.crash('c');
    group.propose('a', 'x');
    group.tick(30 * TIMEOUT);
    expect(group.node('a').applied).toHaveLength(2);
    group.restart('c');
    group.tick(2 * HEARTBEAT);
    expect(group.node('c').log).toEqual(['1:-', '1:x']);
  });

  it('each entry has a command, the term of its leader, and an index; it never changes its place', () => {
    const group = ledByA();
    group.propose('a', 'x');
    group.stabilize();
    group.crash('a');
    group.tickUntil(() => group.leaders.length === 1, 6 * TIMEOUT);
    group.propose(group.leader!.id, 'y');
    group.stabilize();
    const { entries } = group.leader!;
    expect(entries.map((entry) => entry.index)).toEqual([1, 2, 3, 4]);
    expect(group.leader!.log.slice(0, 2)).toEqual(['1:-', '1:x']);
    expect(group.leader!.log.at(-1)).toBe(`${group.leader!.state.currentTerm}:y`);
  });

  it.each([
    ['abc', 'b', 2],
    ['abc', '', 1],
    ['abcde', 'bc', 2],
    ['abcde', 'b', 1],
    ['abcd', 'b', 1],
    ['abcd', 'bd', 2],
    ['a', '', 2],
  ])('in the cluster %s, an entry that a and "%s" have stored makes the commit index %i', (ids, stored, committed) => {
    const group = ledByA(ids);
    group.propose('a', 'x');
    group.pump();
    group.deliver((message) => stored.includes(message.to));
    group.deliver();
    expect(stateOf(group).commitIndex).toBe(committed);
  });

  it('committing an entry commits all before it, also those of earlier leaders', () => {
    const group = paperGroup('abc', { logs: { a: { terms: [1, 2, 2] }, b: { terms: [1] }, c: { terms: [1] } } });
    group.campaign('a');
    expect([stateOf(group).commitIndex, group.node('a').applied.map(show)]).toEqual([4, ['1:1', '2:2', '2:3', '3:-']]);
  });

  it('followers learn of the commit index from the leader’s later messages and apply in log order', () => {
    const group = ledByA();
    group.propose('a', 'x', 'y');
    group.stabilize();
    expect([stateOf(group, 'a').commitIndex, stateOf(group, 'b').commitIndex]).toEqual([3, 1]);
    group.tick(HEARTBEAT);
    expect(group.node('b').applied.map(show)).toEqual(['1:-', '1:x', '1:y']);
  });

  it('a follower refuses entries when it has no entry at prevLogIndex with prevLogTerm', () => {
    const logs = { a: { terms: [1, 1], currentTerm: 2 } };
    const ask = (prevLogIndex: number, prevLogTerm: number) =>
      answer(
        paperGroup('abc', { logs }),
        'AppendEntriesResponse',
        appendEntries({ term: 2, prevLogIndex, prevLogTerm }),
      )!.success;
    expect([ask(0, 0), ask(1, 1), ask(2, 1)]).toEqual([true, true, true]);
    expect([ask(3, 1), ask(2, 2), ask(9, 2)]).toEqual([false, false, false]);
  });

  it('log matching: equal index and term means equal logs up to there, whatever happened before', () => {
    const group = paperGroup('abcde', { seed: 3 });
    for (let i = 0; i < 40; i++) {
      const id = 'abcde'[(i * 3) % 5]!;
      group.heal();
      if (i % 3 === 0) group.isolate('abcde'[i % 5]!);
      group.node(id).raft.campaign();
      group.stabilize();
      if (group.node(id).role === 'leader') group.propose(id, `${i}`);
      group.stabilize((message) => (message.to.charCodeAt(0) + i) % 3 !== 0);
    }
    const logs = [...group.nodes.values()].map((node) => node.entries);
    for (const one of logs) {
      for (const other of logs) {
        const common = one.filter((entry, at) => other[at]?.term === entry.term).length;
        expect(one.slice(0, common).map(show)).toEqual(other.slice(0, common).map(show));
      }
    }
    expect(group.invariants.committedTerms.length).toBeGreaterThan(10);
  });

  describe('figure 7: a leader for term 8 brings every possible follower to its own log', () => {
    const leading = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6];
    it.each([
      ['(a) lacks an entry', [1, 1, 1, 4, 4, 5, 5, 6, 6]],
      ['(b) lacks many entries', [1, 1, 1, 4]],
      ['(c) has an extra uncommitted entry', [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6]],
      ['(d) has extra entries of a later term', [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7]],
      ['(e) lacks some and has extra ones', [1, 1, 1, 4, 4, 4, 4]],
      ['(f) has two terms that the leader has not', [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3]],
    ])('follower %s', (_, following) => {
      const group = paperGroup('abc', {
        logs: {
          a: { terms: leading, currentTerm: 7 },
          b: { terms: following, currentTerm: 7 },
          c: { terms: leading.slice(0, 4), currentTerm: 7 },
        },
      });
      group.campaign('a');
      expect([group.node('a').role, stateOf(group).currentTerm]).toEqual(['leader', 8]);
      group.tick(2 * HEARTBEAT);
      expect(group.node('b').entries.map((entry) => entry.term)).toEqual([...leading, 8]);
      expect(group.node('b').disk.entries).toEqual(group.node('a').disk.entries);
      expect(group.node('b').applied).toHaveLength(11);
    });
  });

  it('a new leader begins with nextIndex just behind its last entry', () => {
    const group = paperGroup('abc', { logs: { a: { terms: [1, 1, 2] }, b: { terms: [1, 1, 2] } } });
    group.node('a').raft.campaign();
    group.stabilize((message) => message.type !== 'AppendEntries');
    const [message] = group.sent.filter((sent) => sent.type === 'AppendEntries');
    expect(message).toMatchObject({ prevLogIndex: 3, prevLogTerm: 2, entries: [{ index: 4, term: 3 }] });
  });

  it('entries of the leader that conflict overwrite those of the follower, and only those', () => {
    const group = paperGroup('abc', { logs: { a: { terms: [1, 1, 2, 2], currentTerm: 2 } } });
    const message = appendEntries({ term: 3, prevLogIndex: 1, prevLogTerm: 1, entries: logOf([1, 1, 3]).slice(1) });
    expect(answer(group, 'AppendEntriesResponse', message)).toMatchObject({ success: true, matchIndex: 3 });
    expect(group.node('a').disk.entries.map((entry) => entry.term)).toEqual([1, 1, 3]);
  });

  it('a rejection may name the term that conflicts and its first index: the leader skips that term at once', () => {
    const group = paperGroup('abc', {
      logs: {
        a: { terms: [1, 5, 5, 5, 5] },
        b: { terms: [1, 2, 2, 2, 2], currentTerm: 5 },
        c: { terms: [1], currentTerm: 5 },
      },
    });
    group.campaign('a');
    const toB = group.sent.filter((message) => message.type === 'AppendEntries' && message.to === 'b');
    expect(toB.map((message) => (message as AppendEntries).prevLogIndex)).toEqual([5, 1]);
  });

  it('leader append-only: a leader never overwrites or deletes entries of its own log', () => {
    const group = ledByA();
    group.propose('a', 'x', 'y');
    group.pump();
    const before = group.node('a').log;
    group.stabilize();
    group.node('a').raft.step(appendResponse({ success: false, rejectedIndex: 3, conflictIndex: 1 }));
    group.stabilize();
    expect(group.node('a').log).toEqual(before);
  });

  it('one slow follower does not slow the cluster down', () => {
    const group = ledByA('abcde');
    group.node('e').isDiskSlow = true;
    group.cut('a', 'd');
    for (let i = 0; i < 50; i++) {
      group.propose('a', `${i}`);
      group.stabilize();
    }
    expect(stateOf(group).commitIndex).toBe(51);
  });
});

describe('5.4.1 Election restriction', () => {
  it.each([
    ['a later last term', [1, 1], { lastLogIndex: 1, lastLogTerm: 2 }, true],
    ['the same last term and a longer log', [1, 1], { lastLogIndex: 3, lastLogTerm: 1 }, true],
    ['the same log', [1, 1], { lastLogIndex: 2, lastLogTerm: 1 }, true],
    ['the same last term and a shorter log', [1, 1], { lastLogIndex: 1, lastLogTerm: 1 }, false],
    ['an earlier last term, however long its log', [1, 2], { lastLogIndex: 9, lastLogTerm: 1 }, false],
    ['an empty log', [1], { lastLogIndex: 0, lastLogTerm: 0 }, false],
  ])('the vote for a candidate with %s', (_, terms, position, isGranted) => {
    const group = paperGroup('abc', { logs: { a: { terms } } });
    expect(answer(group, 'RequestVoteResponse', requestVote({ term: 8, ...position }))!.voteGranted).toBe(isGranted);
  });

  it('a candidate cannot win without every committed entry', () => {
    const group = ledByA();
    group.isolate('c');
    group.propose('a', 'x');
    group.stabilize();
    group.heal();
    group.crash('a');
    for (let i = 0; i < 5; i++) group.campaign('c');
    expect(group.leaders).toEqual([]);
    group.campaign('b');
    expect([group.leaders, group.node('b').log.slice(0, 2)]).toEqual([['b'], ['1:-', '1:x']]);
  });

  it('entries flow from leaders to followers only', () => {
    const group = paperGroup('abc', { logs: { a: { terms: [1] }, b: { terms: [1, 1] }, c: { terms: [1] } } });
    group.isolate('b');
    group.campaign('a');
    group.heal();
    group.tick(2 * HEARTBEAT);
    expect(group.node('a').log).toEqual(['1:1', '2:-']);
    expect(group.node('b').log).toEqual(['1:1', '2:-']);
  });
});

describe('5.4.2 Committing entries from previous terms', () => {
  it('never commits an entry of an earlier term by counting replicas', () => {
    const group = paperGroup('abc', { logs: { a: { terms: [1, 2] }, b: { terms: [1] }, c: { terms: [1] } } });
    group.node('a').raft.campaign();
    group.pump();
    group.stabilize((message) => message.type !== 'AppendEntries');
    expect(group.node('a').role).toBe('leader');
    // Both followers acknowledge entry 2 of term 2, but not yet the entry of term 3.
    for (const from of 'bc') group.node('a').raft.step(appendResponse({ from, term: 3, matchIndex: 2 }));
    expect(stateOf(group).commitIndex).toBe(0);
  });

  /** Figure 8 up to (c): s1 leads term 4 and has its old entry 2 of term 2 on a majority, its new entry 3 nowhere else. */
  const figure8 = () => {
    const group = paperGroup('12345', {
      logs: {
        1: { terms: [1, 2], currentTerm: 3 },
        2: { terms: [1, 2], currentTerm: 3 },
        3: { terms: [1], currentTerm: 3 },
        4: { terms: [1], currentTerm: 3 },
        5: { terms: [1, 3], currentTerm: 3 },
      },
    });
    group.cut('1', '5');
    group.node('1').raft.campaign();
    group.pump();
    group.deliver((message) => message.type === 'RequestVote');
    group.deliver((message) => message.type === 'RequestVoteResponse');
    expect([group.leaders, stateOf(group, '1').currentTerm]).toEqual([['1'], 4]);
    group.network.length = 0;
    // Only entry 2 reaches s3: the message with the new entry is lost.
    group.node('3').raft.step(
      appendEntries({
        from: '1',
        to: '3',
        term: 4,
        prevLogIndex: 1,
        prevLogTerm: 1,
        entries: logOf([1, 2]).slice(1),
      }),
    );
    group.pump();
    group.deliver();
    expect(['1', '2', '3'].map((id) => group.node(id).log[1])).toEqual(['2:2', '2:2', '2:2']);
    return group;
  };

  it('figure 8 (c): the entry of term 2 is on a majority and not committed', () => {
    const group = figure8();
    expect(stateOf(group, '1').commitIndex).toBe(0);
  });

  it('figure 8 (d): so s5 may still be elected and overwrite it', () => {
    const group = figure8();
    group.crash('1');
    // The first campaign brings s5 to the term of the others.
    group.campaign('5');
    group.campaign('5');
    expect(group.leaders).toEqual(['5']);
    group.tick(2 * HEARTBEAT);
    for (const id of '2345') expect(group.node(id).log.slice(0, 2)).toEqual(['1:1', '3:2']);
    group.restart('1');
    group.heal();
    group.tick(2 * HEARTBEAT);
    expect(group.node('1').log).toEqual(group.node('5').log);
  });

  it('figure 8 (e): once the entry of term 4 is on a majority, both are committed and s5 cannot win', () => {
    const group = figure8();
    group.tick(HEARTBEAT, (message) => message.to !== '4' && message.from !== '4');
    expect(stateOf(group, '1').commitIndex).toBe(3);
    group.crash('1');
    for (let i = 0; i < 5; i++) group.campaign('5');
    expect(group.leaders).toEqual([]);
    group.tickUntil(() => group.leaders.length === 1, 20 * TIMEOUT);
    expect(group.leader!.log.slice(0, 3)).toEqual(['1:1', '2:2', '4:-']);
  });
});

describe('5.4.3 Safety', () => {
  it('state machine safety: no two nodes apply different entries at an index', () => {
    const group = ledByA('abcde');
    group.isolate('a');
    group.propose('a', 'lost');
    group.stabilize();
    group.tickUntil(() => group.leader?.id !== 'a');
    group.propose(group.leader!.id, 'kept');
    group.stabilize();
    group.heal();
    group.tick(2 * TIMEOUT);
    const applied = [...group.nodes.values()].map((node) => node.applied.map(show));
    for (const list of applied) expect(list).toEqual(applied[0]);
    expect(applied[0]!.join()).toContain('kept');
    expect(applied[0]!.join()).not.toContain('lost');
  });
});

describe('5.5 and 5.6 Crashes and time', () => {
  it('messages are idempotent: a request that is repeated changes nothing', () => {
    const group = paperGroup('abc');
    const message = appendEntries({ entries: logOf([1, 1]), leaderCommit: 0 });
    const first = answer(group, 'AppendEntriesResponse', message);
    expect(answer(group, 'AppendEntriesResponse', message)).toEqual(first);
    expect(group.node('a').disk.entries).toHaveLength(2);
  });

  it('a cluster that loses all its memory at once keeps every committed entry', () => {
    const group = ledByA('abcde');
    for (let i = 0; i < 10; i++) {
      group.propose('a', `${i}`);
      group.stabilize();
    }
    for (const id of 'abcde') group.crash(id);
    for (const id of 'abcde') group.restart(id, 0);
    group.tickUntil(() => group.leaders.length === 1, 6 * TIMEOUT);
    group.tick(2 * HEARTBEAT);
    for (const id of 'abcde') {
      expect(group.node(id).applied.map(show).slice(0, 11)).toEqual([
        '1:-',
        ...Array.from({ length: 10 }, (_, i) => `1:${i}`),
      ]);
    }
  });

  it('safety does not depend on time: a node whose clock runs away harms nobody', () => {
    const group = ledByA();
    group.propose('a', 'x');
    group.stabilize();
    for (let i = 0; i < 100 * TIMEOUT; i++) {
      group.node('c').raft.tick();
      group.stabilize();
    }
    group.tickUntil(() => group.leaders.length === 1);
    expect(group.leader!.log.slice(0, 2)).toEqual(['1:-', '1:x']);
  });
});

describe('8 Client interaction', () => {
  it('a node that does not lead rejects commands and knows the most recent leader', () => {
    const group = ledByA();
    expect(group.propose('b', 'x')).toEqual({ accepted: false, reason: 'not_leader' });
    expect(group.node('b').raft.leaderId).toBe('a');
  });

  it('a leader commits a blank no-op entry at the start of its term', () => {
    const group = paperGroup('abc', { logs: { a: { terms: [1, 1] }, b: { terms: [1, 1] }, c: { terms: [1] } } });
    group.campaign('a');
    expect(group.node('a').entries.at(-1)).toMatchObject({ index: 3, term: 2, type: EntryType.Noop });
    expect(stateOf(group).commitIndex).toBe(3);
  });

  it('a read-only request writes nothing into the log', () => {
    const group = ledByA();
    const read = group.read('a');
    group.stabilize();
    expect([group.outcomeOf(read), group.node('a').state.log.lastIndex]).toEqual(['confirmed', 1]);
  });

  it('a leader exchanges messages with a majority before it answers a read', () => {
    const group = ledByA();
    group.isolate('a');
    const read = group.read('a');
    group.tick(5 * TIMEOUT);
    expect([group.node('a').role, group.outcomeOf(read)]).toEqual(['leader', 'pending']);
  });

  it('a leader that was deposed returns no stale data', () => {
    const group = ledByA();
    group.isolate('a');
    group.tickUntil(() => group.leader?.id !== 'a');
    group.propose(group.leader!.id, 'newer');
    group.stabilize();
    const read = group.read('a');
    group.heal();
    group.tick(2 * TIMEOUT);
    expect(group.outcomeOf(read)).toBe('leadership_lost');
  });
});
