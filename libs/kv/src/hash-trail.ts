import { hex64, type Word64 } from './hash64.js';

/** What replicas compare: equal on all that have applied the same entries. 16 hexadecimal digits each. */
export interface StateHashes {
  /** Of the rows with the users' records as they are now, however they came about: see `ContentHash`. */
  readonly content: string;
  /** Of every entry so far and of what was answered. */
  readonly history: string;
}

/** The hashes after each of the last entries, one by one, however they were grouped when they were applied. */
export interface HashTrail {
  /** The oldest entry that it knows. */
  readonly firstIndex: number;
  /** The last applied entry. */
  readonly lastIndex: number;
  /** Undefined for an entry that is not between the two. */
  at(index: number): StateHashes | undefined;
}

/** How many entries a trail reaches back, where it is not told otherwise: 64 KiB. */
export const HASH_TRAIL_ENTRIES = 4_096;

const WORDS = 4;

/** A `HashTrail` of bounded length. An entry costs no allocation. It always knows at least one. */
export class HashRing implements HashTrail {
  private readonly words: Int32Array;
  private first = 0;
  private last = 0;

  constructor(private readonly entriesMax = HASH_TRAIL_ENTRIES) {
    this.words = new Int32Array(entriesMax * WORDS);
  }

  get firstIndex(): number {
    return this.first;
  }

  get lastIndex(): number {
    return this.last;
  }

  /** Knows this one entry from now on. */
  restart(index: number, content: Word64, history: Word64): void {
    this.first = index;
    this.last = index;
    this.store(content, history);
  }

  /** The hashes after the entry behind the last one. */
  append(content: Word64, history: Word64): void {
    this.last += 1;
    if (this.last - this.first === this.entriesMax) this.first += 1;
    this.store(content, history);
  }

  at(index: number): StateHashes | undefined {
    if (!(index >= this.first && index <= this.last)) return undefined;
    const place = this.placeOf(index);
    const [contentHigh, contentLow, historyHigh, historyLow] = this.words.subarray(place, place + WORDS);
    return {
      content: hex64({ high: contentHigh!, low: contentLow! }),
      history: hex64({ high: historyHigh!, low: historyLow! }),
    };
  }

  private store(content: Word64, history: Word64): void {
    const place = this.placeOf(this.last);
    this.words[place] = content.high;
    this.words[place + 1] = content.low;
    this.words[place + 2] = history.high;
    this.words[place + 3] = history.low;
  }

  private placeOf(index: number): number {
    return (index % this.entriesMax) * WORDS;
  }
}
