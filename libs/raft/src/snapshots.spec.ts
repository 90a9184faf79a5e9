import { EntryType } from './entry.js';
import type { InstallSnapshot, SnapshotMetadata } from './messages.js';
import { simpleConfiguration } from './configuration.js';
import { appendEntries, appendResponse, bytes, testConfig, TestGroup, type TestGroupOptions } from './testing/group.js';

const HEARTBEAT = testConfig.heartbeatTicks;

const ledByA = (ids = 'abc', options: TestGroupOptions = {}) => {
  const group = new TestGroup([...ids], { ...options, config: { retainedEntries: 0, ...options.config } });
  group.campaign('a');
  return group;
};

const write = (group: TestGroup, count: number) => {
  for (let i = 0; i < count; i++) {
    group.propose('a', `${group.node('a').state.log.lastIndex + 1}`);
    group.stabilize();
  }
};

/** c is down while a writes `count` entries and forgets them all. */
const withoutC = (count = 10, options: TestGroupOptions = {}) => {
  const group = ledByA('abc', options);
  group.crash('c');
  write(group, count);
  group.node('a').checkpoint();
  group.stabilize();
  return group;
};

const statesSent = (group: TestGroup) =>
  group.sent.filter((message): message is InstallSnapshot => message.type === 'InstallSnapshot');

const snapshotAt = (index: number, term: number): SnapshotMetadata => ({
  index,
  term,
  configuration: { index: 0, configuration: simpleConfiguration(['a', 'b', 'c']) },
});

const installSnapshot = (fields: Partial<InstallSnapshot>): InstallSnapshot => ({
  type: 'InstallSnapshot',
  from: 'b',
  to: 'a',
  term: 2,
  snapshot: snapshotAt(8, 1),
  ...fields,
});

/** A follower whose log has `terms`, of which it knows `committed` to be committed; with the raw core in view. */
const follower = (terms: number[], committed: number) => {
  const group = new TestGroup(['a', 'b', 'c'], { logs: { a: { terms, currentTerm: 2 }, b: { terms: [] } } });
  const { raft, state } = group.node('a');
  const at = { prevLogIndex: committed, prevLogTerm: terms[committed - 1] ?? 0 };
  raft.step(appendEntries({ term: 2, ...at, leaderCommit: committed }));
  const { committed: entries } = raft.takeReady();
  if (entries.length > 0) raft.applied(committed);
  return { raft, state };
};

describe('compaction', () => {
  it('forgets what is checkpointed, except for the entries to be retained', () => {
    const group = ledByA('abc', { config: { retainedEntries: 3 } });
    write(group, 9);
    group.node('a').checkpoint();
    group.stabilize();
    expect(group.node('a').raft.status().firstIndex).toBe(8);
    expect(group.node('a').base).toEqual({ index: 7, term: 1 });
    expect(group.node('b').base.index).toBe(0);
  });

  it('goes no further than the durable state, however much is applied', () => {
    const group = ledByA();
    write(group, 4);
    group.node('a').checkpoint();
    write(group, 4);
    expect(group.node('a').base.index).toBe(5);
    expect(() => group.node('a').raft.checkpointed(10)).toThrow(/only 9 is applied/);
  });

  it('never goes back', () => {
    const group = ledByA();
    write(group, 4);
    group.node('a').checkpoint();
    group.node('a').raft.checkpointed(3);
    expect(group.node('a').raft.takeReady().compactThrough).toBe(5);
    group.node('a').raft.checkpointed(2);
    expect(group.node('a').raft.takeReady().compactThrough).toBeUndefined();
  });

  it('leaves a log that a restart finds again', () => {
    const group = ledByA();
    write(group, 6);
    group.node('a').checkpoint();
    write(group, 2);
    group.crash('a');
    group.restart('a', 0);
    expect(group.node('a').raft.status()).toMatchObject({ firstIndex: 8, lastIndex: 9, appliedIndex: 7 });
    group.tickUntil(() => group.leader !== undefined);
    group.propose(group.leader!.id, 'more');
    group.tick(1 + HEARTBEAT);
    expect(group.node('a').applied.length).toBe(group.leader!.applied.length);
  });
});

describe('a leader whose log no longer has what a follower needs (section 7)', () => {
  it('asks for the state once the follower has said that it lacks the base, and for no second one', () => {
    const group = withoutC();
    group.node('a').areTransfersSlow = true;
    expect(statesSent(group)).toEqual([]);
    group.restart('c');
    group.tick(5 * HEARTBEAT);
    expect(group.node('a').requests).toEqual(['c']);
    expect(group.node('a').state.progress.get('c')?.state).toBe('snapshot');
  });

  it('sends no entries meanwhile, and no heartbeat that names what it has forgotten', () => {
    const group = withoutC();
    group.node('a').areTransfersSlow = true;
    group.restart('c');
    group.tick(HEARTBEAT);
    const before = group.sent.length;
    write(group, 3);
    group.tick(3 * HEARTBEAT);
    const toC = group.sent
      .slice(before)
      .flatMap((message) => (message.to === 'c' && message.type === 'AppendEntries' ? [message] : []));
    expect(toC.length).toBeGreaterThan(0);
    for (const { entries, prevLogIndex } of toC) expect([entries, prevLogIndex]).toEqual([[], 11]);
    expect(group.node('a').state.progress.get('c')?.state).toBe('snapshot');
  });

  it('brings it up to date with the state and the entries behind it', () => {
    const group = withoutC();
    group.restart('c');
    group.tick(HEARTBEAT);
    write(group, 3);
    group.tick(HEARTBEAT);
    expect(statesSent(group).map(({ snapshot }) => snapshot.index)).toEqual([11]);
    expect(group.node('c').base.index).toBe(11);
    expect(group.node('c').applied).toEqual(group.node('a').applied);
    expect(group.node('a').state.progress.get('c')).toMatchObject({ state: 'replicate', matchIndex: 14 });
  });

  it('tries again with the next heartbeat when the transfer has failed, not at once', () => {
    const group = withoutC();
    const a = group.node('a');
    a.areTransfersSlow = true;
    group.restart('c');
    group.tick(HEARTBEAT);
    a.startTransfer();
    group.network.length = 0;
    a.endTransfer(false);
    group.stabilize();
    expect(a.requests).toEqual([]);
    group.tick(HEARTBEAT);
    expect(a.requests).toEqual(['c']);
  });

  it('keeps what follows the state while it is brought and written: a transfer does not restart for ever', () => {
    const group = withoutC();
    const [a, c] = [group.node('a'), group.node('c')];
    a.areTransfersSlow = true;
    group.restart('c');
    group.tick(HEARTBEAT);
    a.startTransfer();
    const [message] = group.network.splice(0);
    write(group, 5);
    a.checkpoint();
    expect(a.base.index).toBe(11);
    c.isDiskSlow = true;
    group.hand(message!);
    a.endTransfer(true);
    group.tick(3 * HEARTBEAT);
    write(group, 5);
    a.checkpoint();
    expect(a.base.index).toBe(11);
    c.isDiskSlow = false;
    c.completePersist();
    group.tick(2 * HEARTBEAT);
    expect(statesSent(group)).toHaveLength(1);
    expect(c.applied).toEqual(a.applied);
    a.checkpoint();
    group.stabilize();
    expect(a.base.index).toBe(a.applied.length);
  });

  it('holds up compaction for nobody who has fallen silent with the state', () => {
    const group = withoutC();
    const a = group.node('a');
    a.areTransfersSlow = true;
    group.restart('c');
    group.tick(HEARTBEAT);
    a.startTransfer();
    group.network.length = 0;
    group.crash('c');
    a.endTransfer(true);
    write(group, 5);
    group.tick(testConfig.electionTimeoutTicks + 1);
    a.checkpoint();
    group.stabilize();
    expect(a.base.index).toBe(16);
  });

  it('is not confused by the end of a transfer of an earlier leadership', () => {
    const group = withoutC();
    const a = group.node('a');
    a.areTransfersSlow = true;
    group.restart('c');
    group.tick(HEARTBEAT);
    a.startTransfer();
    group.network.length = 0;
    a.raft.step(appendResponse({ term: 5, success: false, conflictIndex: 1 }));
    group.tickUntil(() => group.leader?.id === 'a' && a.state.progress.get('c')?.state === 'snapshot', 5000);
    // The driver is still busy with the first.
    expect(a.requests).toEqual([]);
    a.raft.snapshotEnded('c', true);
    group.stabilize();
    expect([a.requests, a.state.progress.get('c')?.pendingSnapshotIndex]).toEqual([[], 0]);
    group.tick(HEARTBEAT);
    expect(a.requests).toEqual(['c']);
    a.areTransfersSlow = false;
    group.tick(2 * HEARTBEAT);
    expect(group.node('c').applied).toEqual(a.applied);
  });

  it('takes no harm from an end that nobody waits for', () => {
    const group = ledByA();
    group.node('a').raft.snapshotEnded('b', true);
    group.node('a').raft.snapshotEnded('zz', false);
    expect(group.node('a').raft.snapshotStarted('b', 1)).toBeUndefined();
    write(group, 2);
    group.tick(HEARTBEAT);
    expect(group.node('b').applied).toHaveLength(3);
  });

  it('sends the state when the disk has forgotten what was to be read back', () => {
    const group = ledByA('abc', { config: { cacheBytesMax: 64 } });
    group.cut('a', 'c');
    write(group, 20);
    const a = group.node('a');
    a.isDiskSlow = true;
    group.heal();
    group.tick(HEARTBEAT);
    expect(a.fetches).toHaveLength(1);
    a.checkpoint();
    a.isDiskSlow = false;
    a.completeFetch();
    group.tick(3 * HEARTBEAT);
    expect(statesSent(group)).toHaveLength(1);
    expect(group.node('c').applied).toEqual(a.applied);
  });
});

describe('a follower that is brought a state (section 7)', () => {
  it('acknowledges what it has committed already, and installs nothing', () => {
    const { raft } = follower([1, 1, 1, 1], 4);
    raft.step(installSnapshot({ snapshot: snapshotAt(2, 1) }));
    const { messages, persist } = raft.takeReady();
    expect(persist).toBeUndefined();
    expect(messages).toMatchObject([{ success: true, matchIndex: 4 }]);
    expect(raft.status().firstIndex).toBe(1);
  });

  it('keeps the entries behind it when its log has the last one that it stands for', () => {
    const { raft } = follower([1, 1, 1, 1], 1);
    raft.step(installSnapshot({ snapshot: snapshotAt(3, 1) }));
    const { messages, persist, committed } = raft.takeReady();
    expect(persist).toBeUndefined();
    expect(messages).toMatchObject([{ success: true, matchIndex: 3 }]);
    expect(committed.map(({ index }) => index)).toEqual([2, 3]);
    expect(raft.status()).toMatchObject({ lastIndex: 4, commitIndex: 3 });
  });

  it.each([
    ['is too short', [1, 1]],
    ['has a conflicting entry there', [1, 1, 1, 1, 1, 1, 1, 1, 1]],
  ])('replaces a log that %s', (_, terms) => {
    const { raft } = follower(terms, 1);
    raft.step(installSnapshot({ snapshot: snapshotAt(8, 2) }));
    const { persist, messages, committed } = raft.takeReady();
    expect(persist).toMatchObject({ snapshot: { index: 8, term: 2 }, entries: [], messages: [{ matchIndex: 8 }] });
    expect([messages, committed]).toEqual([[], []]);
    expect(raft.status()).toMatchObject({
      firstIndex: 9,
      lastIndex: 8,
      persistedIndex: 0,
      commitIndex: 8,
      appliedIndex: 1,
    });
    raft.persisted();
    expect(raft.status()).toMatchObject({ persistedIndex: 8, appliedIndex: 8 });
  });

  it('counts nothing as synced before it is, also what follows it', () => {
    const { raft } = follower([1, 1], 2);
    raft.step(installSnapshot({ snapshot: snapshotAt(8, 1) }));
    raft.takeReady();
    const entries = [{ index: 9, term: 2, type: EntryType.Normal, data: bytes('9') }];
    raft.step(appendEntries({ term: 2, prevLogIndex: 8, prevLogTerm: 1, entries, leaderCommit: 9 }));
    raft.step(appendEntries({ term: 2, prevLogIndex: 8, prevLogTerm: 1, readContext: 0 }));
    const ready = raft.takeReady();
    expect(ready.messages).toMatchObject([{ success: true, matchIndex: 0 }]);
    expect([ready.persist, ready.committed]).toEqual([undefined, []]);
    raft.persisted();
    const next = raft.takeReady();
    expect(next.persist).toMatchObject({ snapshot: undefined, entries: [{ index: 9 }] });
    raft.persisted();
    expect(raft.takeReady().committed).toMatchObject([{ index: 9 }]);
  });

  it('lets the later of two win, and waits for the batch that is being written', () => {
    const { raft } = follower([1, 1], 1);
    raft.step(installSnapshot({ snapshot: snapshotAt(5, 1) }));
    expect(raft.takeReady().persist?.snapshot?.index).toBe(5);
    raft.step(installSnapshot({ snapshot: snapshotAt(8, 1) }));
    raft.step(installSnapshot({ snapshot: snapshotAt(7, 1) }));
    expect(raft.takeReady().persist).toBeUndefined();
    raft.persisted();
    expect(raft.status()).toMatchObject({ appliedIndex: 5, persistedIndex: 0, commitIndex: 8 });
    const { persist, committed } = raft.takeReady();
    expect(persist?.snapshot?.index).toBe(8);
    expect(persist?.messages).toMatchObject([{ matchIndex: 8 }]);
    expect(committed).toEqual([]);
    raft.persisted();
    expect(raft.status()).toMatchObject({ appliedIndex: 8, persistedIndex: 8 });
  });

  it('calls nothing committed on the disk ahead of it, and still syncs a new term first', () => {
    const { raft } = follower([1, 1, 1], 3);
    raft.step(installSnapshot({ term: 3, snapshot: snapshotAt(8, 2) }));
    expect(raft.takeReady().persist).toMatchObject({
      hardState: { currentTerm: 3, commitIndex: 0 },
      snapshot: { index: 8 },
    });
  });

  it('describes no state that is about to be replaced, and takes late reports of what was applied', () => {
    const { raft } = follower([1, 1, 1], 1);
    raft.step(appendEntries({ term: 2, prevLogIndex: 3, prevLogTerm: 1, leaderCommit: 3 }));
    expect(raft.takeReady().committed).toHaveLength(2);
    raft.step(installSnapshot({ snapshot: snapshotAt(8, 1) }));
    expect(raft.describeSnapshot(1)).toBeUndefined();
    raft.takeReady();
    raft.applied(2);
    raft.persisted();
    raft.applied(3);
    expect(raft.status().appliedIndex).toBe(8);
    expect(raft.describeSnapshot(8)).toMatchObject({ index: 8, term: 1 });
  });

  it('adopts the configuration of the state', () => {
    const { raft } = follower([1], 1);
    const configuration = { index: 6, configuration: simpleConfiguration(['a', 'b', 'c', 'd']) };
    raft.step(installSnapshot({ snapshot: { index: 8, term: 1, configuration } }));
    expect(raft.status()).toMatchObject({ configurationIndex: 6, configuration: { voters: ['a', 'b', 'c', 'd'] } });
  });

  it.each([0, 1, 2, 3, 4])('survives a crash after %i steps of the write', (steps) => {
    const group = withoutC();
    group.restart('c');
    const c = group.node('c');
    c.isDiskSlow = true;
    group.tick(3 * HEARTBEAT);
    // The term is new to it, too: hard state, state, new beginning.
    expect(c.writing?.snapshot?.index ?? group.node('a').requests.length).toBeDefined();
    group.crash('c', steps);
    c.isDiskSlow = false;
    group.restart('c');
    write(group, 2);
    group.tick(3 * HEARTBEAT);
    expect(c.applied).toEqual(group.node('a').applied);
  });
});
