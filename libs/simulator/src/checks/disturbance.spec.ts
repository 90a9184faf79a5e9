import type { Message } from '@app/raft';
import { checkOf, committedCluster, fakeCluster } from '../testing/fake-cluster.js';
import { appendEntries, FakeNode } from '../testing/fake-node.js';

const requestVote = (fields: Partial<Extract<Message, { type: 'RequestVote' }>>): Message => ({
  type: 'RequestVote',
  from: 'c',
  to: 'b',
  term: 2,
  lastLogIndex: 1,
  lastLogTerm: 1,
  preVote: true,
  isTransfer: false,
  ...fields,
});

describe('nobody disturbs', () => {
  it('leader_disturbed: who hears a leader helps a candidate', () => {
    const answer = {
      type: 'RequestVoteResponse',
      from: 'b',
      to: 'c',
      term: 2,
      voteGranted: true,
      preVote: true,
    } as const;
    const grants = (hears: boolean): string => {
      const { checks, nodes } = committedCluster();
      const b = nodes[1]!;
      b.state.leaderId = 'a';
      if (hears) checks.received(b, appendEntries({}));
      checks.received(b, requestVote({}));
      return checkOf(() => checks.sent(b, answer));
    };
    expect(grants(true)).toBe('leader_disturbed');
    expect(grants(false)).toBe('nothing');
  });

  it('late_timeout_now: a leave to campaign that does not fit the log any more is used', () => {
    const campaign = (lastLogIndex: number): string => {
      const { checks, nodes, elect } = committedCluster();
      const [a, b] = nodes as [FakeNode, FakeNode];
      b.state.leaderId = 'a';
      checks.received(b, { type: 'TimeoutNow', from: 'a', to: 'b', term: 1, lastLogIndex, lastLogTerm: 1 });
      a.state.role = 'follower';
      elect(b, 2);
      return checkOf(() => checks.sent(b, requestVote({ from: 'b', to: 'c', preVote: false, isTransfer: true })));
    };
    expect(campaign(0)).toBe('late_timeout_now');
    expect(campaign(1)).toBe('nothing');
  });

  it('removed_node_campaigns: who knows that it is out asks for votes', () => {
    const { checks, nodes } = committedCluster();
    const c = nodes[2]!;
    c.state.expulsion = 'removed';
    expect(checkOf(() => checks.settled(c))).toBe('nothing');
    c.state.role = 'preCandidate';
    expect(checkOf(() => checks.settled(c))).toBe('removed_node_campaigns');
  });

  it('non_voter_leads: even with the votes of all', () => {
    const { checks, elect } = fakeCluster();
    const learner = new FakeNode('d', { voters: ['a', 'b', 'c'], outgoingVoters: [], learners: ['d'] });
    checks.started(learner);
    expect(checkOf(() => elect(learner, 1))).toBe('non_voter_leads');
  });

  it('non_voter_leads: not who votes in an uncommitted configuration that another one follows', () => {
    const { checks, elect } = fakeCluster();
    const between = new FakeNode('d', { voters: ['a', 'b', 'c'], outgoingVoters: [], learners: ['d'] });
    checks.started(between);
    between.state.configurations.append(5, { voters: ['a', 'b', 'd'], outgoingVoters: [], learners: [] });
    between.state.configurations.append(7, { voters: ['a', 'b', 'c'], outgoingVoters: [], learners: ['d'] });
    expect(checkOf(() => elect(between, 1))).not.toBe('non_voter_leads');
  });

  it('hung_disk_leads: a leader stays although its disk completes nothing', () => {
    const { checks, nodes } = committedCluster();
    const a = nodes[0]!;
    Object.defineProperty(a.state, 'writingSince', { value: 0 });
    a.state.now = 5;
    expect(checkOf(() => checks.settled(a))).toBe('nothing');
    a.state.now = 60;
    expect(checkOf(() => checks.settled(a))).toBe('hung_disk_leads');
  });

  it('deaf_leader: a leader stays although nobody answers it', () => {
    const { checks, nodes } = committedCluster();
    const a = nodes[0]!;
    const pass = () => {
      for (let tick = 0; tick < 20; tick++) {
        a.state.now += 1;
        checks.settled(a);
      }
    };
    expect(checkOf(pass)).toBe('deaf_leader');
  });

  it('match_index_monotonic: a leader forgets what a follower has', () => {
    const { checks, nodes } = committedCluster();
    const a = nodes[0]!;
    const progress = { state: 'replicate', matchIndex: 1, nextIndex: 2 };
    a.state.progress.set('b', progress as never);
    checks.settled(a);
    progress.matchIndex = 0;
    expect(checkOf(() => checks.settled(a))).toBe('match_index_monotonic');
  });
});
