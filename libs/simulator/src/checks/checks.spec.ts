import { encodeConfiguration, EntryType, simpleConfiguration, type Message } from '@app/raft';
import {
  checkOf,
  committedCluster,
  deposedCluster,
  fakeCluster,
  hardState,
  syncEntry,
} from '../testing/fake-cluster.js';
import { appendEntries, entryOf, FakeNode } from '../testing/fake-node.js';
import { checkAcknowledged } from './acknowledged-writes.js';
import { doQuorumsMeet } from './quorums.js';

describe('Checks', () => {
  it('let pass what is right', () => {
    expect(checkOf(() => committedCluster())).toBe('nothing');
  });

  it('election_safety: two leaders of a term', () => {
    const { checks, nodes, elect } = fakeCluster();
    elect(nodes[0]!, 1);
    expect(checkOf(() => checks.settled(nodes[1]!.lead(1)))).toBe('election_safety');
  });

  it('election_quorum: a leader without votes', () => {
    const { checks, nodes } = fakeCluster();
    expect(checkOf(() => checks.settled(nodes[0]!.lead(1)))).toBe('election_quorum');
  });

  it('term_monotonic: in memory, on the disk and after a start', () => {
    const { checks, nodes } = fakeCluster();
    const a = nodes[0]!;
    a.state.currentTerm = 3;
    checks.settled(a);
    a.state.currentTerm = 2;
    expect(checkOf(() => checks.settled(a))).toBe('term_monotonic');
    const other = fakeCluster();
    const sync = (term: number) =>
      other.checks.synced(a, { hardState: hardState(term), snapshot: undefined, entries: [] });
    sync(3);
    expect(checkOf(() => sync(2))).toBe('term_monotonic');
    expect(checkOf(() => other.checks.started(a))).toBe('term_monotonic');
  });

  it('one_vote_per_term: two votes on one disk', () => {
    const { checks, nodes } = fakeCluster();
    const vote = (id: string) =>
      checks.synced(nodes[0]!, { hardState: hardState(1, id), snapshot: undefined, entries: [] });
    vote('b');
    expect(checkOf(() => vote('c'))).toBe('one_vote_per_term');
  });

  it('entry_before_term: an entry of a term that is not on the disk', () => {
    const { checks, nodes } = fakeCluster();
    expect(checkOf(() => syncEntry(checks, nodes[0]!, 1, 1))).toBe('entry_before_term');
  });

  it('durable_state_lost: a synced entry is gone after a crash', () => {
    const { checks, nodes } = committedCluster();
    checks.crashed(nodes[0]!);
    const empty = new FakeNode('a');
    empty.state.currentTerm = 1;
    empty.state.votedFor = 'a';
    expect(checkOf(() => checks.started(empty))).toBe('durable_state_lost');
  });

  it('leader_append_only: a leader shortens its log', () => {
    const { checks, nodes } = committedCluster();
    const a = nodes[0]!;
    a.state.append([entryOf(2, 1)]);
    checks.settled(a);
    a.state.truncateFrom(2);
    expect(checkOf(() => checks.settled(a))).toBe('leader_append_only');
  });

  it('log_matching: two entries of one index and term', () => {
    const { checks, nodes } = committedCluster();
    const c = nodes[2]!;
    c.state.currentTerm = 1;
    c.state.append([{ ...entryOf(1, 1), type: EntryType.Normal, data: Uint8Array.of(9) }]);
    expect(checkOf(() => checks.settled(c))).toBe('log_matching');
  });

  it('leader_completeness: a leader lacks a committed entry', () => {
    const { nodes, elect } = committedCluster();
    expect(checkOf(() => elect(nodes[2]!, 2))).toBe('leader_completeness');
  });

  it('committed_is_synced_on_quorum: a commit that only the leader has synced', () => {
    const { checks, nodes } = committedCluster();
    const a = nodes[0]!;
    a.state.append([entryOf(2, 1)]);
    syncEntry(checks, a, 2, 1);
    a.state.commitIndex = 2;
    expect(checkOf(() => checks.settled(a))).toBe('committed_is_synced_on_quorum');
  });

  it('commit_own_term: an older entry is committed by counting', () => {
    const { checks, nodes, elect } = deposedCluster();
    const a = nodes[0]!;
    elect(a, 2);
    a.state.commitIndex = 1;
    expect(checkOf(() => checks.settled(a))).toBe('commit_own_term');
  });

  it('commit_monotonic: the commit index falls', () => {
    const { checks, nodes } = committedCluster();
    nodes[0]!.state.commitIndex = 0;
    expect(checkOf(() => checks.settled(nodes[0]!))).toBe('commit_monotonic');
  });

  it('follower_commit_verified_prefix: a follower commits what no message has shown', () => {
    const { checks, nodes } = committedCluster();
    const b = nodes[1]!;
    checks.received(b, appendEntries({ leaderCommit: 1 }));
    b.state.commitIndex = 1;
    expect(checkOf(() => checks.settled(b))).toBe('follower_commit_verified_prefix');
  });

  it.each<[string, Message]>([
    ['a term', appendEntries({ term: 4 })],
    [
      'its own vote',
      {
        type: 'RequestVote',
        from: 'a',
        to: 'b',
        term: 0,
        lastLogIndex: 0,
        lastLogTerm: 0,
        preVote: false,
        isTransfer: false,
      },
    ],
    ['a vote', { type: 'RequestVoteResponse', from: 'a', to: 'b', term: 0, voteGranted: true, preVote: false }],
    [
      'an entry',
      {
        type: 'AppendEntriesResponse',
        from: 'a',
        to: 'b',
        term: 0,
        success: true,
        matchIndex: 1,
        rejectedIndex: 0,
        conflictTerm: 0,
        conflictIndex: 0,
        readContext: 0,
      },
    ],
  ])('promise_before_sync: %s', (_, message) => {
    const { checks, nodes } = fakeCluster();
    expect(checkOf(() => checks.sent(nodes[0]!, message))).toBe('promise_before_sync');
  });

  it('window_exceeded: more messages than may be unanswered', () => {
    const { checks, nodes, elect } = fakeCluster();
    const a = nodes[0]!;
    elect(a, 1);
    a.state.progress.set('b', { state: 'replicate', matchIndex: 0, nextIndex: 9 } as never);
    const send = (index: number) => checks.sent(a, appendEntries({ entries: [entryOf(index, 1)] }));
    send(1);
    send(2);
    expect(checkOf(() => send(3))).toBe('window_exceeded');
  });

  it('match_index_synced: a leader counts what nobody has synced', () => {
    const { checks, nodes } = committedCluster();
    const a = nodes[0]!;
    a.state.progress.set('c', { state: 'replicate', matchIndex: 1, nextIndex: 2 } as never);
    expect(checkOf(() => checks.settled(a))).toBe('match_index_synced');
  });

  it('one_uncommitted_change and neighbouring_quorums', () => {
    const change = (index: number, voters: string[]) => ({
      ...entryOf(index, 1, EntryType.Configuration),
      data: encodeConfiguration(simpleConfiguration(voters)),
    });
    const { checks, nodes } = committedCluster();
    const a = nodes[0]!;
    a.state.append([change(2, ['a', 'b']), change(3, ['a', 'b', 'c'])]);
    expect(checkOf(() => checks.settled(a))).toBe('one_uncommitted_change');
    const other = committedCluster();
    const leader = other.nodes[0]!;
    leader.state.append([change(2, ['a', 'd', 'e'])]);
    expect(checkOf(() => other.checks.settled(leader))).toBe('neighbouring_quorums');
    expect(doQuorumsMeet(simpleConfiguration(['a', 'b', 'c']), simpleConfiguration(['a', 'b', 'c', 'd']))).toBe(true);
  });

  it('change_before_own_commit: pitfall a', () => {
    const { checks, nodes, elect } = fakeCluster();
    elect(nodes[0]!, 1);
    const data = encodeConfiguration(simpleConfiguration(['a', 'b']));
    nodes[0]!.state.append([{ ...entryOf(1, 1, EntryType.Configuration), data }]);
    expect(checkOf(() => checks.settled(nodes[0]!))).toBe('change_before_own_commit');
  });

  it('state_machine_safety and applied_twice: what is not committed, and what was applied', () => {
    const { checks, nodes } = committedCluster();
    const a = nodes[0]!;
    expect(checkOf(() => checks.applied(a, [entryOf(2, 1)], [[]]))).toBe('state_machine_safety');
    checks.applied(a, [entryOf(1, 1)], [[]]);
    expect(checkOf(() => checks.applied(a, [entryOf(1, 1)], [[]]))).toBe('applied_twice');
  });

  it('apply_before_sync: an entry that is not on the own disk', () => {
    const { checks, nodes } = committedCluster();
    expect(checkOf(() => checks.applied(nodes[2]!, [entryOf(1, 1)], [[]]))).toBe('apply_before_sync');
  });

  it('snapshot_equals_fold: rows that no log has made', () => {
    const { checks, nodes } = fakeCluster();
    nodes[0]!.rows = [{ key: Uint8Array.of(1), value: Uint8Array.of(2) }];
    expect(checkOf(() => checks.checkState(nodes[0]!, 'now'))).toBe('snapshot_equals_fold');
  });

  it('compaction_beyond_checkpoint', () => {
    const { checks, nodes } = committedCluster();
    expect(checkOf(() => checks.compacted(nodes[0]!, 1))).toBe('compaction_beyond_checkpoint');
  });

  it('read_floor, read_answered_twice and read_context_reused', () => {
    const { checks, nodes } = committedCluster();
    const b = nodes[1]!;
    checks.readRequested(b, 1, 'read_index');
    expect(checkOf(() => checks.readRequested(b, 1, 'read_index'))).toBe('read_context_reused');
    expect(checkOf(() => checks.readConfirmed(b, 1, 0))).toBe('read_floor');
    expect(checkOf(() => checks.readConfirmed(b, 1, 1))).toBe('read_answered_twice');
  });

  it('operation_ends and answered_twice', () => {
    const { checks, nodes } = fakeCluster();
    const ended = checks.calls.begin('a', 'a get', 0);
    expect(checkOf(() => checks.calls.checkEnded())).toBe('operation_ends');
    ended();
    expect(checkOf(ended)).toBe('answered_twice');
    checks.calls.begin('a', 'a get', 0);
    checks.crashed(nodes[0]!);
    expect(checkOf(() => checks.calls.checkEnded())).toBe('nothing');
  });

  it('damage_accepted: a node starts from a damaged log', () => {
    const { checks, nodes } = fakeCluster();
    checks.damagedLog('a');
    expect(checkOf(() => checks.started(nodes[0]!))).toBe('damage_accepted');
  });

  it('acknowledged_write_lost', () => {
    const event = { process: 0, f: 'write', key: 'k', time: 0 } as const;
    const events = [
      { ...event, type: 'invoke', value: { value: 'x' } },
      { ...event, type: 'ok', value: { revision: 5, created: true } },
    ] as const;
    expect(checkOf(() => checkAcknowledged(events, 'k', null))).toBe('acknowledged_write_lost');
    expect(checkOf(() => checkAcknowledged(events, 'k', { value: 'w', revision: 4 }))).toBe('acknowledged_write_lost');
    expect(checkOf(() => checkAcknowledged(events, 'k', { value: 'x', revision: 5 }))).toBe('nothing');
  });
});
