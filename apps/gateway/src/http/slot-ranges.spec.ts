import { slotRanges } from './slot-ranges.js';

describe('slot ranges', () => {
  it.each([
    [[], ''],
    [[7], '7'],
    [[0, 1, 2], '0-2'],
    [[0, 2, 3, 9], '0,2-3,9'],
  ])('%j are "%s"', (slots, text) => expect(slotRanges(slots)).toBe(text));
});
