import { LastLines } from './last-lines.js';

describe('LastLines', () => {
  it.each([
    [0, []],
    [2, ['0', '1']],
    [3, ['0', '1', '2']],
    [4, ['1', '2', '3']],
    [7, ['4', '5', '6']],
  ])('keeps the last 3 of %i in order', (count, kept) => {
    const lines = new LastLines(3);
    for (let i = 0; i < count; i += 1) lines.add(String(i));
    expect(lines.kept).toEqual(kept);
    expect(lines.forgotten).toBe(Math.max(0, count - 3));
  });
});
