import { RangeReader } from './range-reader.js';
import type { LevelSnapshot, StateDatabase } from './state-database.js';
import type { StateDescription } from './state-description.js';
import type { StateRange } from './state-range.js';

/**
 * A state as of the end of a durable batch. It stays as it is while changes and even another state come in; the space that it needs is
 * what changed since. Errors are those of the store, which has then failed too.
 */
export class StateSnapshot {
  private isClosed = false;
  /** What read the last range; undefined while it reads. */
  private reader: RangeReader | undefined;
  private readonly underWay = new Set<Promise<StateRange>>();

  /** @internal */
  constructor(
    private readonly database: StateDatabase,
    private readonly snapshot: LevelSnapshot,
    readonly description: StateDescription,
    private readonly release: () => void,
    private readonly onError: (error: unknown) => Error,
  ) {}

  /**
   * All rows from `from` on (an empty key: from the first), at least one, and no more once their bytes and lengths reach `bytesMax`. Read a
   * page of 64 KiB at a time, on another thread. The next range starts where this one ends (`to`).
   */
  range(from: Uint8Array, bytesMax: number): Promise<StateRange> {
    const reading = this.read(from, bytesMax);
    this.underWay.add(reading);
    return reading.finally(() => this.underWay.delete(reading));
  }

  /** Frees the space that it holds, once the ranges that are under way have ended. Does nothing the second time. */
  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    try {
      await Promise.allSettled(this.underWay);
      await this.reader?.close();
      await this.snapshot.close();
    } finally {
      this.release();
    }
  }

  private async read(from: Uint8Array, bytesMax: number): Promise<StateRange> {
    if (this.isClosed) throw new RangeError('the snapshot is closed');
    const reader = this.reader ?? new RangeReader(this.database, this.snapshot);
    this.reader = undefined;
    try {
      const range = await reader.range(from, bytesMax);
      if (this.reader === undefined) this.reader = reader;
      else await reader.close();
      return range;
    } catch (error) {
      throw this.onError(error);
    }
  }
}
