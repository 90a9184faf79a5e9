import { simpleConfiguration, type Configuration } from './configuration.js';
import {
  configurationAfter,
  configurationAfterJoint,
  withRecords,
  type MembershipChange,
} from './membership-change.js';

const abc = simpleConfiguration(['a', 'b', 'c']);

/** `x` is to take the place of `b`, `y` comes in addition, `z` only learns. */
const growing: Configuration = {
  ...abc,
  learners: ['x', 'y', 'z'],
  addresses: { a: 'h:1', b: 'h:2', x: 'h:3' },
  joining: { x: 'b', y: 'y' },
};

const after = (configuration: Configuration, change: MembershipChange): Configuration => {
  const next = configurationAfter(configuration, change);
  if (typeof next === 'string') throw new Error(next);
  return next;
};

describe('a change of the configuration', () => {
  it('keeps where the added learners are, and that they join', () => {
    const next = after(abc, { addLearners: ['x', 'y'], joining: { x: 'b' }, addresses: { x: 'h:3' } });
    expect(next).toEqual({ ...abc, learners: ['x', 'y'], addresses: { x: 'h:3' }, joining: { x: 'b' } });
  });

  it('moves a member, and nothing else', () => {
    expect(after(growing, { addresses: { a: 'h:9' } })).toEqual({
      ...growing,
      addresses: { ...growing.addresses, a: 'h:9' },
    });
  });

  it('lets the replaced voter leave with the promotion, through a joint configuration that still knows it', () => {
    const joint = after(growing, { promote: ['x'] });
    expect(joint).toEqual({
      voters: ['a', 'c', 'x'],
      outgoingVoters: ['a', 'b', 'c'],
      learners: ['y', 'z'],
      addresses: growing.addresses,
      joining: { y: 'y' },
    });
    expect(configurationAfterJoint(joint)).toEqual({
      ...joint,
      outgoingVoters: [],
      addresses: { a: 'h:1', x: 'h:3' },
    });
  });

  it('that promotes a learner and names the replaced voter itself is the same change', () => {
    expect(after(growing, { promote: ['x'], remove: ['b'] })).toEqual(after(growing, { promote: ['x'] }));
  });

  it('promotes a learner that takes nobody’s place in one step', () => {
    expect(after(growing, { promote: ['y'] })).toMatchObject({ voters: ['a', 'b', 'c', 'y'], outgoingVoters: [] });
  });

  it('that removes whoever was to be replaced leaves the learner joining in addition', () => {
    const next = after(growing, { remove: ['b'] });
    expect(next.joining).toEqual({ x: 'x', y: 'y' });
    expect(after(next, { promote: ['x'] })).toMatchObject({ voters: ['a', 'c', 'x'], outgoingVoters: [] });
  });

  it('forgets everything about who leaves, so that it may come back from elsewhere', () => {
    const next = after(growing, { remove: ['x'] });
    expect(next.addresses).toEqual({ a: 'h:1', b: 'h:2' });
    expect(next.joining).toEqual({ y: 'y' });
    expect(after(next, { addLearners: ['x'] }).joining).toEqual({ y: 'y' });
  });

  it.each<[string, MembershipChange, RegExp]>([
    ['joining of who is not added', { addLearners: ['v'], joining: { w: 'w' } }, /w is not among the learners/],
    ['joining of who only learns', { joining: { z: 'z' }, addresses: { z: 'h:1' } }, /z is not among the learners/],
    ['the place of a learner', { addLearners: ['v'], joining: { v: 'z' } }, /z is no voter/],
    ['the place of a stranger', { addLearners: ['v'], joining: { v: 'w' } }, /w is no voter/],
    ['a place that is taken', { addLearners: ['v'], joining: { v: 'b' } }, /x takes the place of b already/],
    ['a place for two', { addLearners: ['v', 'w'], joining: { v: 'c', w: 'c' } }, /v takes the place of c already/],
    ['the address of a stranger', { addresses: { v: 'h:1' } }, /v is no member/],
    ['an address that cannot be written', { addresses: { a: 'h 1' } }, /"h 1" cannot be an address/],
  ])('is refused if it asks for %s', (_, wanted, complaint) => {
    expect(configurationAfter(growing, wanted)).toEqual(expect.stringMatching(complaint));
  });
});

describe('the records of members', () => {
  it('are those of members alone, also where a name is one that every object has', () => {
    const records = { addresses: { a: '1', constructor: '2' }, joining: { a: 'a', constructor: 'constructor' } };
    expect(withRecords(abc, { ...records, incarnations: undefined })).toEqual({ ...abc, addresses: { a: '1' } });
    expect(configurationAfter({ ...abc, learners: ['constructor'] }, { promote: ['constructor'] })).toEqual({
      voters: ['a', 'b', 'c', 'constructor'],
      outgoingVoters: [],
      learners: [],
    });
  });
});
