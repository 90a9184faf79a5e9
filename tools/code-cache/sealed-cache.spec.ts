import { seal, unseal } from './sealed-cache.js';

const SOURCE = Buffer.from('exports.answer = 41;');
const COMPILED = Buffer.from('what V8 made of it');

describe('a sealed code cache', () => {
  const sealed = seal(SOURCE, COMPILED);

  it('opens with the source that it was made of', () => {
    expect(unseal(SOURCE, sealed)).toEqual(COMPILED);
  });

  it('stays closed for another source of the same length', () => {
    expect(unseal(Buffer.from('exports.answer = 42;'), sealed)).toBeUndefined();
  });

  it('stays closed when any byte has changed', () => {
    for (let at = 0; at < sealed.length; at++) {
      const damaged = Buffer.from(sealed);
      damaged[at]! ^= 1;
      expect([at, unseal(SOURCE, damaged)]).toEqual([at, undefined]);
    }
  });

  it('stays closed when it is cut, down to nothing', () => {
    for (let length = 0; length < sealed.length; length++) {
      expect([length, unseal(SOURCE, sealed.subarray(0, length))]).toEqual([length, undefined]);
    }
  });
});
