import fc from 'fast-check';
import { quotas } from './quota.js';
import { SLOT_COUNT } from './slot.js';

const free = (weight: number, held = 0) => ({ weight, held, atLeast: 0, atMost: SLOT_COUNT });

describe('quotas', () => {
  it('sum to all slots, and each is its share rounded down or up', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 60 }), (weights) => {
        const weightSum = weights.reduce((sum, weight) => sum + weight, 0);
        const result = quotas(weights.map((weight) => free(weight)));
        expect(result.reduce((sum, quota) => sum + quota, 0)).toBe(SLOT_COUNT);
        result.forEach((quota, i) => {
          const share = (SLOT_COUNT * weights[i]!) / weightSum;
          expect([Math.floor(share), Math.ceil(share)]).toContain(quota);
        });
      }),
    );
  });

  it('leave the odd slot with who holds it', () => {
    expect(quotas([free(1, 5461), free(1, 5461), free(1, 5462)])).toEqual([5461, 5461, 5462]);
    expect(quotas([free(1, 5462), free(1, 5461), free(1, 5461)])).toEqual([5462, 5461, 5461]);
  });

  it('keep to the bounds and give what they leave to those who miss most', () => {
    const bound = (atLeast: number, atMost: number) => ({ weight: 1, held: 0, atLeast, atMost });
    expect(quotas([bound(0, 1000), bound(0, SLOT_COUNT), bound(9000, SLOT_COUNT)])).toEqual([1000, 6384, 9000]);
  });
});
