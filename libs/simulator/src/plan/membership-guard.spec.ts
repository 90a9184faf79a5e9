import { simpleConfiguration } from '@app/raft';
import { FakeNode } from '../testing/fake-node.js';
import { MembershipGuard } from './membership-guard.js';

/** Settled nodes that know each other's incarnations. */
function guardOf(voters: readonly string[], firstVoters = voters): MembershipGuard {
  const incarnations = Object.fromEntries(voters.map((id) => [id, 'first']));
  const nodes = voters.map((id) => new FakeNode(id, { ...simpleConfiguration(voters), incarnations }));
  return new MembershipGuard(() => nodes, firstVoters);
}

describe('MembershipGuard', () => {
  it('lets disks be lost as long as a majority of the voters has kept its own', () => {
    const guard = guardOf(['a', 'b', 'c', 'd', 'e']);
    for (const id of ['a', 'b']) {
      expect(guard.mayLose(id)).toBe(true);
      guard.lose(id);
    }
    expect(['a', 'c', 'd'].map((id) => guard.mayLose(id))).toEqual([false, false, false]);
    expect(guard.allows(['a', 'c', 'd'])).toBe(true);
    expect(guard.allows(['a', 'b', 'c'])).toBe(false);
  });

  it('keeps the disk of a sole first voter, also when it is one of many by now', () => {
    const guard = guardOf(['a', 'b', 'c'], ['a']);
    expect(['a', 'b'].map((id) => guard.mayLose(id))).toEqual([false, true]);
    expect(guardOf(['a', 'b', 'c'], ['a', 'b']).mayLose('a')).toBe(true);
  });

  it('keeps the disk of who becomes a voter by itself', () => {
    const incarnations = { a: 'first', b: 'first', c: 'first', x: 'first' };
    const configuration = { ...simpleConfiguration(['a', 'b', 'c']), learners: ['x'], incarnations };
    const mayLose = (joining: Record<string, string>) => {
      const node = new FakeNode('a', { ...configuration, joining });
      return new MembershipGuard(() => [node], ['a', 'b', 'c']).mayLose('x');
    };
    expect(mayLose({ x: 'b' })).toBe(false);
    expect(mayLose({})).toBe(true);
  });
});
