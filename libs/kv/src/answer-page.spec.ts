import fc from 'fast-check';
import { encodeAnswer } from './answer-codec.js';
import { AnswerPage, PAGE_SEQUENCES, pageNumberOf } from './answer-page.js';
import { UnsupportedVersionError } from './decode-error.js';
import { ascii, hex } from './testing/bytes.js';

const PAGE = 3;
const sequenceAt = (place: number) => PAGE * PAGE_SEQUENCES + place;

function pageWith(...places: number[]): AnswerPage {
  const page = new AnswerPage(1, PAGE);
  for (const place of places) page.keep(sequenceAt(place), ascii(`a${place}`));
  return page;
}

function placesOf(page: AnswerPage): number[] {
  return Array.from({ length: PAGE_SEQUENCES }, (_, place) => place).filter(
    (place) => page.get(sequenceAt(place)) !== undefined,
  );
}

describe('AnswerPage', () => {
  it('keeps the bytes of version 2', () => {
    expect(hex(pageWith(63, 0).encode())).toBe('02' + '00026130' + '3f03613633');
  });

  it('is found by its sequences, also by the largest', () => {
    expect([0, 63, 64, 2 ** 53 - 1].map(pageNumberOf)).toEqual([0, 0, 1, 2 ** 47 - 1]);
  });

  it('drops what is below a sequence, and tells how many', () => {
    const page = pageWith(5, 2, 60);
    expect(page.dropBelow(sequenceAt(2))).toBe(0);
    expect(page.dropBelow(sequenceAt(6))).toBe(2);
    expect(placesOf(page)).toEqual([60]);
    expect(page.dropBelow(2 ** 53 - 1)).toBe(1);
    expect(page.count).toBe(0);
  });

  it('is read back as it was, whatever was kept and dropped', () => {
    const places = fc.uniqueArray(fc.nat(PAGE_SEQUENCES - 1));
    fc.assert(
      fc.property(places, fc.nat(PAGE_SEQUENCES), (kept, below) => {
        const page = pageWith(...kept);
        page.dropBelow(sequenceAt(below));
        const again = AnswerPage.decode(1, PAGE, page.encode());
        expect(placesOf(again)).toEqual(kept.filter((place) => place >= below).sort((a, b) => a - b));
        expect([again.count, hex(again.encode())]).toEqual([page.count, hex(page.encode())]);
      }),
    );
  });

  it('does not take a single answer, as such a row once was, for a page', () => {
    // Read as a page it would be one: place 3, an answer of one byte.
    const answer = encodeAnswer({ kind: 'set', created: true, revision: 1 });
    expect(() => AnswerPage.decode(1, PAGE, answer)).toThrow(UnsupportedVersionError);
  });

  it('refuses a version, a place and a length that it does not know', () => {
    expect(() => AnswerPage.decode(1, PAGE, Uint8Array.of(3))).toThrow('version');
    expect(() => AnswerPage.decode(1, PAGE, Uint8Array.of(2, 64, 0))).toThrow('place');
    expect(() => AnswerPage.decode(1, PAGE, Uint8Array.of(2, 1, 9))).toThrow('answer');
  });
});
