import { decodeConfiguration } from './configuration-codec.js';
import { isJoint, type Configuration } from './configuration.js';
import { EntryType } from './entry.js';
import type { MembershipChange } from './membership-change.js';
import { testConfig, TestGroup, type TestGroupOptions } from './testing/group.js';

const TIMEOUT = testConfig.electionTimeoutTicks;
const HEARTBEAT = testConfig.heartbeatTicks;

/** `a` leads `voters`; everybody else runs, and waits to be added. */
const ledByA = (voters: string, others = '', options: TestGroupOptions = {}) => {
  const group = new TestGroup([...voters], options);
  for (const id of others) group.add(id);
  group.campaign('a');
  group.tick(HEARTBEAT);
  expect(group.leaders).toEqual(['a']);
  return group;
};

const change = (group: TestGroup, id: string, wanted: MembershipChange) => {
  const result = group.node(id).raft.proposeChange(wanted);
  if (!result.accepted) throw new Error(`${result.reason}: ${result.detail}`);
  return result.index;
};

const reasonOf = (group: TestGroup, id: string, wanted: MembershipChange) => {
  const result = group.node(id).raft.proposeChange(wanted);
  return result.accepted ? 'accepted' : result.reason;
};

const configurationOf = (group: TestGroup, id: string): Configuration => group.node(id).state.configuration;

/** Adds learners and waits until they have caught up. */
const addLearners = (group: TestGroup, ids: string) => {
  change(group, group.leader!.id, { addLearners: [...ids] });
  group.tick(3 * HEARTBEAT);
};

/** Everything that the log of `id` ever said about members. */
const history = (group: TestGroup, id: string) =>
  group
    .node(id)
    .entries.filter((entry) => entry.type === EntryType.Configuration)
    .map((entry) => decodeConfiguration(entry.data)!);

const serves = (group: TestGroup) => {
  group.tickUntil(() => group.leader !== undefined && group.leader.state.hasCommittedInTerm, 20 * TIMEOUT);
  const leader = group.leader!;
  const proposed = group.propose(leader.id, 'more');
  group.tick(2 * HEARTBEAT);
  return proposed.accepted && leader.applied.length >= proposed.index;
};

describe('a configuration', () => {
  it('is in force as soon as its entry is in the log, committed or not (section 6)', () => {
    const group = ledByA('abc', 'd');
    for (const id of ['b', 'c']) group.node(id).isDiskSlow = true;
    const index = change(group, 'a', { addLearners: ['d'] });
    expect(configurationOf(group, 'a').learners).toEqual(['d']);
    group.stabilize();
    expect(group.node('a').state.commitIndex).toBeLessThan(index);
    for (const id of ['b', 'c', 'd']) expect(configurationOf(group, id).learners).toEqual(['d']);
  });

  it('gives way to the one before when its entry is truncated', () => {
    const group = ledByA('abc', 'd');
    group.isolate('a');
    change(group, 'a', { addLearners: ['d'] });
    group.tickUntil(() => group.leader?.id !== 'a', 5 * TIMEOUT);
    group.heal();
    group.tick(2 * HEARTBEAT);
    expect(configurationOf(group, 'a')).toEqual({ voters: ['a', 'b', 'c'], outgoingVoters: [], learners: [] });
  });

  it('is still in force after a restart', () => {
    const group = ledByA('abc', 'd');
    addLearners(group, 'd');
    for (const id of ['a', 'b', 'c', 'd']) {
      group.crash(id);
      group.restart(id);
      expect(configurationOf(group, id).learners).toEqual(['d']);
    }
  });

  it('is changed in one step if one voter comes or goes, and through a joint one otherwise', () => {
    const group = ledByA('abc', 'de');
    addLearners(group, 'de');
    change(group, 'a', { promote: ['d'] });
    group.tick(HEARTBEAT);
    change(group, 'a', { promote: ['e'], remove: ['b', 'd'] });
    expect(configurationOf(group, 'a')).toEqual({
      voters: ['a', 'c', 'e'],
      outgoingVoters: ['a', 'b', 'c', 'd'],
      learners: [],
    });
    group.tick(3 * HEARTBEAT);
    expect(history(group, 'c').map(isJoint)).toEqual([false, false, true, false]);
    expect(configurationOf(group, 'c')).toEqual({ voters: ['a', 'c', 'e'], outgoingVoters: [], learners: [] });
  });
});

describe('a change', () => {
  it('is the business of the leader', () => {
    const group = ledByA('abc', 'd');
    expect(reasonOf(group, 'b', { addLearners: ['d'] })).toBe('not_leader');
  });

  it('waits until an entry of the term is committed: an earlier one may be on its way', () => {
    const group = new TestGroup(['a', 'b', 'c']);
    group.node('b').isDiskSlow = true;
    group.node('c').isDiskSlow = true;
    group.node('a').raft.campaign();
    for (let wave = 0; wave < 10; wave++) {
      group.pump();
      // The votes are synced, the first entry of the term is not.
      for (const id of ['b', 'c']) {
        const node = group.node(id);
        if (node.writing !== undefined && node.writing.entries.length === 0) node.completePersist();
      }
      group.deliver();
    }
    expect(group.leaders).toEqual(['a']);
    expect(reasonOf(group, 'a', { remove: ['c'] })).toBe('not_ready');
    for (const id of ['b', 'c']) {
      group.node(id).isDiskSlow = false;
      group.node(id).completePersist();
    }
    group.stabilize();
    expect(reasonOf(group, 'a', { remove: ['c'] })).toBe('accepted');
  });

  it('waits for the one before to be committed', () => {
    const group = ledByA('abc', 'de');
    change(group, 'a', { addLearners: ['d'] });
    expect(reasonOf(group, 'a', { addLearners: ['e'] })).toBe('change_in_progress');
    group.stabilize();
    expect(reasonOf(group, 'a', { addLearners: ['e'] })).toBe('accepted');
  });

  it('waits until a joint configuration is left, and that is committed', () => {
    const group = ledByA('abcd');
    change(group, 'a', { remove: ['c', 'd'] });
    const seen = new Set<string>();
    for (let wave = 0; wave < 20; wave++) {
      const { configuration, configurations, commitIndex } = group.node('a').state;
      const isDone = !isJoint(configuration) && configurations.currentIndex <= commitIndex;
      if (isDone) break;
      seen.add(isJoint(configuration) ? 'joint' : 'left');
      expect(reasonOf(group, 'a', { remove: ['b'] })).toBe('change_in_progress');
      group.pump();
      group.deliver();
    }
    expect([...seen]).toEqual(['joint', 'left']);
    expect(reasonOf(group, 'a', { remove: ['b'] })).toBe('accepted');
  });

  it('does not wait for the state machine: what counts is in the log (etcd 7625)', () => {
    const group = ledByA('abc', 'de');
    for (const node of group.nodes.values()) node.isApplySlow = true;
    addLearners(group, 'd');
    change(group, 'a', { promote: ['d'] });
    group.stabilize();
    change(group, 'a', { remove: ['c'] });
    group.stabilize();
    expect(group.node('a').applied.length).toBeLessThan(group.node('a').state.configurations.currentIndex - 2);
    // Nor does a campaign: d has applied nothing of it, and is a voter.
    group.crash('a');
    group.tick(TIMEOUT + 2 * HEARTBEAT, () => false);
    group.campaign('d');
    expect(group.leader?.id).toBe('d');
    expect(configurationOf(group, 'd').voters).toEqual(['a', 'b', 'd']);
  });

  it.each<[string, MembershipChange, RegExp]>([
    ['nothing', {}, /names no node/],
    ['nothing but empty lists', { addLearners: [], promote: [], remove: [] }, /names no node/],
    ['a node that is not known', { remove: ['z'] }, /z is no member; members are a, b, c, l/],
    ['a new voter that has not learned', { promote: ['z'] }, /z is no learner/],
    ['a voter again', { promote: ['b'] }, /b is a voter already/],
    ['a member again', { addLearners: ['l'] }, /l is a member already/],
    ['a name that cannot be written', { addLearners: ['ä'] }, /"ä" cannot be a name/],
    ['an empty name', { addLearners: [''] }, /"" cannot be a name/],
    ['one node twice', { promote: ['l'], remove: ['l'] }, /l is named twice/],
    ['all voters to go', { remove: ['a', 'b', 'c'] }, /no voter would be left/],
    ['too many', { addLearners: Array.from({ length: 1000 }, (_, i) => `n${i}`) }, /more than 1000 members/],
  ])('is invalid if it asks for %s', (_, wanted, detail) => {
    const group = ledByA('abc');
    group.add('l');
    addLearners(group, 'l');
    const { lastIndex } = group.node('a').state.log;
    const result = group.node('a').raft.proposeChange(wanted);
    expect(result).toEqual({ accepted: false, reason: 'invalid', detail: expect.stringMatching(detail) as string });
    expect(group.node('a').state.log.lastIndex).toBe(lastIndex);
  });
});

describe('a learner', () => {
  it('receives the log and counts nowhere', () => {
    const group = ledByA('ab', 'x');
    group.propose('a', 'early');
    addLearners(group, 'x');
    expect(group.node('x').log).toEqual(group.node('a').log);
    group.cut('a', 'b');
    group.propose('a', 'late');
    group.stabilize();
    expect(group.node('x').log.at(-1)).toBe('1:late');
    expect(group.node('a').state.commitIndex).toBe(group.node('a').state.log.lastIndex - 1);
  });

  it('is promoted only after a round of catching up that took no longer than an election timeout', () => {
    const group = ledByA('abc', 'x');
    const caughtUp = () =>
      group
        .node('a')
        .raft.status()
        .members.find(({ id }) => id === 'x')?.isCaughtUp;
    group.isolate('x');
    change(group, 'a', { addLearners: ['x'] });
    group.tick(2 * TIMEOUT);
    expect(caughtUp()).toBe(false);
    expect(reasonOf(group, 'a', { promote: ['x'] })).toBe('not_caught_up');
    group.heal();
    group.tick(3 * HEARTBEAT);
    expect(caughtUp()).toBe(true);
    expect(reasonOf(group, 'a', { promote: ['x'] })).toBe('accepted');
  });

  it('is not promoted when it was not heard for an election timeout', () => {
    const group = ledByA('abc', 'x');
    addLearners(group, 'x');
    group.crash('x');
    group.tick(TIMEOUT + 1);
    expect(reasonOf(group, 'a', { promote: ['x'] })).toBe('not_caught_up');
  });

  it('is not promoted while its disk does not keep up, though it answers', () => {
    const group = ledByA('abc', 'x');
    addLearners(group, 'x');
    group.node('x').isDiskSlow = true;
    group.propose('a', 'more');
    group.tick(2 * TIMEOUT);
    expect(
      group
        .node('a')
        .raft.status()
        .members.find(({ id }) => id === 'x'),
    ).toMatchObject({
      isActive: true,
      isCaughtUp: false,
    });
    expect(reasonOf(group, 'a', { promote: ['x'] })).toBe('not_caught_up');
  });

  it('counts and may campaign once it is promoted', () => {
    const group = ledByA('ab', 'x');
    addLearners(group, 'x');
    change(group, 'a', { promote: ['x'] });
    group.stabilize();
    group.crash('b');
    group.propose('a', 'late');
    group.tick(HEARTBEAT);
    expect(group.node('a').state.commitIndex).toBe(group.node('a').state.log.lastIndex);
    group.restart('b');
    group.crash('a');
    group.tick(TIMEOUT, () => false);
    group.campaign('x');
    expect(group.leader?.id).toBe('x');
  });
});

describe('a smaller quorum', () => {
  it('commits at once what only the larger one lacked', () => {
    const group = ledByA('abcd');
    group.tick(HEARTBEAT);
    // Stored on a and b: no majority of four, but one of three.
    group.cut('a', 'c');
    group.cut('a', 'd');
    group.propose('a', 'wanted');
    group.stabilize();
    const wanted = group.node('a').state.log.lastIndex;
    expect(group.node('a').state.commitIndex).toBe(wanted - 1);
    change(group, 'a', { remove: ['d'] });
    expect(group.node('a').state.commitIndex).toBe(wanted);
  });
});

describe('the leader', () => {
  it('that is removed leads on without counting itself, then hands over to the most up-to-date voter', () => {
    const group = ledByA('abc');
    group.cut('a', 'c');
    group.propose('a', 'only on b');
    group.stabilize();
    const index = change(group, 'a', { remove: ['a'] });
    group.stabilize();
    // Two of three have it, but only one of the two that are left.
    expect(group.node('a').state.commitIndex).toBeLessThan(index);
    expect(group.leaders).toEqual(['a']);
    group.heal();
    group.tick(HEARTBEAT);
    group.stabilize();
    expect(group.sent.filter(({ type }) => type === 'TimeoutNow')).toHaveLength(1);
    expect(group.leader?.id).not.toBe('a');
    expect(group.node('a').role).toBe('follower');
    expect(group.node('a').state.expulsion).toBe('removed');
    expect(group.leader!.state.currentTerm).toBe(2);
    group.tick(5 * TIMEOUT);
    expect(group.leader!.state.currentTerm).toBe(2);
    expect(serves(group)).toBe(true);
  });

  it('that is removed steps down also if its successor does not take over', () => {
    const group = ledByA('abc');
    change(group, 'a', { remove: ['a'] });
    group.stabilize(({ type }) => type !== 'TimeoutNow');
    expect(group.node('a').role).toBe('follower');
    expect(serves(group)).toBe(true);
    expect(group.leader?.id).not.toBe('a');
  });

  it('that alone holds its own removal campaigns once more, and carries it through (dissertation 4.2.2)', () => {
    const group = ledByA('ab');
    group.isolate('a');
    change(group, 'a', { remove: ['a'] });
    group.pump();
    group.network.length = 0;
    group.crash('a');
    group.restart('a');
    group.heal();
    // b lacks the entry, so it cannot win; a has it, so it is no voter any more.
    group.tickUntil(() => configurationOf(group, 'b').voters.length === 1, 10 * TIMEOUT);
    group.tickUntil(() => group.leader?.id === 'b', 10 * TIMEOUT);
    expect(serves(group)).toBe(true);
    expect(group.node('a').state.expulsion).toBe('removed');
  });
});

describe('a voter', () => {
  it('that alone holds its own removal campaigns also if it has forgotten, at a restart, that its promotion is committed', () => {
    const group = ledByA('abc', 'd');
    addLearners(group, 'd');
    const durable = group.node('d').applied.length;
    const promotion = change(group, 'a', { promote: ['d'] });
    group.tick(3 * HEARTBEAT);
    for (const id of ['b', 'c']) group.cut('a', id);
    change(group, 'a', { remove: ['d'] });
    group.stabilize();
    group.crash('a');
    group.crash('d');
    group.heal();
    group.restart('d', durable);
    expect(group.node('d').state.commitIndex).toBeLessThan(promotion);
    expect(configurationOf(group, 'd').voters).toEqual(['a', 'b', 'c']);
    // b and c still need three of four, and d, whose log is longer, does not vote for them.
    group.tickUntil(() => ['b', 'c'].includes(group.leader?.id ?? ''), 20 * TIMEOUT);
    expect(group.sent.filter(({ type }) => type === 'TimeoutNow').map(({ from }) => from)).toEqual(['d']);
    expect(configurationOf(group, 'b').voters).toEqual(['a', 'b', 'c']);
    expect(serves(group)).toBe(true);
  });
});

describe('a joint configuration', () => {
  it('replaces the whole cluster, its leader too, in one change', () => {
    const group = ledByA('abc', 'xyz');
    group.propose('a', 'kept');
    addLearners(group, 'xyz');
    change(group, 'a', { promote: ['x', 'y', 'z'], remove: ['a', 'b', 'c'] });
    group.tick(5 * TIMEOUT);
    for (const id of ['a', 'b', 'c']) {
      expect(group.node(id).state.expulsion).toBe('removed');
      group.crash(id);
    }
    expect(serves(group)).toBe(true);
    expect(['x', 'y', 'z']).toContain(group.leader?.id);
    expect(group.leader!.log).toContain('1:kept');
    expect(configurationOf(group, 'x')).toEqual({ voters: ['x', 'y', 'z'], outgoingVoters: [], learners: [] });
  });

  it('needs majorities of both sides, for entries and for votes', () => {
    const group = ledByA('abc', 'xyz');
    addLearners(group, 'xyz');
    for (const id of ['x', 'y']) group.cut('a', id);
    const index = change(group, 'a', { promote: ['x', 'y', 'z'], remove: ['b', 'c'] });
    group.stabilize();
    expect(group.node('z').state.log.lastIndex).toBe(index);
    expect(group.node('a').state.commitIndex).toBeLessThan(index);
    // b, c and z have the entry, but of the incoming voters only z would vote.
    group.crash('a');
    group.crash('x');
    group.crash('y');
    group.tick(10 * TIMEOUT);
    expect(group.leaders).toEqual([]);
    group.restart('x');
    group.restart('y');
    expect(serves(group)).toBe(true);
  });

  it('is left by a leader that has inherited it, after it has committed an entry of its own term', () => {
    const group = ledByA('abc', 'xy');
    addLearners(group, 'xy');
    change(group, 'a', { promote: ['x', 'y'], remove: ['b', 'c'] });
    group.pump();
    group.deliver();
    group.crash('a');
    group.network.length = 0;
    group.tickUntil(() => group.leader !== undefined, 10 * TIMEOUT);
    group.tick(3 * HEARTBEAT);
    const leader = group.leader!;
    const [joint, left] = leader.entries.filter((entry) => entry.type === EntryType.Configuration).slice(-2);
    expect(isJoint(decodeConfiguration(joint!.data)!)).toBe(true);
    expect(decodeConfiguration(left!.data)).toEqual({ voters: ['a', 'x', 'y'], outgoingVoters: [], learners: [] });
    expect(joint!.term).toBe(1);
    expect(left!.term).toBeGreaterThan(1);
    const noop = leader.entries.find((entry) => entry.term === left!.term)!;
    expect(noop.type).toBe(EntryType.Noop);
    expect(left!.index).toBeGreaterThan(noop.index);
  });

  it.each<[string, MembershipChange]>([
    ['which stays', { promote: ['x', 'y'], remove: ['b', 'c'] }],
    ['which leaves', { promote: ['x', 'y'], remove: ['a', 'b'] }],
  ])('is survived when the leader, %s, crashes at any step between entering and leaving it', (_, wanted) => {
    const outcomes = new Set<string>();
    for (let steps = 0; ; steps++) {
      const group = ledByA('abc', 'xy', { seed: steps + 1 });
      addLearners(group, 'xy');
      change(group, 'a', wanted);
      group.pump();
      let done = 0;
      while (done < steps && group.network.length > 0) {
        group.hand(group.network.shift()!);
        group.pump();
        done++;
      }
      group.crash('a');
      group.network.length = 0;
      group.tickUntil(() => group.leader !== undefined && !isJoint(group.leader.state.configuration), 20 * TIMEOUT);
      expect(serves(group)).toBe(true);
      outcomes.add(configurationOf(group, group.leader!.id).voters.join(''));
      if (done < steps) break;
    }
    const after = [...'abcxy'].filter((id) => !wanted.remove!.includes(id)).join('');
    expect([...outcomes]).toEqual(['abc', after]);
  });
});

describe('the bug in single-server changes (Ongaro, raft-dev 2015)', () => {
  it('does not happen: a new leader has to commit in its term before it changes anything', () => {
    const group = ledByA('abcd', 'e');
    // a adds e, and only itself and e know.
    addLearners(group, 'e');
    for (const id of ['b', 'c', 'd']) group.cut('a', id);
    change(group, 'a', { promote: ['e'] });
    group.stabilize();
    // b wins with c and d; by the configuration that it knows, two of the three others could remove a.
    for (let i = 0; i < TIMEOUT; i++) for (const id of ['b', 'c', 'd']) group.node(id).raft.tick();
    group.node('b').raft.campaign();
    while (group.node('b').role !== 'leader') {
      group.pump();
      group.deliver(({ type }) => type !== 'AppendEntries');
    }
    expect(reasonOf(group, 'b', { remove: ['a'] })).toBe('not_ready');
    // Once c and d have the first entry of its term, a and e can no longer commit theirs.
    group.tick(HEARTBEAT);
    expect(reasonOf(group, 'b', { remove: ['a'] })).toBe('accepted');
    group.stabilize();
    group.heal();
    expect(serves(group)).toBe(true);
    expect(configurationOf(group, group.leader!.id)).toEqual({
      voters: ['b', 'c', 'd'],
      outgoingVoters: [],
      learners: ['e'],
    });
  });
});
