import { EntryType, type AppendEntries, type Entry } from '@app/raft';
import { DriverUnderTest, eventually, nextTurn, set } from './testing/driver-under-test.js';

/** What the next leader, n2, sends. */
const append = (term: number, prevLogIndex: number, prevLogTerm: number, entries: readonly Entry[]): AppendEntries => ({
  type: 'AppendEntries',
  from: 'n2',
  to: 'n1',
  term,
  prevLogIndex,
  prevLogTerm,
  entries,
  leaderCommit: prevLogIndex + entries.length,
  readContext: 0,
});

const noop = (index: number, term: number): Entry => ({ index, term, type: EntryType.Noop, data: Uint8Array.of() });

describe('RaftDriver, when the leadership goes', () => {
  let node: DriverUnderTest;

  afterEach(() => node.stop());

  async function lead(): Promise<{ index: number; term: number }> {
    node = new DriverUnderTest();
    node.electionTimeoutMs = 200;
    await node.start(3);
    node.playPeers('n2', 'n3');
    await eventually(() => node.driver.isLeader && node.stateMachine.appliedIndex === 1);
    const { lastIndex, term } = node.raft.status();
    return { index: lastIndex, term };
  }

  /** A write that is in the log here, and on no disk. */
  async function inFlight(): Promise<{ outcome: ReturnType<DriverUnderTest['write']>; index: number; term: number }> {
    const { index, term } = await lead();
    node.isDiskSlow = true;
    node.stopPeers();
    const outcome = node.write(set('k', 'v'));
    await eventually(() => node.raft.status().lastIndex === index + 1);
    return { outcome, index: index + 1, term };
  }

  it('answers an entry as applied when the next leader commits it', async () => {
    const { outcome, index, term } = await inFlight();
    node.inbox.received(append(term + 1, index, term, [noop(index + 1, term + 1)]), undefined);
    node.isDiskSlow = false;
    await expect(outcome).resolves.toMatchObject({ kind: 'set', created: true });
    expect(node.driver.isLeader).toBe(false);
  });

  it('answers it as not applied when the next leader has put another in its place', async () => {
    const { outcome, index, term } = await inFlight();
    node.inbox.received(append(term + 1, index - 1, term, [noop(index, term + 1)]), undefined);
    node.isDiskSlow = false;
    await expect(outcome).resolves.toBe('NOT_LEADER');
  });

  it('answers it as unknown when nothing is heard of it for an election timeout', async () => {
    const { outcome, index, term } = await inFlight();
    node.inbox.received({ ...append(term + 1, index - 1, term, []), leaderCommit: 0 }, undefined);
    await expect(outcome).resolves.toBe('OUTCOME_UNKNOWN');
  });

  it('asked to stop, it serves until another leads, and then sends everyone there', async () => {
    const { term } = await lead();
    const stopped = node.driver.beforeApplicationShutdown();
    await eventually(() => node.sent.some((message) => message.type === 'TimeoutNow'));
    await expect(node.read()).resolves.toBe('read');
    await expect(node.write(set('k', 'v'))).resolves.toBe('NO_LEADER');
    const { lastIndex } = node.raft.status();
    node.inbox.received(append(term + 1, lastIndex, term, [noop(lastIndex + 1, term + 1)]), undefined);
    await stopped;
    expect(node.condition.has('stopping')).toBe(true);
    expect(node.driver.leaderId).toBe('n2');
    await expect(node.write(set('k', 'v'))).resolves.toBe('SHUTTING_DOWN');
    expect(node.desk.staleReadRefusal).toBeUndefined();
  });

  it('in trouble, it hands over to each that is within reach, one after the other, and leads on meanwhile', async () => {
    await lead();
    node.condition.raise('disk_slow', 'slow');
    const asked = () => new Set(node.sent.flatMap((message) => (message.type === 'TimeoutNow' ? [message.to] : [])));
    await eventually(() => asked().size === 2);
    expect(node.raft.status().candidacy).toBe('reluctant');
    node.condition.clear('disk_slow');
    await eventually(() => node.raft.status().transferTo === undefined);
    await expect(node.write(set('k', 'v'))).resolves.toMatchObject({ kind: 'set' });
    expect(node.raft.status().candidacy).toBe('ready');
  });

  it('changes the membership, and says how that went', async () => {
    node = await new DriverUnderTest().start(1);
    await eventually(() => node.driver.isLeader && node.stateMachine.appliedIndex === 1);
    const change = (names: { addLearners?: string[]; promote?: string[] }) =>
      new Promise((resolve) => node.driver.changeMembership(names, performance.now() + 60_000, resolve));
    await expect(change({ addLearners: ['n2'] })).resolves.toMatchObject({ kind: 'applied' });
    expect(node.raft.status().configuration).toMatchObject({ voters: ['n1'], learners: ['n2'] });
    await expect(change({ addLearners: ['n2'] })).resolves.toMatchObject({ kind: 'rejected', reason: 'invalid' });
    await expect(change({ promote: ['n2'] })).resolves.toMatchObject({ kind: 'rejected', reason: 'not_caught_up' });
    await node.driver.beforeApplicationShutdown();
    await expect(change({ addLearners: ['n3'] })).resolves.toMatchObject({
      kind: 'refused',
      refusal: { code: 'SHUTTING_DOWN' },
    });
  });

  it('asked to stop, it waits for what it has passed on to the leader', async () => {
    await lead();
    node.desk.passedOn = 1;
    node.drainTimeoutMs = 60_000;
    const stopped = node.driver.beforeApplicationShutdown();
    while ((await node.write(set('k', 'v'))) !== 'SHUTTING_DOWN') await nextTurn();
    // It looks every other millisecond.
    const sinceMs = performance.now();
    await eventually(() => performance.now() > sinceMs + 40);
    expect(node.driver.isStopped).toBe(false);
    node.desk.passedOn = 0;
    await stopped;
  });

  it('stopped, it tells those whose reads and transfers were waiting why', async () => {
    await lead();
    node.stopPeers();
    const read = node.read();
    const transferred = new Promise((resolve) => {
      const refused = node.driver.transferLeadership('n2', performance.now() + 60_000, resolve);
      expect(refused).toBeUndefined();
    });
    expect(node.driver.pendingOperations).toBe(2);
    node.driver.input(() => {
      throw new Error('it can go on no longer');
    });
    await expect(read).resolves.toBe('SHUTTING_DOWN');
    await expect(transferred).resolves.toMatchObject({ code: 'SHUTTING_DOWN' });
  });
});
