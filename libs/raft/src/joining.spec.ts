import { decodeConfiguration } from './configuration-codec.js';
import { isJoint, type Configuration } from './configuration.js';
import { EntryType } from './entry.js';
import type { MembershipChange } from './membership-change.js';
import { testConfig, TestGroup } from './testing/group.js';

const TIMEOUT = testConfig.electionTimeoutTicks;
const HEARTBEAT = testConfig.heartbeatTicks;

/** `a` leads `voters`; everybody else runs, and waits to be added. */
const ledByA = (voters: string, others = '') => {
  const group = new TestGroup([...voters]);
  for (const id of others) group.add(id);
  group.campaign('a');
  group.tick(HEARTBEAT);
  expect(group.leaders).toEqual(['a']);
  return group;
};

const propose = (group: TestGroup, id: string, wanted: MembershipChange) => group.node(id).raft.proposeChange(wanted);

const join = (group: TestGroup, joining: Record<string, string>) => {
  expect(propose(group, group.leader!.id, { addLearners: Object.keys(joining), joining })).toMatchObject({
    accepted: true,
  });
};

const configurationOf = (group: TestGroup, id: string): Configuration => group.node(id).state.configuration;

const votersOf = (group: TestGroup, id: string) => [...configurationOf(group, id).voters].sort().join('');

const history = (group: TestGroup, id: string) =>
  group
    .node(id)
    .entries.filter(({ type }) => type === EntryType.Configuration)
    .map(({ data }) => decodeConfiguration(data)!);

/** The voters of the leader, once it has nothing more to change. */
const settlesAt = (group: TestGroup, voters: string, ticksMax = 20 * TIMEOUT) =>
  group.tickUntil(() => {
    const { leader } = group;
    if (leader === undefined || isJoint(leader.state.configuration)) return false;
    return (
      leader.state.configurations.currentIndex <= leader.state.commitIndex && votersOf(group, leader.id) === voters
    );
  }, ticksMax);

describe('a joining learner', () => {
  it('becomes a voter by itself once it has caught up, and not before', () => {
    const group = ledByA('abc', 'x');
    group.isolate('x');
    join(group, { x: 'x' });
    group.tick(3 * TIMEOUT);
    expect(configurationOf(group, 'a')).toMatchObject({ learners: ['x'], joining: { x: 'x' } });
    group.heal();
    settlesAt(group, 'abcx');
    expect(configurationOf(group, 'a').joining).toBeUndefined();
    expect(history(group, 'x').map(isJoint)).toEqual([false, false]);
  });

  it('is not promoted while its disk does not keep up, though it answers', () => {
    const group = ledByA('abc', 'x');
    group.node('x').isDiskSlow = true;
    join(group, { x: 'x' });
    group.tick(5 * TIMEOUT);
    expect(configurationOf(group, 'a').learners).toEqual(['x']);
  });

  it('takes the place of a voter in one joint change', () => {
    const group = ledByA('abc', 'x');
    join(group, { x: 'b' });
    settlesAt(group, 'acx');
    expect(history(group, 'c').map(({ voters, outgoingVoters }) => [voters.join(''), outgoingVoters.join('')])).toEqual(
      [
        ['abc', ''],
        ['acx', 'abc'],
        ['acx', ''],
      ],
    );
    group.tick(HEARTBEAT);
    expect(group.node('b').state.expulsion).toBe('removed');
  });

  it('takes the place of a voter that is dead', () => {
    const group = ledByA('abc', 'x');
    group.crash('b');
    group.tick(3 * TIMEOUT);
    join(group, { x: 'b' });
    settlesAt(group, 'acx');
    expect(configurationOf(group, 'c').joining).toBeUndefined();
  });

  it('takes the place of the leader, which hands over as if it was removed', () => {
    const group = ledByA('abc', 'x');
    join(group, { x: 'a' });
    settlesAt(group, 'bcx');
    group.tickUntil(() => group.leaders.length === 1 && !group.leaders.includes('a'), TIMEOUT);
    expect(group.leader!.state.currentTerm).toBe(2);
    expect(group.node('a').state.expulsion).toBe('removed');
  });

  it('takes the place of a sole voter', () => {
    const group = ledByA('a', 'x');
    join(group, { x: 'a' });
    settlesAt(group, 'x');
    group.tickUntil(() => group.leader?.id === 'x', 10 * TIMEOUT);
  });

  it('joins in addition when the voter that it was to replace has been removed meanwhile', () => {
    const group = ledByA('abc', 'x');
    group.isolate('x');
    join(group, { x: 'b' });
    group.tick(HEARTBEAT);
    expect(propose(group, 'a', { remove: ['b'] })).toMatchObject({ accepted: true });
    group.stabilize();
    expect(configurationOf(group, 'a').joining).toEqual({ x: 'x' });
    group.heal();
    settlesAt(group, 'acx');
    expect(history(group, 'a').some(isJoint)).toBe(false);
  });

  it('is promoted by the next leader when the one that added it is gone', () => {
    const group = ledByA('abc', 'x');
    group.isolate('x');
    join(group, { x: 'a' });
    group.tick(HEARTBEAT);
    group.crash('a');
    group.heal();
    settlesAt(group, 'bcx');
    const [added, joint] = group.leader!.entries.filter(({ type }) => type === EntryType.Configuration);
    expect(added!.term).toBe(1);
    expect(joint!.term).toBeGreaterThan(1);
  });

  it('waits for the end of a transfer', () => {
    const group = ledByA('abc', 'x');
    group.isolate('x');
    join(group, { x: 'x' });
    group.tick(HEARTBEAT);
    group.cut('a', 'b');
    group.propose('a', 'not on b');
    expect(group.node('a').raft.transferLeadership('b')).toBeUndefined();
    for (const id of ['a', 'c']) group.heal('x', id);
    for (const id of ['a', 'c']) group.heal(id, 'x');
    group.tick(TIMEOUT - 1);
    expect(group.node('a').raft.status()).toMatchObject({ transferTo: 'b', configuration: { learners: ['x'] } });
    expect(
      group
        .node('a')
        .raft.status()
        .members.find(({ id }) => id === 'x')?.isCaughtUp,
    ).toBe(true);
    settlesAt(group, 'abcx');
  });

  it('comes one after the other, and not behind one that never catches up', () => {
    const group = ledByA('abc', 'xyz');
    group.isolate('x');
    join(group, { x: 'x', y: 'b', z: 'z' });
    settlesAt(group, 'acyz');
    expect(configurationOf(group, 'a')).toMatchObject({ learners: ['x'], joining: { x: 'x' } });
    const sizes = history(group, 'a')
      .filter((each) => !isJoint(each))
      .map(({ voters }) => voters.join(''));
    expect(sizes).toEqual(['abc', 'acy', 'acyz']);
  });

  it('is left alone when it was added only to learn', () => {
    const group = ledByA('abc', 'x');
    expect(propose(group, 'a', { addLearners: ['x'] })).toMatchObject({ accepted: true });
    group.tick(10 * TIMEOUT);
    expect(configurationOf(group, 'a')).toMatchObject({ voters: ['a', 'b', 'c'], learners: ['x'] });
  });
});

describe('a change that would lose the quorum', () => {
  const silent = (group: TestGroup, ...ids: string[]) => {
    for (const id of ids) group.crash(id);
    group.tick(TIMEOUT);
  };

  it('is refused, names who is silent, and says what to do instead', () => {
    const group = ledByA('abc');
    silent(group, 'c');
    const { lastIndex } = group.node('a').state.log;
    expect(propose(group, 'a', { remove: ['b'] })).toEqual({
      accepted: false,
      reason: 'would_lose_quorum',
      detail:
        'no majority of the voters would be left: nothing was heard of c within an election timeout; ' +
        'bring c back, or remove or replace c first',
    });
    expect(group.node('a').state.log.lastIndex).toBe(lastIndex);
  });

  it('is what the advice says it is: the silent one may be removed, and then the other', () => {
    const group = ledByA('abc');
    silent(group, 'c');
    expect(propose(group, 'a', { remove: ['c'] })).toMatchObject({ accepted: true });
    group.tick(HEARTBEAT);
    expect(propose(group, 'a', { remove: ['b'] })).toMatchObject({ accepted: true });
    settlesAt(group, 'a');
  });

  it('is one that the leader leaves to those who are silent', () => {
    const group = ledByA('ab');
    group.crash('b');
    group.tick(TIMEOUT - HEARTBEAT);
    group.node('a').raft.tick();
    expect(propose(group, 'a', { remove: ['b'] })).toMatchObject({ accepted: true });
    const other = new TestGroup(['a', 'b', 'c'], { config: { checkQuorum: false } });
    other.campaign('a');
    other.tick(HEARTBEAT);
    silent(other, 'b');
    expect(propose(other, 'a', { remove: ['a'] })).toMatchObject({ reason: 'would_lose_quorum' });
  });

  it('is also one for which the old voters are missing', () => {
    const group = new TestGroup([...'abcde'], { config: { checkQuorum: false } });
    group.campaign('a');
    group.tick(HEARTBEAT);
    silent(group, 'c', 'd', 'e');
    expect(propose(group, 'a', { remove: ['c', 'd', 'e'] })).toEqual({
      accepted: false,
      reason: 'would_lose_quorum',
      detail:
        'no majority of the voters would be left: nothing was heard of c, d, e within an election timeout; ' +
        'no change can be committed until enough of them are back',
    });
  });

  it('is not one of learners or addresses, which count nowhere', () => {
    const group = new TestGroup(['a', 'b'], { config: { checkQuorum: false } });
    group.add('x');
    group.campaign('a');
    group.tick(HEARTBEAT);
    silent(group, 'b');
    expect(propose(group, 'a', { addLearners: ['x'], addresses: { x: 'h:1' } })).toMatchObject({ accepted: true });
  });

  it('is not begun by itself: the joining learner waits, and does no harm', () => {
    const group = new TestGroup([...'abcd'], { config: { checkQuorum: false } });
    group.add('x');
    group.campaign('a');
    group.isolate('x');
    join(group, { x: 'b' });
    group.tick(HEARTBEAT);
    silent(group, 'c', 'd');
    group.heal();
    group.tick(5 * TIMEOUT);
    const { members, configuration } = group.node('a').raft.status();
    expect(members.find(({ id }) => id === 'x')?.isCaughtUp).toBe(true);
    expect(configuration.learners).toEqual(['x']);
    group.restart('d');
    settlesAt(group, 'acdx');
  });

  it('is not yet known of by a new leader: it waits until everyone has had the time to answer', () => {
    const group = ledByA('abc');
    group.crash('a');
    group.crash('c');
    group.restart('a');
    group.campaign('b');
    group.tickUntil(() => group.leader?.id === 'b' && group.leader.state.hasCommittedInTerm, 10 * TIMEOUT);
    expect(propose(group, 'b', { remove: ['a'] })).toEqual({
      accepted: false,
      reason: 'not_ready',
      detail: 'this leader has begun to lead only now, and waits to hear from c',
    });
    group.tick(TIMEOUT);
    expect(propose(group, 'b', { remove: ['a'] })).toMatchObject({ reason: 'would_lose_quorum' });
    expect(propose(group, 'b', { remove: ['c'] })).toMatchObject({ accepted: true });
  });
});
