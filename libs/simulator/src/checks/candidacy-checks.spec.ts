import type { Message, RaftState } from '@app/raft';
import { checkOf, committedCluster, hardState } from '../testing/fake-cluster.js';
import type { FakeNode } from '../testing/fake-node.js';
import type { Checks } from './checks.js';

const TIMEOUT = 5;

const timeoutNow: Message = { type: 'TimeoutNow', from: 'a', to: 'b', term: 1, lastLogIndex: 1, lastLogTerm: 1 };
const transferVote: Message = {
  type: 'RequestVote',
  from: 'b',
  to: 'c',
  term: 2,
  lastLogIndex: 1,
  lastLogTerm: 1,
  preVote: false,
  isTransfer: true,
};

const takeOver = (checks: Checks, b: FakeNode): void => {
  checks.synced(b, { hardState: hardState(2, 'b'), snapshot: undefined, entries: [] });
  checks.sent(b, transferVote);
};

/** The follower b of the leader a, with the candidacy that it is given. */
function follower(candidacy: RaftState['candidacy']): { checks: Checks; b: FakeNode; a: FakeNode } {
  const { checks, nodes } = committedCluster();
  const [a, b] = nodes as [FakeNode, FakeNode];
  b.state.leaderId = 'a';
  b.state.candidacy = candidacy;
  checks.settled(b);
  return { checks, a, b };
}

describe('who had better not lead', () => {
  it('unwilling_successor: a reluctant node takes over', () => {
    const takesOver = (candidacy: RaftState['candidacy']): string => {
      const { checks, b } = follower(candidacy);
      checks.received(b, timeoutNow);
      return checkOf(() => takeOver(checks, b));
    };
    expect(takesOver('reluctant')).toBe('unwilling_successor');
    expect(takesOver('ready')).toBe('nothing');
  });

  it('may take over if it was asked while it was ready', () => {
    const { checks, b } = follower('ready');
    checks.received(b, timeoutNow);
    b.state.candidacy = 'reluctant';
    checks.received(b, timeoutNow);
    expect(checkOf(() => takeOver(checks, b))).toBe('nothing');
  });

  it('reluctant_campaigns_early: it does not leave the campaign to others', () => {
    const campaigns = (atTick: number, before: RaftState['candidacy'] = 'reluctant'): string => {
      const { checks, b } = follower(before);
      b.state.leaderHeardTick = 100;
      b.state.now = 100 + atTick;
      b.state.candidacy = 'reluctant';
      b.state.role = 'preCandidate';
      return checkOf(() => checks.settled(b));
    };
    expect(campaigns(2 * TIMEOUT)).toBe('reluctant_campaigns_early');
    expect(campaigns(5 * TIMEOUT)).toBe('nothing');
    expect(campaigns(2 * TIMEOUT, 'ready')).toBe('nothing');
  });
});

describe('who must not lead', () => {
  it('unfit_campaigns: it asks for votes', () => {
    for (const role of ['preCandidate', 'candidate'] as const) {
      const { checks, b } = follower('never');
      b.state.role = role;
      expect(checkOf(() => checks.settled(b))).toBe('unfit_campaigns');
    }
  });

  it('unfit_leads: it goes on for longer than handing over may take', () => {
    const { checks, a } = follower('ready');
    a.state.candidacy = 'never';
    checks.settled(a);
    a.state.now += TIMEOUT;
    expect(checkOf(() => checks.settled(a))).toBe('nothing');
    a.state.now += 1;
    expect(checkOf(() => checks.settled(a))).toBe('unfit_leads');
  });

  it('unfit_leads: it becomes leader', () => {
    const { checks, a } = follower('ready');
    a.state.role = 'follower';
    a.state.candidacy = 'never';
    checks.settled(a);
    a.state.role = 'leader';
    expect(checkOf(() => checks.settled(a))).toBe('unfit_leads');
  });
});
