import { clusterView, nodeView } from '../testing/views.js';
import { isFinal, joinStateOf, joinStateText } from './join-state.js';

const LEADER = nodeView('n1', { role: 'leader' });
const JOINING = { is_learner: true, is_joining: true };

describe('how far a newcomer is', () => {
  it.each([
    ['a voter', nodeView('n4'), { kind: 'voter' }],
    ['a learner that stays one', nodeView('n4', { is_learner: true }), { kind: 'learner' }],
    ['not heard', nodeView('n4', { ...JOINING, is_active: false }), { kind: 'unheard' }],
    ['half way', nodeView('n4', { ...JOINING, match_index: 50 }), { kind: 'catching_up', stored: 50, committed: 100 }],
    ['ahead', nodeView('n4', { ...JOINING, match_index: 120 }), { kind: 'catching_up', stored: 100, committed: 100 }],
    ['no member, though it answers', nodeView('n4', { is_learner: null }), { kind: 'absent' }],
    ['unknown', nodeView('n5'), { kind: 'absent' }],
  ])('%s', (_name, node, state) => {
    expect(joinStateOf(clusterView([LEADER, node]), 'n4')).toEqual(state);
  });

  it('is a voter in the place of another only once that one is gone', () => {
    const nodes = [LEADER, nodeView('n2'), nodeView('n4')];
    expect(joinStateOf(clusterView(nodes), 'n4', 'n2').kind).toBe('catching_up');
    expect(joinStateOf(clusterView([nodes[0]!, nodes[2]!]), 'n4', 'n2').kind).toBe('voter');
    // It still answers, and the leader does not count it any more.
    const left = nodeView('n2', { is_learner: null });
    expect(joinStateOf(clusterView([nodes[0]!, left, nodes[2]!]), 'n4', 'n2').kind).toBe('voter');
  });

  it('is unknown while nobody leads', () => {
    const state = joinStateOf(clusterView([nodeView('n4')], { leader: null }), 'n4');
    expect([state.kind, isFinal(state)]).toEqual(['no_leader', false]);
  });

  it('is told in words', () => {
    expect(joinStateText({ kind: 'catching_up', stored: 199, committed: 200 }, 'a:1')).toBe(
      'is catching up: 99% of the log',
    );
    expect(joinStateText({ kind: 'unheard' }, 'a:1')).toContain('start it with --join at a:1');
  });
});
