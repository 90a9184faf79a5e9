import type { Row, RowChange } from '@app/kv';
import type { StoredDescription } from './state-description.js';
import type { StoredChange } from './state-database.js';
import { storedKeyOf } from './stored-row.js';

/** What a change costs beside its bytes, roughly. */
const CHANGE_BYTES = 32;

/** Changes that go out as one batch: what reads must see before the database has it. */
export class PendingChanges {
  /** By name, the last change. */
  private readonly rows = new Map<string, RowChange>();
  private sizeBytes = 0;
  private lastIndex = 0;
  private described: StoredDescription | undefined;

  get bytes(): number {
    return this.sizeBytes;
  }

  get appliedIndex(): number {
    return this.lastIndex;
  }

  /** `undefined` until the last write was described. */
  get description(): StoredDescription | undefined {
    return this.described?.index === this.lastIndex ? this.described : undefined;
  }

  set description(description: StoredDescription | undefined) {
    this.described = description;
  }

  add(changes: readonly RowChange[], appliedIndex: number): void {
    for (const change of changes) {
      this.rows.set(change.name ?? nameOf(change.key), change);
      this.sizeBytes += CHANGE_BYTES + change.key.length + (change.value?.length ?? 0);
    }
    this.lastIndex = appliedIndex;
  }

  /** The last change of the row of this name (see `nameOf`), if there is one: a value, or `undefined` for a deletion. */
  find(name: string): RowChange | undefined {
    return this.rows.get(name);
  }

  /** Puts what changed of the rows with `from <= key < to` over what `overlay` has of earlier changes. */
  overlayOnto(overlay: Map<string, Uint8Array | undefined>, from: Uint8Array, to: Uint8Array): void {
    const first = nameOf(from);
    const end = nameOf(to);
    for (const [name, { value }] of this.rows) {
      if (name >= first && name < end) overlay.set(name, value);
    }
  }

  /** For the database. */
  *changes(): IterableIterator<StoredChange> {
    for (const { key, value } of this.rows.values()) yield [storedKeyOf(key), value];
  }
}

/** Stored rows in order, with changes on top. */
export function withOverlay(stored: readonly Row[], overlay: ReadonlyMap<string, Uint8Array | undefined>): Row[] {
  if (overlay.size === 0) return [...stored];
  const merged = stored.filter(({ key }) => !overlay.has(nameOf(key)));
  for (const [name, value] of overlay) {
    if (value !== undefined) merged.push({ key: new Uint8Array(Buffer.from(name, 'latin1')), value });
  }
  return merged.sort((one, other) => Buffer.compare(one.key, other.key));
}

/** One character a byte, so that names sort as their keys do. */
export function nameOf(key: Uint8Array): string {
  // Each lookup of a row needs one: a Buffer around the key would cost as much as the name.
  return latin1Slice.call(key, 0, key.length);
}

const { latin1Slice } = Buffer.prototype as unknown as {
  latin1Slice: (this: Uint8Array, start: number, end: number) => string;
};
