import { RangeReader } from './range-reader.js';
import type { LevelSnapshot, StateDatabase } from './state-database.js';
import type { StateDescription } from './state-description.js';
import type { StateRange } from './state-range.js';

/** An iterator that nobody reads on keeps replaced tables on the disk for nothing. */
const IDLE_MS = 2_000;

/**
 * A state as of the end of a durable batch. It stays as it is while changes and even another state come in; the space that it needs is
 * what changed since. Errors are those of the store, which has then failed too.
 */
export class StateSnapshot {
  private isClosed = false;
  /** What read the last range; undefined while it reads. */
  private reader: RangeReader | undefined;
  private idleTimer: NodeJS.Timeout | undefined;
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
      await this.takeReader()?.close();
    } finally {
      await this.snapshot.close().finally(this.release);
    }
  }

  private async read(from: Uint8Array, bytesMax: number): Promise<StateRange> {
    if (this.isClosed) throw new RangeError('the snapshot is closed');
    const reader = this.takeReader() ?? new RangeReader(this.database, this.snapshot);
    try {
      const range = await reader.range(from, bytesMax);
      if (this.reader === undefined) this.keepReader(reader);
      else await reader.close();
      return range;
    } catch (error) {
      throw this.onError(error);
    }
  }

  private takeReader(): RangeReader | undefined {
    const { reader } = this;
    clearTimeout(this.idleTimer);
    this.reader = undefined;
    return reader;
  }

  private keepReader(reader: RangeReader): void {
    this.reader = reader;
    const end = (): void => void this.takeReader()?.close().catch(this.onError);
    this.idleTimer = setTimeout(end, IDLE_MS).unref();
  }
}
