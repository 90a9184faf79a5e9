import { simpleConfiguration } from './configuration.js';
import { EntryType, type Entry } from './entry.js';
import { InvariantViolationError } from './errors.js';
import { entryBytes } from './log.js';
import type { AppendEntries, AppendEntriesResponse } from './messages.js';
import {
  appendEntries,
  appendResponse,
  bytes,
  logOf,
  testConfig,
  TestGroup,
  type TestGroupOptions,
} from './testing/group.js';
import { show } from './testing/node.js';

/** What was proposed leaves with the first tick, and that it is committed is told a heartbeat later. */
const HEARTBEAT = testConfig.heartbeatTicks;
/** What an entry of one letter costs. */
const SIZE = entryBytes({ index: 1, term: 1, type: EntryType.Normal, data: bytes('x') });

/** Three nodes of which `a` leads; its no-op is committed and known to everybody. */
const ledByA = (options: TestGroupOptions = {}) => {
  const group = new TestGroup(['a', 'b', 'c'], options);
  group.campaign('a');
  group.tick(HEARTBEAT);
  return group;
};

/** The AppendEntries with entries that are on their way to `to`, each as the texts of its entries. */
const onTheWay = (group: TestGroup, to: string) =>
  group
    .on('AppendEntries')
    .filter((message) => message.to === to && message.entries.length > 0)
    .map((message) => message.entries.map((entry) => show(entry).split(':')[1]).join(''));

const progressOf = (group: TestGroup, id: string) => group.leader!.state.progress.get(id)!;

/** The answer of a follower `a` in term `term` to a message of its leader `b`. */
const answerOf = (group: TestGroup, fields: Partial<AppendEntries>): AppendEntriesResponse => {
  group.network.length = 0;
  group.node('a').raft.step(appendEntries(fields));
  group.pump();
  return group.on('AppendEntriesResponse').at(-1)!;
};

/** A node `a` whose leader `b` is played by the test; only what is on the disk of `a` is at issue. */
const follower = (terms: readonly number[], currentTerm?: number) =>
  new TestGroup(['a', 'b'], {
    configuration: simpleConfiguration(['a']),
    logs: { a: { terms, ...(currentTerm === undefined ? {} : { currentTerm }) } },
  });

const entriesAt = (index: number, ...terms: number[]): Entry[] =>
  logOf([...Array<number>(index - 1).fill(0), ...terms]).slice(index - 1);

describe('a proposal', () => {
  it('is applied everywhere, in order, under the index and term that it was given', () => {
    const group = ledByA();
    expect(group.propose('a', 'x', 'y')).toEqual({ accepted: true, term: 1, index: 2 });
    group.tick(1 + HEARTBEAT);
    for (const id of 'abc') expect(group.node(id).applied.map(show)).toEqual(['1:-', '1:x', '1:y']);
  });

  it('is refused where there is no leader, and leaves no trace', () => {
    const group = ledByA();
    expect(group.propose('b', 'x')).toEqual({ accepted: false, reason: 'not_leader' });
    expect(group.node('b').log).toEqual(['1:-']);
  });

  it('is refused while too much is uncommitted, and accepted again once that is committed', () => {
    const group = ledByA({ config: { uncommittedBytesMax: 3 * SIZE } });
    group.isolate('a');
    for (const text of 'wxyz') expect(group.propose('a', text)).toMatchObject({ accepted: true });
    expect(group.propose('a', '!')).toEqual({ accepted: false, reason: 'uncommitted_limit' });
    expect(group.node('a').raft.status().uncommittedBytes).toBe(4 * SIZE);
    group.heal();
    group.tick(2 * HEARTBEAT);
    expect(group.node('a').raft.status().uncommittedBytes).toBe(0);
    expect(group.propose('a', '!')).toMatchObject({ accepted: true, index: 6 });
  });

  it('may be larger than the bound, when nothing else is uncommitted', () => {
    const group = ledByA({ config: { uncommittedBytesMax: 1, appendBytesMax: 1 } });
    expect(group.propose('a', 'large', 'and more')).toMatchObject({ accepted: true });
    group.tick(1 + HEARTBEAT);
    expect(group.node('c').applied.map(show)).toEqual(['1:-', '1:large', '1:and more']);
  });

  it('is not counted as uncommitted after the leadership is lost, nor are the entries of earlier leaders', () => {
    const group = ledByA();
    group.isolate('a');
    group.propose('a', 'x');
    group.tickUntil(() => group.node('a').role !== 'leader');
    expect(group.node('a').raft.status().uncommittedBytes).toBe(0);
    const heir = new TestGroup(['a', 'b', 'c'], { logs: { a: { terms: [1, 1] } } });
    heir.node('a').raft.campaign();
    heir.stabilize((message) => message.type !== 'AppendEntries');
    expect(heir.node('a').raft.status().uncommittedBytes).toBe(entryBytes({ ...logOf([2])[0]!, data: bytes('') }));
  });
});

describe('the window', () => {
  it('lets no more messages be unanswered than it may; what comes meanwhile travels together', () => {
    const group = ledByA({ config: { inflightMessagesMax: 3 } });
    for (const text of 'pqrstu') {
      group.propose('a', text);
      group.pump();
    }
    expect(onTheWay(group, 'b')).toEqual(['p', 'q', 'r']);
    // One answer makes room for one message, and all that waited is in it.
    const [first] = group.network.filter((message) => message.to === 'b');
    group.network.length = 0;
    group.hand(first!);
    group.node('b').pump();
    group.hand(group.on('AppendEntriesResponse')[0]!);
    group.pump();
    expect(onTheWay(group, 'b')).toEqual(['stu']);
  });

  it('lets no more bytes be unanswered than it may, but for the last message', () => {
    const group = ledByA({ config: { inflightBytesMax: 2 * SIZE, inflightMessagesMax: 100 } });
    for (const text of 'pqrs') {
      group.propose('a', text);
      group.pump();
    }
    expect(onTheWay(group, 'b')).toEqual(['p', 'q']);
  });

  it('fills a message up to its size', () => {
    const group = ledByA({ config: { appendBytesMax: 2 * SIZE } });
    group.propose('a', ...'pqrstuv');
    group.pump();
    expect(onTheWay(group, 'b')).toEqual(['pq', 'rs', 'tu', 'v']);
  });

  it('is per follower: one that does not answer holds up nobody else', () => {
    const group = ledByA({ config: { inflightMessagesMax: 1 } });
    group.crash('b');
    for (const text of 'pqr') {
      group.propose('a', text);
      group.stabilize();
    }
    expect(group.node('c').log).toEqual(['1:-', '1:p', '1:q', '1:r']);
  });

  it('opens again when all answers were lost', () => {
    const group = ledByA({ config: { inflightMessagesMax: 2 } });
    for (const text of 'pqrs') {
      group.propose('a', text);
      group.stabilize((message) => message.from === 'a');
    }
    expect(onTheWay(group, 'b')).toEqual([]);
    group.tick(HEARTBEAT);
    expect(['b', 'c'].map((id) => group.node(id).log.at(-1))).toEqual(['1:s', '1:s']);
  });

  it('opens again when everything was lost', () => {
    const group = ledByA({ config: { inflightMessagesMax: 2 } });
    for (const text of 'pqrs') {
      group.propose('a', text);
      group.stabilize(() => false);
    }
    group.tick(2 * HEARTBEAT);
    expect(group.node('b').log).toEqual(['1:-', '1:p', '1:q', '1:r', '1:s']);
  });
});

describe('what is lost, doubled or late', () => {
  it('is sent again when one message of many is lost', () => {
    const group = ledByA();
    for (const text of 'pqr') {
      group.propose('a', text);
      group.pump();
    }
    group.deliver((message) => !(message.type === 'AppendEntries' && message.entries.some((e) => show(e) === '1:q')));
    group.stabilize();
    expect(group.node('b').log).toEqual(['1:-', '1:p', '1:q', '1:r']);
  });

  it('is noticed by the next heartbeat when it was the last message', () => {
    const group = ledByA();
    group.propose('a', 'x');
    group.stabilize(() => false);
    expect(progressOf(group, 'b')).toMatchObject({ state: 'replicate', nextIndex: 3, matchIndex: 1 });
    group.tick(HEARTBEAT);
    expect(group.node('b').log).toEqual(['1:-', '1:x']);
  });

  it('does no harm in the wrong order, or twice', () => {
    const group = ledByA();
    for (const text of 'pqrs') {
      group.propose('a', text);
      group.pump();
    }
    const messages = group.network.splice(0);
    for (const message of [...messages.reverse(), ...messages]) {
      group.hand(message);
      group.pump();
    }
    group.stabilize();
    group.tick(2 * HEARTBEAT);
    expect(group.node('b').log).toEqual(['1:-', '1:p', '1:q', '1:r', '1:s']);
    expect(group.node('b').applied).toHaveLength(5);
  });

  it('does not truncate when it does not conflict, however old it is', () => {
    const group = follower([1, 1, 1]);
    expect(answerOf(group, { entries: entriesAt(1, 1) })).toMatchObject({ success: true, matchIndex: 1 });
    expect(answerOf(group, { prevLogIndex: 1, prevLogTerm: 1 })).toMatchObject({ success: true, matchIndex: 1 });
    expect(group.node('a').state.log.lastIndex).toBe(3);
  });

  it('truncates from the first entry that conflicts, and only there', () => {
    const group = follower([1, 1, 2, 2], 2);
    answerOf(group, { term: 3, prevLogIndex: 1, prevLogTerm: 1, entries: entriesAt(2, 1, 3) });
    expect(group.node('a').state.log.lastIndex).toBe(3);
    expect(group.node('a').disk.entries.map((entry) => entry.term)).toEqual([1, 1, 3]);
  });

  it('never truncates what is committed: the node stops instead', () => {
    const group = follower([1, 1]);
    answerOf(group, { prevLogIndex: 2, prevLogTerm: 1, leaderCommit: 2 });
    expect(() => answerOf(group, { term: 2, entries: entriesAt(1, 2) })).toThrow(InvariantViolationError);
  });

  it('takes nothing back from the leader: a late acknowledgement does not lower matchIndex', () => {
    const group = ledByA();
    group.propose('a', 'x', 'y');
    group.stabilize();
    group.hand(appendResponse({ matchIndex: 1 }));
    expect(progressOf(group, 'b')).toMatchObject({ matchIndex: 3, nextIndex: 4 });
  });

  it('a rejection that is late changes nothing', () => {
    const group = ledByA();
    group.propose('a', 'x', 'y');
    group.stabilize();
    group.hand(appendResponse({ success: false, rejectedIndex: 2, conflictIndex: 1 }));
    expect(progressOf(group, 'b')).toMatchObject({ state: 'replicate', matchIndex: 3, nextIndex: 4 });
    const prober = new TestGroup(['a', 'b', 'c'], { logs: { a: { terms: [1, 1, 1, 1] } } });
    prober.cut('a', 'b');
    prober.campaign('a');
    prober.heal();
    prober.hand(appendResponse({ term: 2, success: false, rejectedIndex: 2, conflictIndex: 1 }));
    expect(progressOf(prober, 'b')).toMatchObject({ state: 'probe', nextIndex: 5 });
  });

  it('an acknowledgement of what the leader does not have stops it', () => {
    const group = ledByA();
    expect(() => group.node('a').raft.step(appendResponse({ matchIndex: 9 }))).toThrow(InvariantViolationError);
  });
});

describe('a follower', () => {
  it('acknowledges entries only once they are synced', () => {
    const group = ledByA();
    group.node('b').isDiskSlow = true;
    group.propose('a', 'x');
    group.pump();
    group.deliver();
    expect(group.on('AppendEntriesResponse').map((message) => message.from)).toEqual(['c']);
    group.node('b').completePersist();
    expect(group.on('AppendEntriesResponse').at(-1)).toMatchObject({ from: 'b', matchIndex: 2 });
  });

  it('answers a heartbeat at once, with what it has synced so far', () => {
    const group = ledByA();
    group.node('b').isDiskSlow = true;
    group.propose('a', 'x');
    group.stabilize();
    const before = group.sent.length;
    group.tick(HEARTBEAT);
    const answers = group.sent.slice(before).filter((message) => message.from === 'b');
    expect(answers).toMatchObject([{ success: true, matchIndex: 1 }]);
    expect(group.node('b').state.log.lastIndex).toBe(2);
  });

  it('does not answer a heartbeat before its term is synced', () => {
    const group = follower([]);
    group.node('a').isDiskSlow = true;
    group.node('a').raft.step(appendEntries({ term: 3 }));
    group.pump();
    expect(group.network).toEqual([]);
    group.node('a').completePersist();
    expect(group.on('AppendEntriesResponse')).toMatchObject([{ term: 3, success: true }]);
  });

  it('lets one acknowledgement wait for the disk, however many requests there are', () => {
    const group = follower([], 1);
    const { raft } = group.node('a');
    group.node('a').isDiskSlow = true;
    raft.step(appendEntries({ entries: entriesAt(1, 1) }));
    group.pump();
    for (let i = 2; i <= 50; i++) {
      raft.step(appendEntries({ prevLogIndex: i - 1, prevLogTerm: 1, entries: entriesAt(i, 1), readContext: i }));
    }
    // An old one comes last.
    raft.step(appendEntries({ entries: entriesAt(1, 1) }));
    group.node('a').completePersist();
    expect(group.on('AppendEntriesResponse')).toMatchObject([{ matchIndex: 1 }]);
    group.pump();
    group.node('a').completePersist();
    expect(group.on('AppendEntriesResponse').slice(1)).toMatchObject([{ matchIndex: 50, readContext: 50 }]);
  });

  it('commits no further than what the message has verified', () => {
    const group = follower([1, 1, 1, 1]);
    answerOf(group, { term: 2, prevLogIndex: 2, prevLogTerm: 1, leaderCommit: 4 });
    expect(group.node('a').state.commitIndex).toBe(2);
    answerOf(group, { term: 2, prevLogIndex: 2, prevLogTerm: 1, entries: entriesAt(3, 2), leaderCommit: 9 });
    expect(group.node('a').state.commitIndex).toBe(3);
    answerOf(group, { term: 2, prevLogIndex: 3, prevLogTerm: 2, leaderCommit: 1 });
    expect(group.node('a').state.commitIndex).toBe(3);
  });

  it('applies nothing that it has not synced, even if it is committed', () => {
    const group = ledByA();
    group.node('b').isDiskSlow = true;
    group.propose('a', 'x');
    group.tick(2 * HEARTBEAT);
    expect(group.node('b').state.commitIndex).toBe(2);
    expect(group.node('b').applied).toHaveLength(1);
    group.node('b').completePersist();
    group.pump();
    expect(group.node('b').applied).toHaveLength(2);
  });

  it('acknowledges what it had synced before a truncation in the right order', () => {
    const group = follower([1, 1], 1);
    const a = group.node('a');
    a.isDiskSlow = true;
    a.raft.step(appendEntries({ prevLogIndex: 2, prevLogTerm: 1, entries: entriesAt(3, 1, 1) }));
    group.pump();
    // The batch (3, 4) is being written when a leader of a later term replaces entry 4.
    a.raft.step(appendEntries({ from: 'b', term: 2, prevLogIndex: 3, prevLogTerm: 1, entries: entriesAt(4, 2) }));
    a.completePersist();
    expect(a.state.log.persistedIndex).toBe(3);
    group.pump();
    a.completePersist();
    expect(group.on('AppendEntriesResponse').map(({ term, matchIndex }) => [term, matchIndex])).toEqual([
      [1, 4],
      [2, 4],
    ]);
    expect(a.disk.entries.map((entry) => entry.term)).toEqual([1, 1, 1, 2]);
  });
});

describe('finding where the logs agree (5.3)', () => {
  /** How many times a leader with the log `leading` probes a follower with the log `following`. */
  const probes = (leading: number[], following: number[]) => {
    const group = new TestGroup(['a', 'b', 'c'], {
      logs: { a: { terms: leading, currentTerm: 20 }, b: { terms: following, currentTerm: 20 } },
    });
    group.campaign('a');
    group.tick(HEARTBEAT);
    expect(group.node('b').log).toEqual(group.node('a').log);
    return group.sent.filter(
      (message) => message.type === 'AppendEntriesResponse' && !message.success && message.from === 'b',
    ).length;
  };

  const run = (term: number, count: number) => Array<number>(count).fill(term);

  it('takes one rejection for a follower that lacks entries, however many', () => {
    expect(probes(run(1, 50), run(1, 3))).toBe(1);
    expect(probes(run(1, 50), [])).toBe(1);
  });

  it('takes one rejection per conflicting term, not per entry', () => {
    expect(probes([...run(1, 5), ...run(9, 30)], [...run(1, 5), ...run(2, 30)])).toBe(1);
    expect(probes([...run(1, 5), ...run(9, 30)], [...run(1, 5), ...run(2, 10), ...run(3, 10), ...run(4, 10)])).toBe(3);
  });

  it('goes to the end of the term in the leader’s log when the leader has it too', () => {
    expect(probes([...run(1, 5), ...run(2, 3), ...run(9, 17)], [...run(1, 5), ...run(2, 20)])).toBe(1);
  });

  it('says which term conflicts, and where it begins', () => {
    const group = follower([1, 1, 2, 2, 2], 2);
    expect(answerOf(group, { term: 3, prevLogIndex: 5, prevLogTerm: 3 })).toMatchObject({
      success: false,
      rejectedIndex: 5,
      conflictTerm: 2,
      conflictIndex: 3,
    });
    expect(answerOf(group, { term: 3, prevLogIndex: 8, prevLogTerm: 3 })).toMatchObject({
      success: false,
      rejectedIndex: 8,
      conflictTerm: 0,
      conflictIndex: 6,
    });
  });

  it('probes a follower that has lost acknowledged entries no faster than the heartbeat', () => {
    const group = ledByA();
    group.propose('a', 'x', 'y');
    group.stabilize();
    group.node('a').raft.reportUnreachable('b');
    group.propose('a', 'z');
    group.node('a').pump();
    expect(progressOf(group, 'b')).toMatchObject({ state: 'probe', matchIndex: 3, nextIndex: 4 });
    const before = group.sent.length;
    for (let i = 0; i < 10; i++) {
      group.hand(appendResponse({ success: false, rejectedIndex: 3, conflictIndex: 1 }));
      group.node('a').pump();
    }
    expect(group.sent.slice(before)).toEqual([]);
  });

  it('sends a follower that does not answer the heartbeat and nothing else', () => {
    const group = new TestGroup(['a', 'b', 'c']);
    group.cut('a', 'b');
    group.campaign('a');
    const before = group.sent.length;
    for (let i = 0; i < 10; i++) group.propose('a', 'x');
    group.stabilize();
    group.tick(3 * HEARTBEAT);
    const toB = group.sent.slice(before).filter((message) => message.to === 'b') as AppendEntries[];
    expect(toB.map((message) => message.entries)).toEqual([[], [], []]);
  });
});

describe('entries that have left the memory', () => {
  /** Everything that is applied leaves the memory; `b` was away meanwhile. */
  const withLag = (options: TestGroupOptions = {}) => {
    const group = ledByA({ ...options, config: { cacheBytesMax: SIZE, appendBytesMax: 3 * SIZE, ...options.config } });
    group.crash('b');
    for (const text of 'pqrstuvwxyz') {
      group.propose('a', text);
      group.stabilize();
    }
    expect(group.node('a').state.log.slice(3, 3, Infinity)).toBeUndefined();
    return group;
  };

  it('are read back from the disk for a follower that needs them', () => {
    const group = withLag();
    group.restart('b');
    group.tick(4 * HEARTBEAT);
    expect(group.node('b').log).toEqual(group.node('a').log);
    expect(group.node('b').applied).toHaveLength(12);
  });

  it('are asked for once at a time, and meanwhile the heartbeats go on', () => {
    const group = withLag();
    group.node('a').isDiskSlow = true;
    group.restart('b');
    group.tick(20 * HEARTBEAT);
    expect(group.node('a').fetches).toMatchObject([{ to: 'b', from: 2 }]);
    expect([group.leaders, group.node('b').role]).toEqual([['a'], 'follower']);
    group.node('a').isDiskSlow = false;
    group.node('a').completeFetch();
    group.stabilize();
    expect(group.node('b').log).toEqual(group.node('a').log);
  });

  it('are asked for again at the next heartbeat, not before, when they could not be read', () => {
    const group = withLag();
    group.node('a').isDiskSlow = true;
    group.restart('b');
    group.tick(4 * HEARTBEAT);
    group.node('a').completeFetch(false);
    group.stabilize();
    expect(group.node('a').fetches).toEqual([]);
    group.tick(HEARTBEAT);
    expect(group.node('a').fetches).toMatchObject([{ to: 'b', from: 2 }]);
  });

  it('are not sent when they come too late to be of use', () => {
    const group = withLag();
    group.node('a').isDiskSlow = true;
    group.restart('b');
    group.tick(4 * HEARTBEAT);
    const [stale] = group.node('a').fetches;
    // b has got everything from elsewhere, as far as this leader can tell.
    group.node('b').raft.step(
      appendEntries({
        from: 'a',
        to: 'b',
        prevLogIndex: 1,
        prevLogTerm: 1,
        entries: group.node('a').entries.slice(1, 6),
      }),
    );
    group.stabilize();
    expect(progressOf(group, 'b')).toMatchObject({ matchIndex: 6 });
    const before = group.sent.length;
    group.node('a').completeFetch();
    group.pump();
    const sent = group.sent.slice(before).filter((message) => message.type === 'AppendEntries');
    expect([stale!.from, sent.filter((message) => message.entries[0]?.index === 2)]).toEqual([2, []]);
    // It asks for what is needed now.
    expect(group.node('a').fetches).toMatchObject([{ to: 'b', from: 7 }]);
  });

  it('are not sent when they are not the leader’s any more', () => {
    const group = withLag();
    group.node('a').isDiskSlow = true;
    group.restart('b');
    group.tick(4 * HEARTBEAT);
    const before = group.sent.length;
    group.node('a').raft.entriesFetched(
      'b',
      entriesAt(2, 0, 0).map((entry) => ({ ...entry, term: 9 })),
    );
    group.node('a').pump();
    expect(group.sent.slice(before).filter((message) => message.to === 'b')).toEqual([]);
  });

  it('do no harm when they arrive at a node that does not lead any more', () => {
    const group = withLag();
    group.node('b').raft.entriesFetched('c', entriesAt(2, 1));
    group.node('a').raft.entriesFetched('nobody', entriesAt(2, 1));
    group.stabilize();
    expect(group.leaders).toEqual(['a']);
  });
});

describe('a follower that is reported unreachable', () => {
  it('is probed from what it has stored', () => {
    const group = ledByA();
    group.cut('a', 'b');
    group.propose('a', 'x', 'y');
    group.stabilize();
    expect(progressOf(group, 'b')).toMatchObject({ state: 'replicate', nextIndex: 4 });
    group.node('a').raft.reportUnreachable('b');
    expect(progressOf(group, 'b')).toMatchObject({ state: 'probe', nextIndex: 2 });
    group.heal();
    group.stabilize();
    expect(group.node('b').log).toEqual(group.node('a').log);
  });

  it('is tried once for all reports between two heartbeats', () => {
    const group = ledByA();
    group.cut('a', 'b');
    group.propose('a', 'x');
    group.stabilize();
    const before = group.sent.length;
    for (let i = 0; i < 20; i++) {
      group.node('a').raft.reportUnreachable('b');
      group.stabilize();
    }
    expect(group.sent.slice(before).filter((message) => message.to === 'b')).toHaveLength(1);
  });

  it('may be anybody, also on a node that does not lead', () => {
    const group = ledByA();
    group.node('b').raft.reportUnreachable('c');
    group.node('a').raft.reportUnreachable('nobody');
    group.tick(HEARTBEAT);
    expect(group.leaders).toEqual(['a']);
  });
});

describe('a cluster of one', () => {
  it('hands nothing out before it is synced', () => {
    const group = new TestGroup(['a']);
    group.campaign('a');
    group.node('a').isDiskSlow = true;
    group.propose('a', 'x');
    group.tick(20);
    expect([group.node('a').state.commitIndex, group.node('a').applied.length]).toEqual([1, 1]);
    group.node('a').completePersist();
    group.pump();
    expect(group.node('a').applied.map(show)).toEqual(['1:-', '1:x']);
  });

  it('loses on a crash exactly what it had not handed out', () => {
    const group = new TestGroup(['a']);
    group.campaign('a');
    group.node('a').isDiskSlow = true;
    group.propose('a', 'x');
    group.pump();
    group.crash('a');
    group.restart('a');
    group.node('a').isDiskSlow = false;
    group.campaign('a');
    expect(group.node('a').applied.map(show)).toEqual(['1:-', '2:-']);
  });
});

describe('a learner', () => {
  it('receives the log and is never counted', () => {
    const group = new TestGroup(['a', 'b', 'c', 'x', 'y'], {
      configuration: { voters: ['a', 'b', 'c'], outgoingVoters: [], learners: ['x', 'y'] },
    });
    group.campaign('a');
    group.propose('a', 'p');
    group.tick(HEARTBEAT);
    expect(group.node('x').log).toEqual(group.node('a').log);
    group.cut('a', 'b');
    group.cut('a', 'c');
    group.propose('a', 'q');
    group.stabilize();
    expect(group.node('x').log.at(-1)).toBe('1:q');
    expect(group.node('a').state.commitIndex).toBe(2);
  });
});

describe('a leader with a slow disk', () => {
  it('commits with the disks of the others, and applies only what it has synced itself', () => {
    const group = ledByA();
    group.node('a').isDiskSlow = true;
    group.propose('a', 'x');
    group.tick(1 + HEARTBEAT);
    expect([group.node('a').state.commitIndex, group.node('a').applied.length]).toEqual([2, 1]);
    expect(group.node('b').applied.map(show)).toEqual(['1:-', '1:x']);
    group.node('a').completePersist();
    group.pump();
    expect(group.node('a').applied.map(show)).toEqual(['1:-', '1:x']);
  });

  it('does not count its own copy before it is synced', () => {
    const group = ledByA();
    group.node('a').isDiskSlow = true;
    group.crash('c');
    group.propose('a', 'x');
    group.tick(HEARTBEAT);
    expect(group.node('a').state.commitIndex).toBe(1);
    group.node('a').completePersist();
    expect(group.node('a').state.commitIndex).toBe(2);
  });
});

describe('a message from a stranger', () => {
  it('is not taken for a member’s acknowledgement', () => {
    const group = new TestGroup(['a', 'b', 'c', 'x'], {
      configuration: { voters: ['a', 'b', 'c'], outgoingVoters: [], learners: [] },
    });
    group.campaign('a');
    group.isolate('a');
    group.propose('a', 'p');
    group.heal();
    group.hand(appendResponse({ from: 'x', matchIndex: 2 }));
    expect(group.node('a').state.commitIndex).toBe(1);
  });
});
