import { createHash } from 'node:crypto';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

const FRACTION = 2 ** 30;

/**
 * Chance from a seed: the same seed and name give the same numbers. What real processes make of them is another matter: a
 * seed gives the same decisions, not the same run.
 */
export class Chance {
  private readonly generator;

  constructor(seed: number, name: string) {
    this.generator = xoroshiro128plus(createHash('sha256').update(`${seed}/${name}`).digest().readInt32LE());
  }

  /** A whole number from `least` to `most`, both included. */
  int(least: number, most: number): number {
    return uniformInt(this.generator, least, most);
  }

  /** From 0 inclusive to 1 exclusive. */
  fraction(): number {
    return this.int(0, FRACTION - 1) / FRACTION;
  }

  happens(probability: number): boolean {
    return this.fraction() < probability;
  }

  /** One of these, all alike. Throws when there is none. */
  pick<T>(candidates: readonly T[]): T {
    if (candidates.length === 0) throw new RangeError('there is nothing to pick from');
    return candidates[this.int(0, candidates.length - 1)]!;
  }

  /** In another order. */
  shuffled<T>(items: readonly T[]): T[] {
    const rest = [...items];
    return items.map(() => rest.splice(this.int(0, rest.length - 1), 1)[0]!);
  }
}
