import pc from 'picocolors';
import { clusterView, nodeView, silentNode } from '../testing/views.js';
import { statusText } from './status-table.js';

const PLAIN = pc.createColors(false);
const LEADER = nodeView('n1', { role: 'leader' });

function linesOf(...nodes: Parameters<typeof clusterView>): string[] {
  return statusText({ clusters: [clusterView(...nodes)] }, PLAIN).split('\n');
}

describe('the status as a table', () => {
  it('has a line for each node and one for each cluster', () => {
    expect(linesOf([LEADER, nodeView('n2', { lag: 3, applied_index: 97 })])).toEqual([
      'CLUSTER  NODE  ROLE      TERM  COMMIT  APPLIED  LAG      LOG    STATE  VERSION  HEALTH',
      'c1       n1    leader       3     100      100    0  1.0 MiB  2.0 KiB  0.1.0    ok',
      'c1       n2    follower     3     100       97    3  1.0 MiB  2.0 KiB  0.1.0    ok',
      '',
      'c1 is healthy: led by n1 in term 3',
    ]);
  });

  it('tells of a node that does not answer what its leader knows, and why it does not', () => {
    const lines = linesOf([LEADER, silentNode('n2', 'connection refused', { match_index: 58 })], {
      health: 'degraded',
    });
    expect(lines[2]).toMatch(/^c1 +n2 +- +- +- +- +~42 +- +- +- +unreachable$/);
    expect(lines.slice(4)).toEqual([
      'c1 is degraded, and serves: led by n1 in term 3',
      '  n2 does not answer at n2:7001: connection refused',
    ]);
  });

  it('says of a cluster without a leader what it takes', () => {
    const last = nodeView('n1', {
      role: 'pre_candidate',
      lag: null,
      is_active: null,
      unhealthy_reasons: ['leader: none'],
    });
    const facts = { health: 'unavailable', leader: null, term: null } as const;
    const lines = linesOf([last, silentNode('n2', 'gone', { match_index: null })], facts);
    expect(lines[1]).toMatch(/pre-candidate.* - .*unwell$/);
    expect(lines.slice(4)).toEqual([
      'c1 is unavailable: it has no leader; 1 of 2 nodes answer. It serves again once a majority of its voters runs',
      '  n1: leader: none',
      '  n2 does not answer at n2:7001: gone',
    ]);
  });

  it.each([
    [{ expulsion: 'stop it' }, 'expelled', 'n2 is no member: stop it'],
    [{ is_quarantined: true, unhealthy_reasons: ['state: wrong'] }, 'quarantined', 'n2: state: wrong'],
    [{ is_active: false }, 'unheard', 'n2 answers, and its leader has not heard it'],
    [{ is_learner: true, is_joining: true, replaces: 'n9' }, 'joining', 'by itself in the place of n9'],
  ])('%j is %s', (facts, word, sentence) => {
    const lines = linesOf([LEADER, nodeView('n2', facts)], { health: 'degraded' });
    expect(lines[2]!.endsWith(word)).toBe(true);
    expect(lines[5]).toContain(sentence);
  });

  it('calls a learner one', () => {
    expect(linesOf([LEADER, nodeView('n2', { is_learner: true })])[2]).toMatch(/^c1 +n2 +learner .* ok$/);
  });
});
