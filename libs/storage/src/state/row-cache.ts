import { LRUCache } from 'lru-cache';
import type { RowChange } from '@app/kv';
import { nameOf } from './pending-changes.js';

/** What a row costs in memory beside its bytes, roughly. */
const ROW_BYTES = 256;

/**
 * The rows that were read last, as they are with everything that was written since. A command reads its key's row before it replaces
 * it, on every replica, and finding it in LevelDB was a third of the CPU time of applying a put.
 */
export class RowCache {
  private readonly rows: LRUCache<string, Uint8Array>;

  constructor(bytesMax: number) {
    this.rows = new LRUCache({
      maxSize: bytesMax,
      sizeCalculation: (value, name) => ROW_BYTES + name.length + value.length,
    });
  }

  /** Of the row of this name (see `nameOf`). */
  get(name: string): Uint8Array | undefined {
    return this.rows.get(name);
  }

  /** It was read. */
  put(name: string, value: Uint8Array): void {
    this.rows.set(name, value);
  }

  /** Takes over what is written of the rows that are here; others were not read, and most never will be. */
  follow(changes: readonly RowChange[]): void {
    for (const { key, value } of changes) {
      const name = nameOf(key);
      if (!this.rows.has(name)) continue;
      if (value === undefined) this.rows.delete(name);
      else this.rows.set(name, value);
    }
  }

  /** Another state is in use. */
  clear(): void {
    this.rows.clear();
  }
}
