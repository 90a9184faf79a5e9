// The default export of this CommonJS package looks different to Node and to a bundler; the named one does not.
import { BTreeEx } from 'sorted-btree/extended/index.js';
import { compareBytes } from './bytes.js';
import type { KeySpace, Row, RowChange } from './key-space.js';

/**
 * A `KeySpace` in memory, for the simulator and tests: nothing survives it, and a scan answers before
 * it returns. Two of them hold the same state exactly when their `rows()` are equal byte for byte.
 */
export class MemoryKeySpace implements KeySpace {
  private tree = new BTreeEx<Uint8Array, Uint8Array>(undefined, compareBytes);
  private lastAppliedIndex = 0;

  get appliedIndex(): number {
    return this.lastAppliedIndex;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.tree.get(key);
  }

  write(changes: readonly RowChange[], appliedIndex: number): void {
    if (!(appliedIndex > this.lastAppliedIndex)) {
      throw new RangeError(`applied index ${appliedIndex} does not rise above ${this.lastAppliedIndex}`);
    }
    for (const { key, value } of changes) {
      if (value === undefined) this.tree.delete(key);
      else this.tree.set(key, value);
    }
    this.lastAppliedIndex = appliedIndex;
  }

  scan(
    from: Uint8Array,
    to: Uint8Array,
    limit: number,
    done: (error: Error | undefined, rows: readonly Row[]) => void,
  ): void {
    const rows: Row[] = [];
    if (limit > 0) {
      this.tree.forRange(from, to, false, (key, value) => {
        rows.push({ key, value });
        return rows.length >= limit ? { break: rows.length } : undefined;
      });
    }
    done(undefined, rows);
  }

  /** Of the rows. */
  get size(): number {
    return this.tree.size;
  }

  /** The same state, in constant time: what both have in common is shared until one of them writes. */
  clone(): MemoryKeySpace {
    const copy = new MemoryKeySpace();
    copy.tree = this.tree.clone();
    copy.lastAppliedIndex = this.lastAppliedIndex;
    return copy;
  }

  /** Every row in key order. The arrays are the stored ones: read them, do not change them. */
  *rows(): IterableIterator<Row> {
    for (const [key, value] of this.tree.entries()) yield { key, value };
  }
}
