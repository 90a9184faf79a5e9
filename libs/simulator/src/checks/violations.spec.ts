import { encodeAnswer, encodeBatch, encodeCommand, type Answer, type Command } from '@app/kv';
import {
  encodeConfiguration,
  EntryType,
  simpleConfiguration,
  type Configuration,
  type Entry,
  type Raft,
  type RaftState,
} from '@app/raft';
import type { WorldControl } from '../world-control.js';
import {
  checkOf,
  committedCluster,
  deposedCluster,
  fakeCluster,
  hardState,
  syncEntry,
} from '../testing/fake-cluster.js';
import { entryOf, FakeNode } from '../testing/fake-node.js';
import { answerOf } from '../workload/history-recorder.js';
import type { Checks } from './checks.js';
import { CommittedLog } from './committed-log.js';
import { LeadershipWatch, type Wellness } from './leadership-watch.js';
import { WriteRecord } from './write-record.js';

type Progress = RaftState['progress'] extends Map<string, infer Each> ? Each : never;

const normal = (index: number, term: number, bytes: number): Entry => ({
  ...entryOf(index, term, EntryType.Normal),
  data: new Uint8Array(bytes),
});

describe('what a disk holds', () => {
  it('log_gap: an entry far behind the end of the log, or below its snapshot', () => {
    const { checks, nodes } = committedCluster();
    const [a, , c] = nodes as [FakeNode, FakeNode, FakeNode];
    expect(checkOf(() => syncEntry(checks, c, 2, 1))).toBe('log_gap');
    const snapshot = { index: 1, term: 1, configuration: { index: 0, configuration: simpleConfiguration(['a']) } };
    checks.synced(a, { hardState: undefined, snapshot, entries: [] });
    expect(checkOf(() => syncEntry(checks, a, 1, 1))).toBe('log_gap');
  });

  it('commit_monotonic: the recorded commit index falls, or is not there after a start', () => {
    const record = (checks: Checks, node: FakeNode, commitIndex: number) =>
      checks.synced(node, { hardState: { ...hardState(1, 'a'), commitIndex }, snapshot: undefined, entries: [] });
    const { checks, nodes } = committedCluster();
    record(checks, nodes[0]!, 1);
    expect(checkOf(() => record(checks, nodes[0]!, 0))).toBe('commit_monotonic');
    const other = committedCluster();
    const [a] = other.nodes as [FakeNode];
    record(other.checks, a, 1);
    other.checks.crashed(a);
    a.state.commitIndex = 0;
    expect(checkOf(() => other.checks.started(a))).toBe('commit_monotonic');
  });
});

describe('the configuration a node goes by', () => {
  it('stale_configuration: it starts with one that its log does not hold', () => {
    const { checks, nodes } = fakeCluster();
    const a = nodes[0]!;
    const ahead = new FakeNode('a');
    ahead.state.append([
      { ...entryOf(1, 0, EntryType.Configuration), data: encodeConfiguration(simpleConfiguration(['a'])) },
    ]);
    Object.defineProperty(a.state, 'configurations', { value: ahead.state.configurations });
    expect(checkOf(() => checks.started(a))).toBe('stale_configuration');
  });

  it('stale_configuration: its log names another one than it goes by', () => {
    const { checks, nodes } = committedCluster();
    const [a, , c] = nodes as [FakeNode, FakeNode, FakeNode];
    const change = {
      ...entryOf(2, 1, EntryType.Configuration),
      data: encodeConfiguration(simpleConfiguration(['a', 'b', 'c', 'd'])),
    };
    a.state.append([change]);
    Object.defineProperty(a.state, 'configurations', { value: c.state.configurations });
    expect(checkOf(() => checks.settled(a))).toBe('stale_configuration');
  });

  it('stale_configuration: a checkpoint is written with another one than its entries say', () => {
    const { checks, nodes } = committedCluster();
    const configuration = simpleConfiguration(['a']);
    expect(checkOf(() => checks.checkpointed(nodes[0]!, 0, { index: 1, configuration }))).toBe('stale_configuration');
    expect(checkOf(() => checks.checkpointed(nodes[0]!, 0, { index: 0, configuration }))).toBe('nothing');
  });
});

describe('changes of the configuration', () => {
  const members: Configuration = { ...simpleConfiguration(['a', 'b', 'c']), learners: ['x', 'y'] };
  const settled: Configuration = { ...members, addresses: { a: 'h:1' } };
  const before: Configuration = { ...settled, joining: { x: 'b' } };

  /** a leads term 1, has committed entry 1 of it, has heard both learners, and appends `next`. */
  const append = (next: Configuration, { matchIndex = 1, isAsked = false, silentTicks = 0, ticksAtOnce = 0 } = {}) => {
    const { checks, nodes, elect } = fakeCluster(before);
    const a = nodes[0]!;
    elect(a, 1);
    a.state.append([entryOf(1, 1)]);
    for (const node of nodes.slice(0, 3)) syncEntry(checks, node, 1, 1);
    for (const node of nodes.slice(3)) syncEntry(checks, node, 1, 1);
    checks.settled(a);
    a.state.commitIndex = 1;
    for (const id of ['x', 'y']) {
      const progress = { matchIndex, nextIndex: matchIndex + 1, lastContactTick: -silentTicks };
      a.state.progress.set(id, progress as unknown as Progress);
    }
    if (isAsked) checks.askedToPromote('y');
    a.state.append([{ ...entryOf(2, 1, EntryType.Configuration), data: encodeConfiguration(next) }]);
    a.state.now += ticksAtOnce;
    return checkOf(() => checks.settled(a));
  };

  const replaced: Configuration = {
    ...settled,
    voters: ['a', 'c', 'x'],
    outgoingVoters: ['a', 'b', 'c'],
    learners: ['y'],
  };
  const grown: Configuration = { ...before, voters: ['a', 'b', 'c', 'y'], learners: ['x'] };

  it('nothing: a learner takes the place that it was to take, or was asked for', () => {
    expect(append(replaced)).toBe('nothing');
    expect(append(grown, { isAsked: true })).toBe('nothing');
  });

  it('promotion_unasked: who was only to learn becomes a voter', () => {
    expect(append(grown)).toBe('promotion_unasked');
  });

  it('voter_not_replaced: the one whose place is taken stays', () => {
    expect(append({ ...settled, voters: ['a', 'b', 'c', 'x'], learners: ['y'] })).toBe('voter_not_replaced');
  });

  it('laggard_promoted: who has nothing of the term, or was not heard', () => {
    expect(append(replaced, { matchIndex: 0 })).toBe('laggard_promoted');
    expect(append(replaced, { silentTicks: 6 })).toBe('laggard_promoted');
    expect(append(replaced, { silentTicks: 6, ticksAtOnce: 1 })).toBe('laggard_promoted');
  });

  it('nothing: ticks that a paused process takes at once may come after the promotion', () => {
    expect(append(replaced, { ticksAtOnce: 20 })).toBe('nothing');
  });

  it('record_lost: where a member is, or that it is joining', () => {
    expect(append({ ...members, joining: { x: 'b' } })).toBe('record_lost');
    expect(append(settled)).toBe('record_lost');
    expect(append({ ...before, addresses: { a: 'h:2' } })).toBe('nothing');
  });
});

describe('learners', () => {
  const cluster = () => {
    const { checks, nodes } = fakeCluster({ voters: ['a', 'b', 'c'], outgoingVoters: [], learners: ['d'] });
    const vote = (index: number) =>
      checks.synced(nodes[index]!, { hardState: hardState(1, 'a'), snapshot: undefined, entries: [] });
    return { checks, nodes, vote, a: nodes[0]!, d: nodes[3]! };
  };

  it('learner_counted: in an election', () => {
    const { checks, vote, a } = cluster();
    vote(0);
    vote(3);
    expect(checkOf(() => checks.settled(a.lead(1)))).toBe('learner_counted');
  });

  it('learner_counted: for a commit', () => {
    const { checks, vote, a, d } = cluster();
    for (const voter of [0, 1, 3]) vote(voter);
    checks.settled(a.lead(1));
    a.state.append([entryOf(1, 1)]);
    for (const node of [a, d]) syncEntry(checks, node, 1, 1);
    checks.settled(a);
    a.state.commitIndex = 1;
    expect(checkOf(() => checks.settled(a))).toBe('learner_counted');
  });
});

describe('commits in a turn in which the role changes', () => {
  it('follower_commit_verified_prefix: a leader that is deposed has committed what no quorum has', () => {
    const { checks, nodes } = committedCluster();
    const a = nodes[0]!;
    a.state.append([entryOf(2, 1)]);
    syncEntry(checks, a, 2, 1);
    checks.settled(a);
    a.state.commitIndex = 2;
    a.state.role = 'follower';
    a.state.currentTerm = 2;
    expect(checkOf(() => checks.settled(a))).toBe('follower_commit_verified_prefix');
  });

  it('follower_commit_verified_prefix: who becomes leader commits what earlier terms have left', () => {
    const { nodes, elect } = deposedCluster();
    const a = nodes[0]!;
    a.state.commitIndex = 1;
    expect(checkOf(() => elect(a, 2))).toBe('follower_commit_verified_prefix');
  });
});

describe('the bounds of a node', () => {
  it('quota_exceeded: more bytes are applied at once than may be', () => {
    const { checks, nodes } = committedCluster();
    const [a, b] = nodes as [FakeNode, FakeNode];
    const entries = [normal(2, 1, 60), normal(3, 1, 60)];
    for (const node of [a, b]) {
      node.state.append(entries);
      checks.synced(node, { hardState: undefined, snapshot: undefined, entries });
    }
    checks.settled(a);
    a.state.commitIndex = 3;
    checks.settled(a);
    expect(checkOf(() => checks.applied(a, entries, [[], []]))).toBe('quota_exceeded');
  });

  it('quota_exceeded: a leader does not count what it has taken', () => {
    const { checks, nodes } = committedCluster();
    const a = nodes[0]!;
    a.state.append([normal(2, 1, 10)]);
    Object.defineProperty(a.state, 'uncommittedBytes', { value: 0 });
    expect(checkOf(() => checks.settled(a))).toBe('quota_exceeded');
  });

  it('quota_exceeded: a proposal is taken when the bound is passed already', () => {
    const { checks, nodes } = committedCluster();
    const a = nodes[0]!;
    a.state.append([normal(2, 1, 60)]);
    checks.settled(a);
    a.state.append([normal(3, 1, 1)]);
    expect(checkOf(() => checks.settled(a))).toBe('quota_exceeded');
  });

  it('quota_exceeded: more reads wait than may', () => {
    const { checks, nodes } = committedCluster();
    const a = nodes[0]!;
    const raft = { status: () => ({ pendingReads: 3 }) } as Raft;
    checks.readRequested(a, 1, 'read_index');
    const crowded = Object.defineProperty(a, 'raft', { value: raft });
    expect(checkOf(() => checks.settled(crowded))).toBe('quota_exceeded');
  });
});

describe('what clients are answered', () => {
  const set = (sequence?: number): Command => ({
    kind: 'set',
    key: Uint8Array.of(1),
    value: Uint8Array.of(2),
    contentType: '',
    ttlMs: 0,
    ...(sequence !== undefined && { session: { clientId: 1, sequence, acknowledgedBelow: 1 } }),
  });
  const apply = (record: WriteRecord, index: number, command: Command, answer: Answer) =>
    record.applied({ index, term: 1, type: EntryType.Normal, data: encodeBatch(1, [encodeCommand(command)]) }, [
      encodeAnswer(answer),
    ]);

  it('exactly_once: a repeated write of a session takes effect again', () => {
    const record = new WriteRecord();
    apply(record, 1, set(1), { kind: 'set', created: true, revision: 1 });
    expect(checkOf(() => apply(record, 2, set(1), { kind: 'set', created: true, revision: 1 }))).toBe('nothing');
    expect(checkOf(() => apply(record, 3, set(1), { kind: 'set', created: false, revision: 2 }))).toBe('exactly_once');
  });

  it('exactly_once: a revision is left out, or given twice', () => {
    const record = new WriteRecord();
    apply(record, 1, set(), { kind: 'set', created: true, revision: 1 });
    expect(checkOf(() => apply(record, 2, set(), { kind: 'set', created: false, revision: 1 }))).toBe('exactly_once');
    expect(checkOf(() => apply(record, 2, set(), { kind: 'set', created: false, revision: 3 }))).toBe('exactly_once');
  });

  it('unexpected_answer: a valid command is called invalid, or answered with something else', () => {
    const invalid: Answer = { kind: 'failure', code: 'INVALID_COMMAND', field: 'key', reason: 'too long' };
    expect(checkOf(() => answerOf(invalid))).toBe('unexpected_answer');
    expect(checkOf(() => answerOf({ kind: 'openSession', clientId: 1 }))).toBe('unexpected_answer');
    expect(checkOf(() => answerOf({ kind: 'set', created: true, revision: 1 }))).toBe('nothing');
  });
});

describe('LeadershipWatch', () => {
  const TIMEOUT = 50;

  /** Three followers that nobody leads; time passes in `pass`. */
  function watched(wellness: Partial<Wellness>): { pass: (timeouts: number) => void; committed: CommittedLog } {
    const nodes = new Map(['a', 'b', 'c'].map((id) => [id, new FakeNode(id)]));
    const due: { time: number; action: () => void }[] = [];
    const world = {
      now: 0,
      ids: [...nodes.keys()],
      node: (id: string) => nodes.get(id),
      at: (time: number, action: () => void) => void due.push({ time, action }),
    };
    const committed = new CommittedLog();
    const healthy: Wellness = {
      isWell: () => true,
      isLinkGood: () => true,
      isHelpless: () => false,
      leader: () => undefined,
    };
    new LeadershipWatch(world as unknown as WorldControl, { ...healthy, ...wellness }, committed, TIMEOUT).start(1e9);
    const pass = (timeouts: number): void => {
      for (let i = 0; i < timeouts; i++) {
        const { time, action } = due.shift()!;
        world.now = time;
        action();
      }
    };
    return { pass, committed };
  }

  it('leadership_moves: a majority is well for long, and nobody leads', () => {
    expect(checkOf(() => watched({}).pass(40))).toBe('leadership_moves');
    expect(checkOf(() => watched({ isWell: (id) => id !== 'c' }).pass(40))).toBe('leadership_moves');
  });

  it('leadership_moves: who leads cannot be heard, or cannot write', () => {
    const helpless = { leader: () => 'c', isWell: (id: string) => id !== 'c', isHelpless: () => true };
    expect(checkOf(() => watched(helpless).pass(40))).toBe('leadership_moves');
  });

  it('waits while there is no such majority, while someone leads, and while something is committed', () => {
    expect(checkOf(() => watched({ isWell: (id) => id === 'a' }).pass(80))).toBe('nothing');
    expect(checkOf(() => watched({ isLinkGood: () => false }).pass(80))).toBe('nothing');
    expect(checkOf(() => watched({ leader: () => 'a' }).pass(80))).toBe('nothing');
    const { pass, committed } = watched({});
    const busy = (): void => {
      for (let i = 0; i < 80; i++) {
        pass(1);
        if (i % 20 === 0) committed.add(1, 1);
      }
    };
    expect(checkOf(busy)).toBe('nothing');
  });
});
