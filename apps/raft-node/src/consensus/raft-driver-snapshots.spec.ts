import { MemoryKeySpace, StateMachine, encodeBatch, encodeCommand } from '@app/kv';
import { EntryType, simpleConfiguration, type AppendEntries, type InstallSnapshot, type Message } from '@app/raft';
import type { StagedState } from '@app/storage';
import { DriverUnderTest, eventually, nextTurn, set } from './testing/driver-under-test.js';
import { FakeStaged } from './testing/fake-state-store.js';

const INDEX = 20;

function stateOfLeader(): FakeStaged {
  const rows = new MemoryKeySpace();
  const donor = new StateMachine(rows);
  const commands = [encodeCommand({ kind: 'openSession' }), set('k', 'of the leader')];
  for (let index = 1; index <= INDEX; index++) {
    donor.apply([{ index, data: index === 1 ? encodeBatch(1, commands) : Uint8Array.of() }]);
  }
  return new FakeStaged(rows);
}

const install = (more: Partial<InstallSnapshot> = {}): InstallSnapshot => ({
  type: 'InstallSnapshot',
  from: 'n2',
  to: 'n1',
  term: 4,
  snapshot: {
    index: INDEX,
    term: 3,
    configuration: { index: 0, configuration: simpleConfiguration(['n1', 'n2', 'n3']) },
  },
  ...more,
});

const append = (more: Partial<AppendEntries> = {}): AppendEntries => ({
  type: 'AppendEntries',
  from: 'n2',
  to: 'n1',
  term: 4,
  prevLogIndex: 0,
  prevLogTerm: 0,
  entries: [],
  leaderCommit: 0,
  readContext: 0,
  ...more,
});

describe('RaftDriver and the states of other members', () => {
  let node: DriverUnderTest;
  let released: number;
  let onEnd: () => void;

  beforeEach(() => {
    node = new DriverUnderTest();
    released = 0;
    onEnd = () => undefined;
  });
  afterEach(() => {
    onEnd();
    return node.stop();
  });

  const arrive = (staged: FakeStaged, message = install()) =>
    node.inbox.snapshotReceived({
      message,
      incarnation: 'disk-of-n2',
      staged: staged as unknown as StagedState,
      release: () => (released += 1),
    });

  const acknowledged = () =>
    Math.max(0, ...node.sent.map((m) => (m.type === 'AppendEntriesResponse' && m.success ? m.matchIndex : 0)));

  it('takes one in, tells the leader only then, and shows nobody the half of it', async () => {
    await node.start(3);
    let goOn: (() => void) | undefined;
    node.store.beforeInstall = () => new Promise((resolve) => (goOn = resolve));
    expect(node.desk.staleReadRefusal).toBeUndefined();
    const staged = stateOfLeader();
    expect(arrive(staged)).toBe(true);
    await eventually(() => goOn !== undefined);
    for (let i = 0; i < 20; i++) await nextTurn();
    expect({ acknowledged: acknowledged(), released, refusal: node.desk.staleReadRefusal?.code }).toEqual({
      acknowledged: 0,
      released: 0,
      refusal: 'NO_LEADER',
    });

    goOn!();
    await eventually(() => acknowledged() === INDEX);
    expect(node.desk.staleReadRefusal).toBeUndefined();
    expect(node.stateMachine).toMatchObject({ appliedIndex: INDEX, sessionCount: 1 });
    expect(node.wal.base).toEqual({ index: INDEX, term: 3 });
    expect(released).toBe(1);

    const data = encodeBatch(2, [set('k2', 'v')]);
    const next = { index: INDEX + 1, term: 4, type: EntryType.Normal, data };
    node.inbox.received(
      append({ prevLogIndex: INDEX, prevLogTerm: 3, entries: [next], leaderCommit: INDEX + 1 }),
      undefined,
    );
    await eventually(() => node.stateMachine.appliedIndex === INDEX + 1);
    expect(node.store.description).toMatchObject({ index: INDEX + 1, term: 4 });
    expect(node.fatal).toEqual([]);
  });

  it('puts away one that it does not need: kept for the next transfer if it still lacks the entries', async () => {
    await node.start(3);
    node.inbox.received(append({ term: 5 }), 'disk-of-n2');
    const late = stateOfLeader();
    arrive(late);
    await eventually(() => released === 1);
    expect(late.end).toBe('closed');

    const entries = Array.from({ length: INDEX }, (_, i) => ({
      index: i + 1,
      term: 3,
      type: EntryType.Noop,
      data: Uint8Array.of(),
    }));
    node.inbox.received(append({ term: 5, entries, leaderCommit: INDEX }), 'disk-of-n2');
    await eventually(() => node.stateMachine.appliedIndex === INDEX);
    const superfluous = stateOfLeader();
    arrive(superfluous, install({ term: 5 }));
    await eventually(() => released === 2);
    expect(superfluous.end).toBe('discarded');
    expect(node.fatal).toEqual([]);
  });

  it('takes the same one, arriving twice, for what it is', async () => {
    await node.start(3);
    arrive(stateOfLeader());
    await eventually(() => acknowledged() === INDEX);
    const again = stateOfLeader();
    arrive(again);
    await eventually(() => released === 2);
    expect(again.end).toBe('discarded');
  });

  it('sends its own to who needs it, and keeps the log behind it until it knows', async () => {
    node.retainedEntries = 0;
    node.segmentBytesMax = 64 * 1024;
    await node.start(3);
    node.playPeers('n2');
    await eventually(() => node.driver.isLeader && node.stateMachine.appliedIndex === 1);
    for (let i = 0; i < 10; i++) await node.write(set('k', 'x'.repeat(30_000)));
    node.stateEvents.synced(node.store.sync());
    await eventually(() => node.raft.status().firstIndex === node.stateMachine.appliedIndex + 1);
    await eventually(() => node.wal.base.index > 0);

    // It was not there so far, and has nothing.
    const answered = new Set<Message>();
    const answer = setInterval(() => {
      for (const request of node.sent) {
        if (request.type !== 'AppendEntries' || request.to !== 'n3' || answered.has(request)) continue;
        answered.add(request);
        const { term, prevLogIndex: rejectedIndex, readContext } = request;
        const hint = { rejectedIndex, conflictTerm: 0, conflictIndex: 1 };
        const head = { type: 'AppendEntriesResponse', from: 'n3', to: 'n1', term, readContext } as const;
        node.inbox.received({ ...head, ...hint, success: rejectedIndex === 0, matchIndex: 0 }, undefined);
      }
    }, 1);
    onEnd = () => clearInterval(answer);
    await eventually(() => node.snapshotsSent.length === 1);
    const [{ message, done }] = node.snapshotsSent as [(typeof node.snapshotsSent)[0]];
    expect(message).toMatchObject({ to: 'n3', snapshot: { index: node.store.syncedAppliedIndex } });

    const pinned = message.snapshot.index;
    for (let i = 0; i < 3; i++) await node.write(set('k', 'y'));
    node.stateEvents.synced(node.store.sync());
    for (let i = 0; i < 20; i++) await nextTurn();
    expect(node.raft.status().firstIndex).toBe(pinned + 1);
    done(false);
    await eventually(() => node.snapshotsSent.length === 2);
    expect(node.snapshotsSent[1]!.message.snapshot.index).toBeGreaterThan(pinned);
  });
});
