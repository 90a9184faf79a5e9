import { editDistance, nearestWord } from './edit-distance.js';

describe('editDistance', () => {
  it.each([
    ['', '', 0],
    ['', 'abc', 3],
    ['abc', '', 3],
    ['listen', 'listen', 0],
    ['listne', 'listen', 1],
    ['lisen', 'listen', 1],
    ['listern', 'listen', 1],
    ['lusten', 'listen', 1],
    ['kitten', 'sitting', 3],
  ])('of %j and %j is %i', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
  });
});

describe('nearestWord', () => {
  it('is the closest candidate within two letters', () => {
    expect(nearestWord('peres', ['peer', 'peers', 'port'])).toBe('peers');
    expect(nearestWord('quorum', ['peer', 'peers'])).toBeUndefined();
  });
});
