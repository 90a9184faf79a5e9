import type { Row } from '@app/kv';
import type { LevelSnapshot, StateDatabase } from './state-database.js';
import { bytesOfRow, keyAfter, RangeDigest, type StateRange } from './state-range.js';

/** An iterator keeps tables from being removed that compaction has replaced, so none is used for more than this. */
const ITERATOR_BYTES_MAX = 8 * 1024 * 1024;

/**
 * Reads a snapshot range by range, one at a time. Ranges that meet share an iterator of the database: each iterator holds the page that it
 * read last, some 100 KiB outside of the heap, until it is collected, and nothing hurries the collector to do that. With one for each range
 * a node that had read its state once held half of it.
 */
export class RangeReader {
  private pages: AsyncGenerator<readonly Row[], void, undefined> | undefined;
  /** The page under way, and how much of it went into a range. */
  private page: readonly Row[] = [];
  private taken = 0;
  /** Where the next range begins that can go on from here. */
  private next: Uint8Array | undefined;
  private bytesRead = 0;

  constructor(
    private readonly database: StateDatabase,
    private readonly snapshot: LevelSnapshot,
  ) {}

  /** From `from` on, at least one row and not more once there are `bytesMax`. */
  async range(from: Uint8Array, bytesMax: number): Promise<StateRange> {
    if (this.bytesRead > ITERATOR_BYTES_MAX || this.next === undefined || Buffer.compare(this.next, from) !== 0) {
      await this.close();
    }
    const digest = new RangeDigest();
    const rows: Row[] = [];
    let bytes = 0;
    while (this.taken < this.page.length || (await this.nextPage(from))) {
      const row = this.page[this.taken++]!;
      rows.push(row);
      digest.add(row);
      bytes += bytesOfRow(row);
      if (bytes >= bytesMax) {
        this.next = keyAfter(row.key);
        this.bytesRead += bytes;
        return { from, to: this.next, rows, digest: digest.finish() };
      }
    }
    await this.close();
    return { from, to: undefined, rows, digest: digest.finish() };
  }

  /** Lets go of the iterator. It may be used again. */
  async close(): Promise<void> {
    const { pages } = this;
    this.pages = undefined;
    this.page = [];
    this.taken = 0;
    this.next = undefined;
    this.bytesRead = 0;
    await pages?.return();
  }

  /** False behind the last one. A page is never empty. */
  private async nextPage(from: Uint8Array): Promise<boolean> {
    this.pages ??= this.database.pages(from, undefined, { snapshot: this.snapshot });
    const read = await this.pages.next();
    this.page = read.done ? [] : read.value;
    this.taken = 0;
    return !read.done;
  }
}
