import type { LevelSnapshot, StateDatabase } from './state-database.js';
import type { StateDescription } from './state-description.js';
import type { StateRange } from './state-range.js';

/**
 * A state as of the end of a durable batch. It stays as it is while changes and even another state come in; the space that it needs is
 * what changed since. Errors are those of the store, which has then failed too.
 */
export class StateSnapshot {
  private isClosed = false;

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
  async range(from: Uint8Array, bytesMax: number): Promise<StateRange> {
    if (this.isClosed) throw new RangeError('the snapshot is closed');
    try {
      return await this.database.range(from, bytesMax, this.snapshot);
    } catch (error) {
      throw this.onError(error);
    }
  }

  /** Frees the space that it holds, once the ranges that are under way have ended. Does nothing the second time. */
  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    try {
      await this.snapshot.close();
    } finally {
      this.release();
    }
  }
}
