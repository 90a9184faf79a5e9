import { randomInt } from 'node:crypto';
import type { Random } from '@app/raft';

export const RANDOM = Symbol('Random');

/** Chance from the operating system: two nodes never draw the same stream, as equal seeds would. */
export function systemRandom(): Random {
  return { nextInt: (min, max) => randomInt(min, max + 1) };
}
