import { EntryType } from './entry.js';
import { InvariantViolationError } from './errors.js';
import { appendEntries, appendResponse, bytes, logOf, requestVote, TestGroup, voteResponse } from './testing/group.js';

/** `a` alone, its effects taken by hand. */
const lone = (ids = 'abc') => {
  const group = new TestGroup([...ids]);
  return group.node('a').raft;
};

/** `a` leads `b` and `c` in term 1, with its no-op appended and not yet taken. */
const leading = () => {
  const group = new TestGroup(['a', 'b', 'c'], { config: { preVote: false } });
  const { raft } = group.node('a');
  raft.campaign();
  raft.takeReady();
  raft.persisted();
  raft.step(voteResponse({}));
  return raft;
};

describe('Ready', () => {
  it('asks for nothing when there is nothing to do', () => {
    const raft = lone();
    raft.takeReady();
    expect(raft.takeReady()).toEqual({
      messages: [],
      persist: undefined,
      committed: [],
      confirmedReads: [],
      rejectedReads: [],
      fetches: [],
      snapshots: [],
      compactThrough: undefined,
    });
  });

  it('lets a leader’s entries leave at once, beside the write of its own', () => {
    const raft = leading();
    const { messages, persist } = raft.takeReady();
    expect(messages).toMatchObject([
      { type: 'AppendEntries', to: 'b', entries: [{ type: EntryType.Noop }] },
      { type: 'AppendEntries', to: 'c', entries: [{ type: EntryType.Noop }] },
    ]);
    expect(persist).toMatchObject({ hardState: undefined, entries: [{ index: 1 }], messages: [] });
  });

  it('holds votes and acknowledgements in the batch that they depend on', () => {
    const raft = lone();
    raft.step(requestVote({ term: 3 }));
    const { messages, persist } = raft.takeReady();
    expect(messages).toEqual([]);
    expect(persist).toMatchObject({
      hardState: { currentTerm: 3, votedFor: 'b', commitIndex: 0 },
      entries: [],
      messages: [{ type: 'RequestVoteResponse', voteGranted: true }],
    });
  });

  it('puts a term into the same batch as the first entries of it, or an earlier one', () => {
    const raft = lone();
    raft.step(appendEntries({ term: 4, entries: logOf([4]) }));
    expect(raft.takeReady().persist).toMatchObject({ hardState: { currentTerm: 4 }, entries: [{ term: 4 }] });
  });

  it('hands out one batch at a time; what queues up meanwhile goes into the next', () => {
    const raft = lone();
    raft.step(appendEntries({ entries: logOf([1]) }));
    expect(raft.takeReady().persist!.entries).toHaveLength(1);
    for (const index of [2, 3]) {
      raft.step(
        appendEntries({ prevLogIndex: index - 1, prevLogTerm: 1, entries: logOf([1, 1, 1]).slice(index - 1, index) }),
      );
      expect(raft.takeReady()).toMatchObject({ persist: undefined, messages: [] });
    }
    raft.persisted();
    const { persist } = raft.takeReady();
    expect(persist!.entries.map((entry) => entry.index)).toEqual([2, 3]);
    expect(persist!.messages).toMatchObject([{ type: 'AppendEntriesResponse', matchIndex: 3 }]);
  });

  it('lets a promise leave at once when everything that it depends on is synced', () => {
    const raft = lone();
    raft.step(appendEntries({ entries: logOf([1]) }));
    raft.takeReady();
    raft.persisted();
    raft.takeReady();
    raft.step(appendEntries({ entries: logOf([1]) }));
    expect(raft.takeReady()).toMatchObject({ persist: undefined, messages: [{ success: true, matchIndex: 1 }] });
  });

  it('drops what was promised in a term that is over before it could leave', () => {
    const raft = lone();
    raft.step(appendEntries({ entries: logOf([1]) }));
    raft.takeReady();
    raft.step(appendEntries({ prevLogIndex: 1, prevLogTerm: 1, entries: logOf([1, 1]).slice(1) }));
    raft.step(appendEntries({ from: 'c', term: 2, prevLogIndex: 1, prevLogTerm: 1, entries: logOf([1, 2]).slice(1) }));
    raft.persisted();
    expect(raft.takeReady().persist!.messages).toMatchObject([{ to: 'c', term: 2, matchIndex: 2 }]);
  });

  it('never calls more committed on the disk than the disk holds before the batch', () => {
    const raft = lone();
    raft.step(appendEntries({ entries: logOf([1]) }));
    raft.takeReady();
    raft.persisted();
    raft.step(
      appendEntries({
        from: 'c',
        term: 2,
        prevLogIndex: 1,
        prevLogTerm: 1,
        entries: logOf([1, 2, 2]).slice(1),
        leaderCommit: 3,
      }),
    );
    expect(raft.takeReady().persist!.hardState).toEqual({ currentTerm: 2, votedFor: undefined, commitIndex: 1 });
  });

  it('hands out committed entries once, in order, in portions, and none while they are held back', () => {
    const group = new TestGroup(['a', 'b'], { config: { applyBytesMax: 1 }, logs: { a: { terms: [1, 1, 1] } } });
    const { raft } = group.node('a');
    raft.step(appendEntries({ prevLogIndex: 3, prevLogTerm: 1, leaderCommit: 2 }));
    expect(raft.takeReady(false).committed).toEqual([]);
    expect(raft.takeReady().committed.map((entry) => entry.index)).toEqual([1]);
    expect(raft.takeReady().committed.map((entry) => entry.index)).toEqual([2]);
    expect(raft.takeReady().committed).toEqual([]);
    raft.applied(2);
    expect(raft.status()).toMatchObject({ appliedIndex: 2, commitIndex: 2 });
  });

  it('hands out a committed entry only when it is synced here', () => {
    const raft = lone();
    raft.step(appendEntries({ entries: logOf([1]), leaderCommit: 1 }));
    expect(raft.takeReady().committed).toEqual([]);
    raft.persisted();
    expect(raft.takeReady().committed).toHaveLength(1);
  });

  it('confirms a read at an index that may still have to be applied', () => {
    const raft = lone('a');
    raft.campaign();
    raft.takeReady();
    raft.persisted();
    raft.takeReady();
    raft.persisted();
    raft.requestRead(7);
    const ready = raft.takeReady(false);
    expect(ready).toMatchObject({ committed: [], confirmedReads: [{ index: 1, contexts: [7] }] });
  });

  it('makes all proposals of a turn travel together', () => {
    const raft = leading();
    raft.takeReady();
    raft.propose([bytes('x')]);
    raft.propose([bytes('y'), bytes('z')]);
    // A probe is unanswered: the entries wait for it, and leave in one message.
    raft.step(appendResponse({ matchIndex: 1 }));
    expect(raft.takeReady().messages).toMatchObject([
      { to: 'b', prevLogIndex: 1, entries: [{ index: 2 }, { index: 3 }, { index: 4 }] },
    ]);
  });

  it('stops at completions of what it never asked for', () => {
    const raft = lone();
    expect(() => raft.persisted()).toThrow(InvariantViolationError);
    expect(() => raft.applied(1)).toThrow(InvariantViolationError);
    raft.step(appendEntries({ term: 2 }));
    raft.takeReady();
    raft.persisted();
    expect(() => raft.persisted()).toThrow(InvariantViolationError);
  });
});

describe('a restart', () => {
  const restore = (fields: { currentTerm?: number; applied?: number; commitIndex?: number }) => {
    const group = new TestGroup(['a', 'b', 'c'], { logs: { a: { terms: [1, 2, 2] } } });
    const node = group.node('a');
    node.disk.hardState = {
      currentTerm: fields.currentTerm ?? 2,
      votedFor: 'c',
      commitIndex: fields.commitIndex ?? 0,
    };
    node.crash();
    node.start(fields.applied ?? 0);
    return node;
  };

  it('finds term, vote, log and what was applied', () => {
    const node = restore({ currentTerm: 5, commitIndex: 2 });
    expect(node.raft.status()).toMatchObject({
      role: 'follower',
      term: 5,
      leaderId: undefined,
      lastIndex: 3,
      persistedIndex: 3,
      commitIndex: 2,
      appliedIndex: 0,
    });
    expect(node.raft.takeReady().committed.map((entry) => entry.index)).toEqual([1, 2]);
  });

  it('knows that what is applied is committed, whatever the hint says', () => {
    const node = restore({ commitIndex: 1, applied: 3 });
    expect(node.raft.status()).toMatchObject({ commitIndex: 3, appliedIndex: 3 });
    expect(node.raft.takeReady().committed).toEqual([]);
  });

  it('does not trust a hint behind the end of the log', () => {
    expect(restore({ commitIndex: 9 }).raft.status().commitIndex).toBe(3);
  });

  it('refuses a disk that forgot: an applied entry that is not in the log, a log after the term', () => {
    expect(() => restore({ applied: 4 })).toThrow(InvariantViolationError);
    expect(() => restore({ currentTerm: 1 })).toThrow(InvariantViolationError);
  });
});
