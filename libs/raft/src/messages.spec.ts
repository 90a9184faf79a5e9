import type { Entry } from './entry.js';
import type { Message } from './messages.js';
import { isWellFormed } from './messages.js';
import { appendEntries, appendResponse, logOf, requestVote, TestGroup, voteResponse } from './testing/group.js';

const [first, second, third] = logOf([1, 1, 2]) as [Entry, Entry, Entry];

const wellFormed: [string, Message][] = [
  ['a heartbeat at the start', appendEntries({})],
  ['entries that follow', appendEntries({ term: 2, entries: [first, second, third] })],
  ['entries behind others', appendEntries({ term: 2, prevLogIndex: 1, prevLogTerm: 1, entries: [second, third] })],
  ['a request for a vote', requestVote({ term: 3, lastLogIndex: 3, lastLogTerm: 2 })],
  ['a vote', voteResponse({})],
  ['a rejection', appendResponse({ success: false, rejectedIndex: 4, conflictIndex: 2, conflictTerm: 1 })],
];

const malformed: [string, Message][] = [
  ['no number for a term', requestVote({ term: NaN })],
  ['a negative term', voteResponse({ term: -1 })],
  ['a fraction for a term', appendEntries({ term: 1.5 })],
  ['a term too large to be counted on', appendResponse({ term: 2 ** 53 })],
  ['a type that does not exist', { ...appendEntries({}), type: 'Nonsense' } as unknown as Message],
  ['a log that is newer than its candidate', requestVote({ term: 2, lastLogIndex: 1, lastLogTerm: 3 })],
  ['a last index without a term', requestVote({ lastLogIndex: 4 })],
  ['a term before the first index', appendEntries({ prevLogTerm: 1 })],
  ['a previous term after the leader’s', appendEntries({ term: 1, prevLogIndex: 3, prevLogTerm: 2 })],
  ['a gap behind the previous index', appendEntries({ entries: [second] })],
  ['a gap between entries', appendEntries({ term: 2, entries: [first, third] })],
  ['an entry twice', appendEntries({ entries: [first, first] })],
  ['entries whose terms fall', appendEntries({ term: 2, entries: [{ ...first, term: 2 }, second] })],
  [
    'entries of a term before that of the previous',
    appendEntries({ term: 3, prevLogIndex: 1, prevLogTerm: 2, entries: [second] }),
  ],
  [
    'an entry of a term after the leader’s',
    appendEntries({ term: 1, prevLogIndex: 2, prevLogTerm: 1, entries: [third] }),
  ],
  ['an entry of no term', appendEntries({ entries: [{ ...first, term: 0 }] })],
  ['an entry of an unknown type', appendEntries({ entries: [{ ...first, type: 9 as Entry['type'] }] })],
  ['a commit index that is no number', appendEntries({ leaderCommit: NaN })],
  ['a negative round', appendEntries({ readContext: -1 })],
  ['a negative match', appendResponse({ matchIndex: -1 })],
  ['a hint that is no number', appendResponse({ success: false, conflictIndex: NaN })],
  ['a conflict with a term that nobody has reached', appendResponse({ term: 1, success: false, conflictTerm: 2 })],
  ['a rejected index that is no number', appendResponse({ success: false, rejectedIndex: Infinity })],
  ['a round that is no number', appendResponse({ readContext: 0.5 })],
];

describe('isWellFormed', () => {
  it.each(wellFormed)('accepts %s', (_, message) => {
    expect(isWellFormed(message)).toBe(true);
  });

  it.each(malformed)('refuses %s', (_, message) => {
    expect(isWellFormed(message)).toBe(false);
  });
});

describe('Raft.step', () => {
  const all = malformed.map(([, message]) => message);
  const misdirected = [requestVote({ to: 'c', term: 9 }), requestVote({ from: 'a', term: 9 })];

  it('refuses what no correct node sends, and what is not for this node, without a trace', () => {
    const group = new TestGroup(['a', 'b', 'c'], { logs: { a: { terms: [1, 1, 2] } } });
    const before = JSON.stringify(group.node('a').raft.status());
    for (const message of [...all, ...misdirected]) expect(group.node('a').raft.step(message)).toBe(false);
    group.pump();
    expect(group.sent).toEqual([]);
    expect(JSON.stringify(group.node('a').raft.status())).toBe(before);
  });

  it('accepts the rest, whether it helps or not', () => {
    const group = new TestGroup(['a', 'b', 'c']);
    for (const [, message] of wellFormed) expect(group.node('a').raft.step(message)).toBe(true);
  });
});
