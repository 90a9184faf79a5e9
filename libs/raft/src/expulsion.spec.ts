import { decodeConfiguration } from './configuration-codec.js';
import type { MembershipChange } from './membership-change.js';
import type { Message, MembershipNotice } from './messages.js';
import { EntryType } from './entry.js';
import { requestVote, testConfig, TestGroup, type TestGroupOptions } from './testing/group.js';

const TIMEOUT = testConfig.electionTimeoutTicks;
const HEARTBEAT = testConfig.heartbeatTicks;

const ledByA = (options: TestGroupOptions = {}, ids = 'abc') => {
  const group = new TestGroup([...ids], options);
  group.campaign('a');
  group.tick(HEARTBEAT);
  expect(group.leaders).toEqual(['a']);
  return group;
};

const change = (group: TestGroup, wanted: MembershipChange) => {
  const result = group.leader!.raft.proposeChange(wanted);
  if (!result.accepted) throw new Error(`${result.reason}: ${result.detail}`);
  return result.index;
};

const notice = (fields: Partial<MembershipNotice>): MembershipNotice => ({
  type: 'MembershipNotice',
  from: 'a',
  to: 'c',
  term: 1,
  reason: 'removed',
  configurationIndex: 5,
  ...fields,
});

const noticesTo = (group: TestGroup, id: string) =>
  group.sent.filter((message): message is MembershipNotice => message.type === 'MembershipNotice' && message.to === id);

const expulsionOf = (group: TestGroup, id: string) => group.node(id).state.expulsion;

describe('a removed node', () => {
  it('is still sent its removal, learns that it is committed, and stays quiet', () => {
    const group = ledByA();
    const index = change(group, { remove: ['c'] });
    group.tick(3 * HEARTBEAT);
    expect(group.node('c').state.commitIndex).toBeGreaterThanOrEqual(index);
    expect(expulsionOf(group, 'c')).toBe('removed');
    expect(group.node('a').state.progress.has('c')).toBe(false);
    const { length } = group.sent;
    group.tick(5 * TIMEOUT);
    group.campaign('c');
    expect(group.sent.slice(length).filter(({ from, to }) => [from, to].includes('c'))).toEqual([]);
    expect(noticesTo(group, 'c')).toEqual([]);
  });

  it('is not reported as a member while it is sent its removal', () => {
    const group = ledByA();
    group.isolate('c');
    change(group, { remove: ['c'] });
    group.stabilize();
    expect(group.node('a').state.progress.has('c')).toBe(true);
    expect(
      group
        .node('a')
        .raft.status()
        .members.map(({ id }) => id),
    ).toEqual(['b']);
  });

  it('that cannot be reached is given up after four election timeouts', () => {
    const group = ledByA();
    group.crash('c');
    change(group, { remove: ['c'] });
    group.tick(4 * TIMEOUT - 1);
    expect(group.node('a').state.progress.has('c')).toBe(true);
    group.tick(HEARTBEAT);
    expect(group.node('a').state.progress.has('c')).toBe(false);
  });

  it.each([
    [{ preVote: true, checkQuorum: true }],
    [{ preVote: false, checkQuorum: true }],
    [{ preVote: true, checkQuorum: false }],
  ])('that never got its removal is told when it campaigns, and moves nobody, with %j', (config) => {
    const group = ledByA({ config });
    group.isolate('c');
    change(group, { remove: ['c'] });
    group.tick(6 * TIMEOUT);
    group.heal();
    group.tick(3 * TIMEOUT);
    expect(noticesTo(group, 'c').length).toBeGreaterThan(0);
    expect(expulsionOf(group, 'c')).toBe('removed');
    expect(group.node('c').role).toBe('follower');
    expect(group.leaders).toEqual(['a']);
    expect(group.node('a').state.currentTerm).toBe(1);
    const { length } = group.sent;
    group.tick(5 * TIMEOUT);
    expect(group.sent.slice(length).filter(({ from }) => from === 'c')).toEqual([]);
  });

  it('still votes, for it may be needed by who does not know yet', () => {
    const group = ledByA();
    group.node('c').raft.step(notice({}));
    group.crash('a');
    group.tick(TIMEOUT, () => false);
    group.campaign('b');
    expect(group.leaders).toEqual(['b']);
  });

  it('belongs to the cluster again when a later configuration has it', () => {
    const group = ledByA();
    change(group, { remove: ['c'] });
    group.tick(3 * HEARTBEAT);
    expect(expulsionOf(group, 'c')).toBe('removed');
    change(group, { addLearners: ['c'] });
    group.tick(3 * HEARTBEAT);
    expect(expulsionOf(group, 'c')).toBeUndefined();
    change(group, { promote: ['c'] });
    group.tick(3 * HEARTBEAT);
    group.crash('a');
    group.tick(TIMEOUT, () => false);
    group.campaign('c');
    expect(group.leaders).toEqual(['c']);
  });
});

describe('a node that joins', () => {
  it('does not take the configurations from before its time for its removal', () => {
    const group = ledByA();
    change(group, { remove: ['c'] });
    group.tick(HEARTBEAT);
    group.add('d', { appendBytesMax: 1 });
    const expulsions = new Set<string | undefined>();
    change(group, { addLearners: ['d'] });
    for (let wave = 0; wave < 50; wave++) {
      group.pump();
      group.deliver();
      expulsions.add(expulsionOf(group, 'd'));
      if (wave % 10 === 0) group.tick(1);
    }
    expect(group.node('d').log).toEqual(group.node('a').log);
    expect([...expulsions]).toEqual([undefined]);
  });

  it('tells nobody that he is removed: it does not know', () => {
    const group = ledByA();
    const node = group.add('d');
    node.raft.step(requestVote({ from: 'b', to: 'd', term: 7 }));
    group.pump();
    expect(noticesTo(group, 'b')).toEqual([]);
  });
});

describe('a notice', () => {
  it('ends a campaign, whatever its term is, and changes nothing else', () => {
    for (const term of [0, 1, 99]) {
      const group = ledByA();
      group.isolate('c');
      group.tickUntil(() => group.node('c').role === 'preCandidate', 5 * TIMEOUT);
      const { currentTerm, votedFor, configuration } = group.node('c').state;
      expect(group.node('c').raft.step(notice({ term }))).toBe(true);
      expect(group.node('c').role).toBe('follower');
      expect(group.node('c').state).toMatchObject({ currentTerm, votedFor, configuration, expulsion: 'removed' });
    }
  });

  it('is ignored by who has heard of a later configuration: it is an old one', () => {
    const group = ledByA();
    group.add('d');
    const index = change(group, { addLearners: ['d'] });
    group.tick(HEARTBEAT);
    group.node('c').raft.step(notice({ configurationIndex: index - 1 }));
    expect(expulsionOf(group, 'c')).toBeUndefined();
  });

  it('is believed by who holds its removal and does not know that it is committed', () => {
    const group = ledByA();
    group.cut('a', 'b');
    const index = change(group, { remove: ['c'] });
    group.pump();
    group.deliver();
    group.isolate('c');
    expect(group.node('c').state.configurations.currentIndex).toBe(index);
    expect(expulsionOf(group, 'c')).toBeUndefined();
    group.node('c').raft.step(notice({ configurationIndex: index }));
    expect(expulsionOf(group, 'c')).toBe('removed');
  });

  it('is believed also by who has changed the configuration in vain, at a later place in its log', () => {
    const group = ledByA();
    group.isolate('a');
    group.add('d');
    group.propose('a', 'lost', 'lost', 'lost');
    const lost = change(group, { addLearners: ['d'] });
    group.tickUntil(() => group.leader !== undefined && group.leader.id !== 'a', 5 * TIMEOUT);
    group.tick(HEARTBEAT);
    expect(change(group, { remove: ['a'] })).toBeLessThan(lost);
    group.tick(6 * TIMEOUT);
    group.heal();
    group.tick(3 * TIMEOUT);
    expect(group.node('a').state.configurations.currentIndex).toBe(lost);
    expect(expulsionOf(group, 'a')).toBe('removed');
  });

  it('goes only to candidates that are neither in the committed nor in the present configuration', () => {
    const group = ledByA();
    group.add('d');
    group.isolate('b');
    group.isolate('c');
    const ask = (from: string) => {
      const { length } = group.sent;
      group.node('a').raft.step(requestVote({ from, to: 'a', term: 2, preVote: true }));
      group.pump();
      return group.sent.slice(length).filter(({ type }) => type === 'MembershipNotice').length;
    };
    expect(ask('z')).toBe(0);
    change(group, { addLearners: ['d'] });
    expect([ask('d'), ask('z')]).toEqual([0, 0]);
    group.heal();
    group.tick(2 * HEARTBEAT);
    expect([ask('b'), ask('d'), ask('z')]).toEqual([0, 0, 1]);
    group.isolate('b');
    group.isolate('c');
    change(group, { remove: ['b'] });
    expect(ask('b')).toBe(0);
  });
});

describe('incarnations', () => {
  const named = { configs: Object.fromEntries([...'abcd'].map((id) => [id, { incarnation: `${id}1` }])) };
  const recordOf = (group: TestGroup, id: string) => group.node(id).state.configuration.incarnations;
  const stepFrom = (group: TestGroup, message: Message, incarnation: string | undefined) =>
    group.node(message.to).raft.step(message, incarnation);

  it('are recorded in the log soon after an election, in few entries', () => {
    const group = ledByA(named);
    group.tick(5 * HEARTBEAT);
    for (const id of ['a', 'b', 'c']) expect(recordOf(group, id)).toEqual({ a: 'a1', b: 'b1', c: 'c1' });
    const entries = group.node('a').entries.filter(({ type }) => type === EntryType.Configuration);
    expect(entries).toHaveLength(1);
    expect(decodeConfiguration(entries[0]!.data)?.voters).toEqual(['a', 'b', 'c']);
    group.tick(5 * TIMEOUT);
    expect(group.node('a').state.log.lastIndex).toBe(entries[0]!.index);
  });

  it('are recorded as they become known', () => {
    const group = new TestGroup(['a', 'b', 'c'], named);
    group.crash('c');
    group.campaign('a');
    group.tick(5 * HEARTBEAT);
    expect(recordOf(group, 'a')).toEqual({ a: 'a1', b: 'b1' });
    group.restart('c');
    group.tick(5 * HEARTBEAT);
    expect(recordOf(group, 'c')).toEqual({ a: 'a1', b: 'b1', c: 'c1' });
  });

  it('are not needed: nodes without them are not checked', () => {
    const group = ledByA();
    expect(stepFrom(group, requestVote({ from: 'b', to: 'a', preVote: true }), undefined)).toBe(true);
    group.tick(5 * TIMEOUT);
    expect(recordOf(group, 'a')).toBeUndefined();
  });

  it('are needed once they are known: who comes without one may have lost its data', () => {
    const group = ledByA(named);
    group.tick(5 * HEARTBEAT);
    expect(stepFrom(group, requestVote({ from: 'b', to: 'a', preVote: true }), undefined)).toBe(false);
    expect(stepFrom(group, requestVote({ from: 'b', to: 'a', preVote: true }), 'b1')).toBe(true);
  });

  it('must be names', () => {
    expect(() => ledByA({ config: { incarnation: 'not a name' } })).toThrow(RangeError);
    const group = ledByA();
    expect(stepFrom(group, requestVote({ from: 'b', to: 'a' }), 'not a name')).toBe(false);
  });

  it('keep out a node that has lost its disk: it counts nowhere, and is told', () => {
    const group = ledByA(named);
    group.tick(5 * HEARTBEAT);
    group.add('c', { incarnation: 'c2' }, group.node('b').state.configuration);
    group.crash('b');
    group.propose('a', 'x');
    group.tick(2 * HEARTBEAT);
    // Only a has it: what c says is not heard.
    expect(group.node('a').state.commitIndex).toBe(group.node('a').state.log.lastIndex - 1);
    expect(noticesTo(group, 'c')[0]).toMatchObject({ reason: 'other_incarnation' });
    expect(expulsionOf(group, 'c')).toBe('other_incarnation');
    group.tick(5 * TIMEOUT);
    expect(group.sent.filter(({ type, from }) => type === 'RequestVote' && from === 'c')).toEqual([]);
  });

  it('keep its vote from being given twice in a term', () => {
    const group = new TestGroup(['a', 'b', 'c'], named);
    group.campaign('a');
    group.tick(5 * HEARTBEAT);
    group.add('c', { incarnation: 'c2' }, group.node('b').state.configuration);
    group.crash('a');
    group.tick(TIMEOUT, () => false);
    group.campaign('b');
    expect(group.leaders).toEqual([]);
  });

  it('keep the vote of who was told that its disk is lost from those who do not know yet', () => {
    const group = new TestGroup(['a', 'b', 'c'], named);
    const bootstrap = group.node('b').state.configuration;
    group.crash('b');
    group.campaign('a');
    group.propose('a', 'committed by a and c');
    group.tick(HEARTBEAT);
    const { commitIndex } = group.node('a').state;
    expect(commitIndex).toBeGreaterThan(1);
    group.add('c', { incarnation: 'c2' }, bootstrap);
    group.tick(HEARTBEAT);
    expect(expulsionOf(group, 'c')).toBe('other_incarnation');
    group.crash('a');
    // b has heard nobody yet, and its log is as empty as that of c now is.
    group.restart('b');
    group.tick(10 * TIMEOUT);
    expect(group.leaders).toEqual([]);
    group.restart('a');
    group.tickUntil(() => group.leader?.id === 'a', 10 * TIMEOUT);
    expect(group.node('b').state.log.lastIndex).toBeGreaterThanOrEqual(commitIndex);
  });

  it('are kept by the first one heard until they are recorded', () => {
    const group = ledByA();
    const heartbeat = (incarnation: string) =>
      stepFrom(group, requestVote({ from: 'b', to: 'a', preVote: true }), incarnation);
    expect(heartbeat('b1')).toBe(true);
    expect(heartbeat('b2')).toBe(false);
    expect(heartbeat('b1')).toBe(true);
    // Of strangers nothing is kept.
    for (const incarnation of ['z1', 'z2']) {
      expect(stepFrom(group, requestVote({ from: 'z', to: 'a', preVote: true }), incarnation)).toBe(true);
    }
    expect(group.node('a').state.heard.has('z')).toBe(false);
  });

  it('are forgotten with the removal: who is added again may have a new disk', () => {
    const group = ledByA(named);
    group.tick(5 * HEARTBEAT);
    group.add('c', { incarnation: 'c2' });
    change(group, { remove: ['c'] });
    group.tick(5 * TIMEOUT);
    expect(recordOf(group, 'b')).toEqual({ a: 'a1', b: 'b1' });
    for (const id of ['a', 'b']) expect(group.node(id).state.heard.has('c')).toBe(false);
    change(group, { addLearners: ['c'] });
    group.tick(5 * HEARTBEAT);
    expect(recordOf(group, 'c')).toEqual({ a: 'a1', b: 'b1', c: 'c2' });
    expect(expulsionOf(group, 'c')).toBeUndefined();
    change(group, { promote: ['c'] });
    group.tick(HEARTBEAT);
    expect(group.node('c').state.isVoter).toBe(true);
  });

  it('that were only heard are forgotten when a snapshot replaces the log', () => {
    const group = ledByA();
    const { state } = group.node('c');
    state.heard.set('b', 'b1');
    state.restore({ index: 9, term: 1, configuration: { index: 0, configuration: state.configuration } });
    expect(state.heard.size).toBe(0);
  });

  it('stay through a joint change, except of those who leave', () => {
    const group = ledByA({ ...named }, 'abc');
    group.tick(5 * HEARTBEAT);
    change(group, { remove: ['b', 'c'] });
    expect(recordOf(group, 'a')).toEqual({ a: 'a1', b: 'b1', c: 'c1' });
    group.tick(5 * HEARTBEAT);
    expect(recordOf(group, 'a')).toEqual({ a: 'a1' });
  });

  it('are no trap for names that every object has', () => {
    const group = ledByA({}, 'abc');
    group.add('constructor', { incarnation: 'k1' });
    change(group, { addLearners: ['constructor'] });
    group.tick(5 * HEARTBEAT);
    expect(Object.entries(recordOf(group, 'b') ?? {})).toEqual([['constructor', 'k1']]);
  });

  it('are told wrong only by members of the configuration', () => {
    const group = ledByA();
    const wrong = (from: string) => notice({ from, reason: 'other_incarnation' });
    group.node('c').raft.step(wrong('z'));
    expect(expulsionOf(group, 'c')).toBeUndefined();
    group.node('c').raft.step(wrong('b'));
    expect(expulsionOf(group, 'c')).toBe('other_incarnation');
  });
});
