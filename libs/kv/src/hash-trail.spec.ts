import { HashRing } from './hash-trail.js';
import { hex64, type Word64 } from './hash64.js';

const content = (index: number): Word64 => ({ high: index, low: ~index });
const history = (index: number): Word64 => ({ high: -index, low: index * 3 });

function at(index: number) {
  return { content: hex64(content(index)), history: hex64(history(index)) };
}

/** A ring that began with `first` and has gone on to `last`. */
function ring(first: number, last: number): HashRing {
  const hashes = new HashRing(4);
  hashes.restart(first, content(first), history(first));
  for (let index = first + 1; index <= last; index++) hashes.append(content(index), history(index));
  return hashes;
}

describe('HashRing', () => {
  it.each([
    [0, 0, 0],
    [0, 3, 0],
    [0, 4, 1],
    [0, 9, 6],
    [7, 7, 7],
    [7, 10, 7],
    [7, 11, 8],
    [2 ** 33 + 1, 2 ** 33 + 9, 2 ** 33 + 6],
  ])('that began with %d and went on to %d knows the entries from %d on', (began, last, first) => {
    const hashes = ring(began, last);
    expect([hashes.firstIndex, hashes.lastIndex]).toEqual([first, last]);
    for (let index = first; index <= last; index++) expect(hashes.at(index)).toEqual(at(index));
    for (const index of [first - 1, last + 1, first - 4, last + 4, -1, NaN, first + 0.5 - 1]) {
      expect(hashes.at(index)).toBeUndefined();
    }
  });

  it('knows nothing of what was before when it begins anew', () => {
    const hashes = ring(0, 9);
    hashes.restart(8, content(8), history(8));
    expect([6, 7, 8, 9].map((index) => hashes.at(index))).toEqual([undefined, undefined, at(8), undefined]);
    hashes.append(content(9), history(9));
    expect([hashes.firstIndex, hashes.at(8), hashes.at(9)]).toEqual([8, at(8), at(9)]);
  });
});
