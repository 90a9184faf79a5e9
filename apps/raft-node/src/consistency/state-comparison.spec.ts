import type { StateHashes } from '@app/kv';
import type { Configuration } from '@app/raft';
import { compareStates, isMajority } from './state-comparison.js';

const three: Configuration = { voters: ['a', 'b', 'c'], outgoingVoters: [], learners: [] };
const five: Configuration = { voters: ['a', 'b', 'c', 'd', 'e'], outgoingVoters: [], learners: [] };
const withLearners: Configuration = { voters: ['a', 'b', 'c'], outgoingVoters: [], learners: ['l', 'm'] };
const joint: Configuration = { voters: ['a', 'b', 'c'], outgoingVoters: ['c', 'd', 'e'], learners: [] };

/** `a1 b1 c2`: a and b have state 1, c has state 2; who is not named has not answered. */
function answersOf(text: string): Map<string, StateHashes> {
  return new Map(
    text
      .split(' ')
      .filter(Boolean)
      .map((part) => [part[0]!, { content: `content ${part[1]}`, history: `history ${part[1]}` }]),
  );
}

/** The verdict in the same form. */
function verdictOn(configuration: Configuration, text: string): string {
  const verdict = compareStates(configuration, answersOf(text));
  switch (verdict.kind) {
    case 'equal':
      return `equal ${verdict.agreeing.join('')}, missing ${verdict.missing.join('')}`;
    case 'outvoted':
      return `${verdict.majority.ids.join('')} against ${verdict.odd.map(({ ids }) => ids.join('')).join('|')}`;
    case 'undecided':
      return `undecided ${verdict.camps.map(({ ids }) => ids.join('')).join('|')}`;
  }
}

describe('compareStates', () => {
  it.each([
    ['all are equal', three, 'a1 b1 c1', 'equal abc, missing '],
    ['one has not answered', three, 'a1 b1', 'equal ab, missing c'],
    ['nobody but the leader has answered', three, 'a1', 'equal a, missing bc'],
    ['a follower is odd', three, 'a1 b1 c2', 'ab against c'],
    ['the leader is odd', three, 'a2 b1 c1', 'bc against a'],
    ['all differ', three, 'a1 b2 c3', 'undecided a|b|c'],
    ['two differ and one has not answered', three, 'a1 b2', 'undecided a|b'],
    ['five: one is odd', five, 'a1 b1 c1 d1 e2', 'abcd against e'],
    ['five: two are odd together', five, 'a1 b1 c1 d2 e2', 'abc against de'],
    ['five: two are odd, each in its own way', five, 'a1 b1 c1 d2 e3', 'abc against d|e'],
    ['five: the leader and another are odd', five, 'a2 b1 c1 d1 e2', 'bcd against ae'],
    ['five: a plurality is no majority', five, 'a1 b1 c2 d3 e4', 'undecided ab|c|d|e'],
    ['five: a tie with one missing', five, 'a1 b1 c2 d2', 'undecided ab|cd'],
    ['five: a majority of those who answered is none of all', five, 'a1 b1 c2', 'undecided ab|c'],
    ['five: three of five are enough', five, 'a1 b1 c2 d1', 'abd against c'],
    ['a learner is odd', withLearners, 'a1 b1 c1 l2 m1', 'abcm against l'],
    ['learners do not make a majority', withLearners, 'a1 b2 l1 m1', 'undecided alm|b'],
    ['learners do not outvote voters', withLearners, 'a1 b1 c1 l2 m2', 'abc against lm'],
    ['a learner contradicts while too few voters have answered', withLearners, 'a1 l2', 'undecided a|l'],
    ['joint: a majority of both lists', joint, 'a1 b1 c2 d1 e1', 'abde against c'],
    ['joint: a majority of one list alone', joint, 'a1 b1 c2 d2 e1', 'undecided abe|cd'],
    ['who is no member is not heard', three, 'a1 b1 c1 x2', 'equal abc, missing '],
    ['one voter', { voters: ['a'], outgoingVoters: [], learners: [] }, 'a1', 'equal a, missing '],
  ])('%s', (_what, configuration, answers, expected) => {
    expect(verdictOn(configuration, answers)).toBe(expected);
  });

  it.each([
    ['the content alone', { content: 'other', history: 'h' }],
    ['the history alone', { content: 'c', history: 'other' }],
  ])('is outvoted by %s', (_what, odd) => {
    const same = { content: 'c', history: 'h' };
    const verdict = compareStates(
      three,
      new Map([
        ['a', same],
        ['b', odd],
        ['c', { ...same }],
      ]),
    );
    expect(verdict).toEqual({
      kind: 'outvoted',
      majority: { hashes: same, ids: ['a', 'c'] },
      odd: [{ hashes: odd, ids: ['b'] }],
    });
  });
});

describe('isMajority', () => {
  it.each([
    [three, 'ab', true],
    [three, 'a', false],
    [three, '', false],
    [three, 'axyz', false],
    [withLearners, 'alm', false],
    [five, 'abc', true],
    [five, 'ab', false],
    [joint, 'abd', false],
    [joint, 'abde', true],
    [joint, 'bcd', true],
  ])('%j %s: %s', (configuration, ids, expected) => {
    expect(isMajority(configuration, [...ids])).toBe(expected);
  });
});
