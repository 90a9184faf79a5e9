import { Chance } from './chance.js';

describe('Chance', () => {
  const drawn = (chance: Chance): number[] => Array.from({ length: 20 }, () => chance.int(0, 1_000_000));

  it('gives the same for the same seed and name, and something else for others', () => {
    expect(drawn(new Chance(1, 'a'))).toEqual(drawn(new Chance(1, 'a')));
    expect(drawn(new Chance(1, 'a'))).not.toEqual(drawn(new Chance(1, 'b')));
    expect(drawn(new Chance(1, 'a'))).not.toEqual(drawn(new Chance(2, 'a')));
  });

  it('reaches both bounds, and keeps to them', () => {
    const chance = new Chance(1, 'bounds');
    const numbers = new Set(Array.from({ length: 200 }, () => chance.int(3, 5)));
    expect([...numbers].sort()).toEqual([3, 4, 5]);
  });

  it('shuffles without losing anything', () => {
    const items = [1, 2, 3, 4, 5, 6];
    const chance = new Chance(1, 'shuffle');
    const orders = new Set(Array.from({ length: 50 }, () => chance.shuffled(items).join()));
    expect(orders.size).toBeGreaterThan(20);
    expect(chance.shuffled(items).sort()).toEqual(items);
  });

  it('refuses to pick from nothing', () => {
    expect(() => new Chance(1, 'x').pick([])).toThrow(RangeError);
  });
});
