import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { KeyChoice, Work } from './load.js';

/** The exponent that YCSB uses: of 10,000 keys the first takes a tenth of all requests. */
const ZIPF_EXPONENT = 0.99;
/** Of the mixed work. */
const PUT_SHARE = 0.05;

export interface Draw {
  readonly key: number;
  readonly isPut: boolean;
}

/** The requests of one turn: which key each is about and whether it writes. The same seed gives the same draws. */
export function drawRequests(work: Work, keys: KeyChoice, keyCount: number, count: number, seed: number): Draw[] {
  const random = xoroshiro128plus(seed);
  const chance = (): number => uniformFloat64(random);
  const draw = keys === 'zipf' ? zipf(keyCount) : (x: number) => Math.floor(x * keyCount);
  return Array.from({ length: count }, () => ({
    key: draw(chance()),
    isPut: work === 'put' || (work === 'mixed' && chance() < PUT_SHARE),
  }));
}

/** From a number of [0, 1) to a rank: rank r is drawn in proportion to 1 / (r + 1)^0.99. */
function zipf(count: number): (x: number) => number {
  const sums = new Float64Array(count);
  let sum = 0;
  for (let rank = 0; rank < count; rank++) sums[rank] = sum += (rank + 1) ** -ZIPF_EXPONENT;
  return (x) => {
    const wanted = x * sum;
    let low = 0;
    let high = count - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sums[middle]! > wanted) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}
