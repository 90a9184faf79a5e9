import { byteString } from './bytes.js';
import type { ContentHash } from './content-hash.js';
import type { KeySpace, RowChange } from './key-space.js';
import { decodeRecord, decodeRecordHead, encodeRecord, type RecordHead, type StoredRecord } from './record.js';
import { expiryRowKey, userRowKey } from './rows.js';

const EMPTY = new Uint8Array(0);

/** A user's key while commands are applied. */
export interface Slot {
  readonly key: Uint8Array;
  readonly rowKey: Uint8Array;
  /** The row's key as a string of its bytes. */
  readonly name: string;
  /** Of the record that is there now, earlier commands of the same `apply` included; it may have expired. */
  head: RecordHead | undefined;
  /** The value of its row. */
  stored: Uint8Array | undefined;
  /** Where its row is among the changes; -1 while it is as the key space has it. */
  place: number;
}

/**
 * The users' records, seen through the changes that are not written yet. It keeps the expiry index exact:
 * a record with an expiry time has one index row, for that time, and there are no others. And it keeps the content hash
 * exact after every command. What it takes away from it is what the key space really gave, so that a row that
 * was damaged at rest is noticed when it is replaced, even if no answer depends on it.
 */
export class RecordTable {
  /** The slots with a change, by name. */
  private readonly changed = new Map<string, Slot>();
  private changes: RowChange[] = [];

  constructor(
    private readonly keySpace: KeySpace,
    private readonly content: ContentHash,
  ) {}

  /** What follows goes into `changes`, which must be written before the next `begin`. */
  begin(changes: RowChange[]): void {
    this.changed.clear();
    this.changes = changes;
  }

  slot(key: Uint8Array): Slot {
    const rowKey = userRowKey(key);
    const name = byteString(rowKey);
    const changed = this.changed.get(name);
    if (changed !== undefined) return changed;
    const stored = this.keySpace.get(rowKey, name);
    return { key, rowKey, name, head: stored && decodeRecordHead(stored), stored, place: -1 };
  }

  /** Of the record that is there. */
  valueOf({ stored }: Slot): Uint8Array {
    if (stored === undefined) throw new RangeError('there is no record');
    return decodeRecord(stored).value;
  }

  put(slot: Slot, record: StoredRecord): void {
    this.replace(slot, record, encodeRecord(record));
  }

  remove(slot: Slot): void {
    this.replace(slot, undefined, undefined);
  }

  private replace(slot: Slot, record: RecordHead | undefined, value: Uint8Array | undefined): void {
    const change = { key: slot.rowKey, name: slot.name, value };
    if (slot.place === -1) {
      slot.place = this.changes.push(change) - 1;
      this.changed.set(slot.name, slot);
    } else {
      this.changes[slot.place] = change;
    }
    const before = slot.head?.expiresAtMs ?? 0;
    const after = record?.expiresAtMs ?? 0;
    if (before !== after) {
      if (before !== 0) this.changes.push({ key: expiryRowKey(before, slot.key), value: undefined });
      if (after !== 0) this.changes.push({ key: expiryRowKey(after, slot.key), value: EMPTY });
    }
    if (slot.stored !== undefined) this.content.remove(slot.rowKey, slot.stored);
    if (value !== undefined) this.content.add(slot.rowKey, value);
    slot.head = record;
    slot.stored = value;
  }
}
