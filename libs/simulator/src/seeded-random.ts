import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { Random } from '@app/raft';

/** Chance from a seed: the same seed and name give the same numbers, other names give numbers that have nothing to do with them. */
export class SeededRandom implements Random {
  private readonly generator;

  constructor(seed: number, name: string) {
    this.generator = xoroshiro128plus(seedOf(seed, name));
  }

  nextInt(min: number, max: number): number {
    return min === max ? min : uniformInt(this.generator, min, max);
  }

  /** True with this probability, to a millionth. Takes no chance for what is certain. */
  happens(probability: number): boolean {
    if (probability <= 0) return false;
    return probability >= 1 || this.nextInt(0, 999_999) < probability * 1_000_000;
  }
}

/** Seeds that lie side by side would give streams that resemble each other: so all bits are mixed (the finalizer of MurmurHash3). */
function seedOf(seed: number, name: string): number {
  let hash = (seed | 0) ^ Math.imul(Math.floor(seed / 2 ** 32) | 0, 0x9e3779b1);
  for (let i = 0; i < name.length; i++) hash = mixed(hash ^ name.charCodeAt(i));
  return mixed(hash ^ name.length);
}

function mixed(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
