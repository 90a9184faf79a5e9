import { ByteReader } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';
import { DecodeError, UnsupportedVersionError } from './decode-error.js';

/** Consecutive sequences that share a page. */
export const PAGE_SEQUENCES = 64;

/**
 * version, then for each answer, in ascending order: its place in the page (one byte), its bytes with their length. Rows of this prefix once
 * held a single answer, which begins with 1: they must not be taken for pages.
 */
const VERSION = 2;

const writer = new ByteWriter();

/**
 * The answers that one session keeps for the sequences from `number * PAGE_SEQUENCES` on. A page is one row, so the answers to a batch
 * cost a few rows, not one each to be kept and one each to be dropped. The row says what is kept and nothing of how that
 * came about, so it is the same on all nodes, however entries were grouped.
 */
export class AnswerPage {
  private readonly answers: (Uint8Array | undefined)[] = new Array<undefined>(PAGE_SEQUENCES).fill(undefined);
  private kept = 0;
  /** Nothing is kept in the places before this one. */
  private firstPlace = 0;

  constructor(
    readonly clientId: number,
    readonly number: number,
  ) {}

  /** Throws `UnsupportedVersionError` or `DecodeError`. */
  static decode(clientId: number, number: number, row: Uint8Array): AnswerPage {
    const page = new AnswerPage(clientId, number);
    const reader = new ByteReader(row);
    const version = reader.byte('version');
    if (version !== VERSION) throw new UnsupportedVersionError('answers', 'version', version);
    while (reader.remaining > 0) {
      const place = reader.byte('place');
      if (place >= PAGE_SEQUENCES) throw new DecodeError('place', `${place} is not below ${PAGE_SEQUENCES}`);
      page.keep(number * PAGE_SEQUENCES + place, reader.bytes('answer'));
    }
    return page;
  }

  encode(): Uint8Array {
    writer.start().byte(VERSION);
    for (let place = this.firstPlace; place < PAGE_SEQUENCES; place += 1) {
      const answer = this.answers[place];
      if (answer !== undefined) writer.byte(place).bytes(answer);
    }
    return writer.finish();
  }

  /** Answers that are kept here. */
  get count(): number {
    return this.kept;
  }

  /** `sequence` must be of this page, here and below. */
  get(sequence: number): Uint8Array | undefined {
    return this.answers[sequence % PAGE_SEQUENCES];
  }

  /** Nothing must be kept for `sequence` yet. */
  keep(sequence: number, answer: Uint8Array): void {
    const place = sequence % PAGE_SEQUENCES;
    this.answers[place] = answer;
    this.kept += 1;
    if (place < this.firstPlace) this.firstPlace = place;
  }

  /** Returns how many answers were dropped. */
  dropBelow(sequence: number): number {
    const end = Math.min(PAGE_SEQUENCES, sequence - this.number * PAGE_SEQUENCES);
    const before = this.kept;
    for (; this.firstPlace < end; this.firstPlace += 1) {
      if (this.answers[this.firstPlace] === undefined) continue;
      this.answers[this.firstPlace] = undefined;
      this.kept -= 1;
    }
    return before - this.kept;
  }

  dropAll(): void {
    this.dropBelow(Infinity);
  }
}

/** The page that `sequence` is kept in. */
export function pageNumberOf(sequence: number): number {
  return Math.floor(sequence / PAGE_SEQUENCES);
}
