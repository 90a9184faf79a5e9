import { SLOT_COUNT } from './slot.js';

/** One cluster in the division of the slots. */
export interface Claim {
  readonly weight: number;
  /** How many slots it has now. */
  readonly held: number;
  /** Its quota will be from `atLeast` to `atMost`; these bounds go before the weights. */
  readonly atLeast: number;
  readonly atMost: number;
}

/**
 * Divides all slots by weight, in whole slots: the quotas sum to 16384 and each is the share rounded down or up
 * (`SLOT_COUNT * weight / sum of weights`), unless its bounds forbid it; then it is as near as they allow.
 *
 * Who gets a slot more than the rounded-down share: the largest remainder; of equal ones who holds the slot already,
 * so that nothing moves without need; then the first in the list. All arithmetic is on whole numbers.
 */
export function quotas(claims: readonly Claim[]): number[] {
  const weightSum = claims.reduce((sum, { weight }) => sum + weight, 0);
  const numerators = claims.map(({ weight }) => SLOT_COUNT * weight);
  const result = claims.map(({ atLeast, atMost }, i) =>
    Math.min(Math.max(Math.floor(numerators[i]! / weightSum), atLeast), atMost),
  );
  let left = SLOT_COUNT - result.reduce((sum, quota) => sum + quota, 0);

  /** How much is missing to the exact share, in slots times `weightSum`. */
  const missing = (i: number): number => numerators[i]! - result[i]! * weightSum;
  const indexes = claims.map((_, i) => i);
  while (left !== 0) {
    const step = Math.sign(left);
    const open = indexes.filter((i) => (step > 0 ? result[i]! < claims[i]!.atMost : result[i]! > claims[i]!.atLeast));
    const neediest = open.reduce((best, i) => {
      const byShare = step * (missing(i) - missing(best));
      const byHeld = step * (claims[i]!.held - result[i]! - (claims[best]!.held - result[best]!));
      return byShare > 0 || (byShare === 0 && byHeld > 0) ? i : best;
    });
    result[neediest]! += step;
    left -= step;
  }
  return result;
}
