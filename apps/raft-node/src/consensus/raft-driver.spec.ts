import { encodeCommand, type Answer } from '@app/kv';
import { DriverUnderTest, eventually, nextTurn, set } from './testing/driver-under-test.js';

describe('RaftDriver', () => {
  let node: DriverUnderTest;

  afterEach(() => node.stop());

  it('answers a write when it is applied, and a read after it', async () => {
    node = await new DriverUnderTest().start(1);
    await eventually(() => node.driver.isLeader);
    await expect(node.write(set('k', 'v'))).resolves.toMatchObject({ kind: 'set', created: true });
    await expect(node.read()).resolves.toBe('read');
    const record = node.stateMachine.read({ kind: 'get', key: Uint8Array.from(Buffer.from('k')) });
    expect(record).toMatchObject({ found: true });
  });

  it('does not answer, nor apply, before the entry is synced', async () => {
    node = await new DriverUnderTest().start(1);
    await eventually(() => node.driver.isLeader && node.stateMachine.appliedIndex === 1);
    node.isDiskSlow = true;
    let isAnswered = false;
    const written = node.write(set('k', 'v')).then(() => (isAnswered = true));
    await eventually(() => node.raft.status().lastIndex === 2);
    for (let i = 0; i < 50; i++) await nextTurn();
    expect({ isAnswered, applied: node.stateMachine.appliedIndex }).toEqual({ isAnswered: false, applied: 1 });
    node.isDiskSlow = false;
    await written;
    expect(node.stateMachine.appliedIndex).toBe(2);
  });

  it('sends entries beside its own sync, but no vote before the sync', async () => {
    node = await new DriverUnderTest().start(3);
    node.isDiskSlow = true;
    node.inbox.received(
      {
        type: 'RequestVote',
        from: 'n2',
        to: 'n1',
        term: 5,
        lastLogIndex: 0,
        lastLogTerm: 0,
        preVote: false,
        isTransfer: false,
      },
      undefined,
    );
    await eventually(() => node.raft.status().term === 5);
    for (let i = 0; i < 50; i++) await nextTurn();
    expect(node.sent.filter((message) => message.type === 'RequestVoteResponse')).toEqual([]);
    node.isDiskSlow = false;
    await eventually(() => node.sent.some((m) => m.type === 'RequestVoteResponse' && m.voteGranted));

    node.playPeers('n2', 'n3');
    await eventually(() => node.driver.isLeader && node.stateMachine.appliedIndex > 0);
    node.isDiskSlow = true;
    const lastIndex = node.raft.status().lastIndex;
    const written = node.write(set('k', 'v'));
    await eventually(() =>
      node.sent.some((m) => m.type === 'AppendEntries' && m.entries.some((entry) => entry.index === lastIndex + 1)),
    );
    node.isDiskSlow = false;
    await expect(written).resolves.toMatchObject({ kind: 'set' });
  });

  it('puts the writes of one turn into one entry', async () => {
    node = await new DriverUnderTest().start(1);
    await eventually(() => node.driver.isLeader && node.stateMachine.appliedIndex === 1);
    await Promise.all(Array.from({ length: 100 }, (_, i) => node.write(set(`k${i}`, 'v'))));
    expect(node.raft.status().lastIndex).toBe(2);
    expect(node.stateMachine.revision).toBe(100);
  });

  it('as a leader puts the addresses that it knows into the configuration, once, and tells the directory what is in force', async () => {
    node = new DriverUnderTest();
    node.knownAddresses = { n1: '127.0.0.1:1' };
    await node.start(1);
    await eventually(() => node.raft.configuration.addresses !== undefined);
    const { lastIndex } = node.raft.status();
    await eventually(() => node.raft.status().commitIndex === lastIndex);
    await node.write(set('k', 'v'));
    expect(node.raft.status().lastIndex).toBe(lastIndex + 1);
    expect(node.followed.map(({ addresses }) => addresses)).toEqual([undefined, { n1: '127.0.0.1:1' }]);
  });

  it('on a full disk takes what frees space and refuses the rest, when nobody else can lead', async () => {
    node = await new DriverUnderTest().start(1);
    await eventually(() => node.driver.isLeader && node.stateMachine.appliedIndex === 1);
    await node.write(set('k', 'v'));
    node.condition.raise('storage_full', 'no room');
    const remove = encodeCommand({ kind: 'delete', key: Uint8Array.from(Buffer.from('k')) });
    let refusal: Answer | string = '';
    while (refusal !== 'STORAGE_FULL') {
      await nextTurn();
      refusal = await node.write(set('k', 'w'));
      expect(['NO_LEADER', 'STORAGE_FULL']).toContain(refusal);
    }
    await expect(node.read()).resolves.toBe('read');
    await expect(node.write(remove)).resolves.toMatchObject({ kind: 'delete', deleted: true });
    node.condition.clear('storage_full');
    await expect(node.write(set('k', 'w'))).resolves.toMatchObject({ kind: 'set', created: true });
  });

  it('on a full disk sends writers away, to come again, while it hands over', async () => {
    node = await new DriverUnderTest().start(3);
    node.playPeers('n2', 'n3');
    await eventually(() => node.driver.isLeader && node.stateMachine.appliedIndex === 1);
    node.condition.raise('storage_full', 'no room');
    await expect(node.write(set('k', 'v'))).resolves.toBe('NO_LEADER');
    await eventually(() => node.sent.some(({ type }) => type === 'TimeoutNow'));
    // Nobody takes over.
    let refusal: Answer | string = 'NO_LEADER';
    while (refusal === 'NO_LEADER') {
      await nextTurn();
      refusal = await node.write(set('k', 'v'));
    }
    expect(refusal).toBe('STORAGE_FULL');
  });

  it('stops for good after a failed write to the log', async () => {
    node = await new DriverUnderTest().start(1);
    await eventually(() => node.driver.isLeader && node.stateMachine.appliedIndex === 1);
    node.failure = new Error('EIO');
    const outcome = await node.write(set('k', 'v'));
    expect(outcome).toBe('OUTCOME_UNKNOWN');
    await eventually(() => node.fatal.length > 0);
    node.failure = undefined;
    await expect(node.write(set('k', 'v'))).resolves.toBe('SHUTTING_DOWN');
    expect(node.fatal).toHaveLength(1);
  });

  it('refuses what it cannot do, and says who can', async () => {
    node = await new DriverUnderTest().start(3);
    await expect(node.write(set('k', 'v'))).resolves.toBe('NO_LEADER');
    node.inbox.received(
      {
        type: 'AppendEntries',
        from: 'n2',
        to: 'n1',
        term: 1,
        prevLogIndex: 0,
        prevLogTerm: 0,
        entries: [],
        leaderCommit: 0,
        readContext: 0,
      },
      undefined,
    );
    await eventually(() => node.desk.leaderId === 'n2');
    await expect(node.write(set('k', 'v'))).resolves.toBe('NOT_LEADER');
    await expect(node.read()).resolves.toBe('NOT_LEADER');
  });

  it('ends an operation in its time when the wall clock is set back meanwhile', async () => {
    node = await new DriverUnderTest().start(3);
    node.playPeers('n2', 'n3');
    await eventually(() => node.driver.isLeader && node.stateMachine.appliedIndex === 1);
    node.isDiskSlow = true;
    const hourBefore = Date.now() - 3_600_000;
    const clock = jest.spyOn(Date, 'now');
    const outcome = node.write(set('k', 'v'), 50);
    clock.mockReturnValue(hourBefore);
    try {
      await expect(outcome).resolves.toBe('OUTCOME_UNKNOWN');
    } finally {
      clock.mockRestore();
    }
  });

  it('stops for good when it can not read its log back for a follower', async () => {
    node = await new DriverUnderTest().start(3);
    node.playPeers('n2');
    await eventually(() => node.driver.isLeader && node.stateMachine.appliedIndex === 1);
    // More than stays in memory.
    const value = 'x'.repeat(1024 * 1024);
    for (let i = 0; i < 20; i++) await node.write(set('k', value));
    node.failure = new Error('EIO');
    node.playPeers('n3');
    await eventually(() => node.fatal.length > 0);
    expect(node.fatal).toMatchObject([{ message: expect.stringContaining('EIO') as string }]);
  });

  it('stops for good also when a client can not be told', async () => {
    node = await new DriverUnderTest().start(1);
    await eventually(() => node.driver.isLeader && node.stateMachine.appliedIndex === 1);
    node.isDiskSlow = true;
    const reply = () => {
      throw new Error('the reply failed');
    };
    node.desk.write(set('k', 'v'), Infinity, reply);
    await eventually(() => node.raft.status().lastIndex === 2);
    node.failure = new Error('EIO');
    node.isDiskSlow = false;
    await eventually(() => node.fatal.length > 0);
    expect(node.fatal).toMatchObject([{ message: expect.stringContaining('EIO') as string }]);
  });

  it('leaves the last answers time to leave before the servers close', async () => {
    node = await new DriverUnderTest().start(1);
    await eventually(() => node.driver.isLeader && node.stateMachine.appliedIndex === 1);
    node.isDiskSlow = true;
    let hasLeft = false;
    // As the streams do it: in the next turn, then through a socket.
    const written = node.write(set('k', 'v')).then(() => setImmediate(() => setTimeout(() => (hasLeft = true), 5)));
    await eventually(() => node.raft.status().lastIndex === 2);
    node.drainTimeoutMs = 0;
    await node.driver.beforeApplicationShutdown();
    await written;
    expect(hasLeft).toBe(true);
  });
});
