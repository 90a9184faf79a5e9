import fc from 'fast-check';
import type { Configuration } from './configuration.js';
import { hasQuorum, storedByQuorum, voteResult } from './quorum.js';

const ids = [...'abcdefghi'];

/** Simple and joint configurations of one to nine voters, and learners that must not matter. */
const configurations: fc.Arbitrary<Configuration> = fc.record({
  voters: fc.subarray(ids, { minLength: 1 }),
  outgoingVoters: fc.oneof(fc.constant([]), fc.subarray(ids, { minLength: 1 })),
  learners: fc.subarray([...ids, 'x', 'y']),
});

const isMajority = (voters: readonly string[], holds: (id: string) => boolean) =>
  2 * voters.filter(holds).length > voters.length;

/** The definition, word by word: a majority of the voters and, in a joint configuration, a majority of the outgoing ones. */
const isNaiveQuorum = ({ voters, outgoingVoters }: Configuration, holds: (id: string) => boolean) =>
  isMajority(voters, holds) && (outgoingVoters.length === 0 || isMajority(outgoingVoters, holds));

const votesOf = fc.array(fc.constantFrom(true, false, undefined), { minLength: 9, maxLength: 9 });

const mapOf = (votes: readonly (boolean | undefined)[]) =>
  new Map(ids.flatMap((id, i) => (votes[i] === undefined ? [] : [[id, votes[i]] as const])));

describe('quorum arithmetic', () => {
  it.each([
    [1, 1],
    [2, 2],
    [3, 2],
    [4, 3],
    [5, 3],
    [6, 4],
    [7, 4],
    [8, 5],
    [9, 5],
  ])('a majority of %i voters is %i of them, not one less', (count, majority) => {
    const configuration = { voters: ids.slice(0, count), outgoingVoters: [], learners: [] };
    const first = (n: number) => (id: string) => ids.indexOf(id) < n;
    expect(hasQuorum(configuration, first(majority))).toBe(true);
    expect(hasQuorum(configuration, first(majority - 1))).toBe(false);
  });

  it('agrees with the definition on who forms a quorum', () => {
    fc.assert(
      fc.property(configurations, fc.subarray(ids), (configuration, holders) => {
        const holds = (id: string) => holders.includes(id);
        expect(hasQuorum(configuration, holds)).toBe(isNaiveQuorum(configuration, holds));
      }),
    );
  });

  it('finds the highest index that a quorum has stored', () => {
    fc.assert(
      fc.property(configurations, fc.array(fc.nat(6), { minLength: 9, maxLength: 9 }), (configuration, stored) => {
        const storedOf = (id: string) => stored[ids.indexOf(id)] ?? 0;
        let highest = 0;
        for (let index = 1; index <= 6; index++) {
          if (isNaiveQuorum(configuration, (id) => storedOf(id) >= index)) highest = index;
        }
        expect(storedByQuorum(configuration, storedOf)).toBe(highest);
      }),
    );
  });

  it('calls a vote won when it is, lost when no answer can save it, and pending in between', () => {
    fc.assert(
      fc.property(configurations, votesOf, (configuration, votes) => {
        const answers = mapOf(votes);
        const isWon = isNaiveQuorum(configuration, (id) => answers.get(id) === true);
        const canBeWon = isNaiveQuorum(configuration, (id) => answers.get(id) !== false);
        expect(voteResult(configuration, answers)).toBe(isWon ? 'won' : canBeWon ? 'pending' : 'lost');
      }),
    );
  });

  it('never counts a learner', () => {
    const configuration = { voters: ['a', 'b', 'c'], outgoingVoters: [], learners: ['x', 'y'] };
    const isVoterAOrLearner = (id: string) => 'axy'.includes(id);
    expect(hasQuorum(configuration, isVoterAOrLearner)).toBe(false);
    expect(storedByQuorum(configuration, (id) => (isVoterAOrLearner(id) ? 9 : 1))).toBe(1);
    expect(voteResult(configuration, new Map([...'axy'].map((id) => [id, true])))).toBe('pending');
  });

  it('lets a configuration without voters decide nothing', () => {
    const nobody = { voters: [], outgoingVoters: [], learners: ['a'] };
    expect(hasQuorum(nobody, () => true)).toBe(false);
    expect(storedByQuorum(nobody, () => 7)).toBe(0);
    expect(voteResult(nobody, new Map([['a', true]]))).toBe('lost');
  });
});
