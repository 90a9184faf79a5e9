import fc from 'fast-check';
import { ConfigurationHistory } from './configuration-history.js';
import { simpleConfiguration, type ConfigurationAt } from './configuration.js';
import { InvariantViolationError } from './errors.js';

const set = (index: number, ...voters: string[]): ConfigurationAt => ({
  index,
  configuration: simpleConfiguration(voters),
});

const history = () => new ConfigurationHistory([set(0, 'a'), set(4, 'a', 'b'), set(9, 'a', 'b', 'c')]);

describe('the configurations of a log', () => {
  it('are in force from their entry on, the last one at the end of the log', () => {
    const known = history();
    expect([0, 3, 4, 8, 9, 100].map((index) => known.at(index).index)).toEqual([0, 0, 4, 4, 9, 9]);
    expect([known.currentIndex, known.current.voters]).toEqual([9, ['a', 'b', 'c']]);
  });

  it('come back when later ones are truncated, down to the first', () => {
    const known = history();
    known.truncateFrom(10);
    expect(known.currentIndex).toBe(9);
    known.truncateFrom(9);
    expect(known.currentIndex).toBe(4);
    known.truncateFrom(1);
    expect(known.currentIndex).toBe(0);
    known.append(1, simpleConfiguration(['z']));
    expect(known.at(1).configuration.voters).toEqual(['z']);
  });

  it('are forgotten only where the log is gone: the one in force there stays', () => {
    const known = history();
    known.compactThrough(3);
    expect(known.at(0).index).toBe(0);
    known.compactThrough(8);
    expect(known.at(8).index).toBe(4);
    expect(() => known.at(3)).toThrow(InvariantViolationError);
    known.compactThrough(50);
    expect(known.at(50).index).toBe(9);
  });

  it('are replaced by that of a snapshot', () => {
    const known = history();
    known.restore(set(20, 'x'));
    expect([known.currentIndex, known.hasNamed('x'), known.hasNamed('a')]).toEqual([20, true, false]);
  });

  it('come in the order of the log', () => {
    const known = history();
    expect(() => known.append(9, simpleConfiguration(['a']))).toThrow(InvariantViolationError);
    expect(() => new ConfigurationHistory([])).toThrow(InvariantViolationError);
    expect(() => new ConfigurationHistory([set(4, 'a'), set(4, 'b')])).toThrow(InvariantViolationError);
  });

  it('know everyone who was ever named among them', () => {
    const known = history();
    known.append(12, simpleConfiguration(['c']));
    expect(['a', 'b', 'c', 'd'].map((id) => known.hasNamed(id))).toEqual([true, true, true, false]);
  });

  it('know who is a voter from some index on', () => {
    const known = new ConfigurationHistory([set(0, 'a'), set(4, 'b'), set(9, 'c')]);
    known.append(12, { voters: ['c'], outgoingVoters: [], learners: ['d'] });
    const votersSince = (index: number) => ['a', 'b', 'c', 'd'].filter((id) => known.hasVoterSince(index, id));
    expect([3, 4, 8, 9, 20].map(votersSince)).toEqual([['a', 'b', 'c'], ['b', 'c'], ['b', 'c'], ['c'], ['c']]);
  });

  it('agree with a plain list, whatever happens to the log', () => {
    const action = fc.oneof(
      fc.record({ kind: fc.constant('append' as const), gap: fc.integer({ min: 1, max: 3 }) }),
      fc.record({ kind: fc.constant('truncate' as const), at: fc.integer({ min: 1, max: 30 }) }),
    );
    fc.assert(
      fc.property(fc.array(action), (actions) => {
        const known = new ConfigurationHistory([set(0, 'first')]);
        let plain = [set(0, 'first')];
        for (const [i, each] of actions.entries()) {
          if (each.kind === 'append') {
            const next = set(plain.at(-1)!.index + each.gap, `n${i}`);
            plain.push(next);
            known.append(next.index, next.configuration);
          } else {
            plain = plain.filter(({ index }) => index < each.at);
            known.truncateFrom(each.at);
          }
          for (let index = 0; index <= 30; index++) {
            expect(known.at(index)).toEqual(plain.findLast((one) => one.index <= index));
          }
        }
      }),
    );
  });
});
