import type { KeySpace, Row, RowChange } from '@app/kv';
import type { ConfigurationAt, LogIndex, Random, SnapshotMetadata, Term } from '@app/raft';
// The default export of this CommonJS package looks different to Node and to a bundler; the named one does not.
import { BTreeEx } from 'sorted-btree/extended/index.js';
import { compareBytes } from './compare-bytes.js';

/** All rows of one moment. Never changed once it was given away: copies share what they have in common. */
export type Rows = BTreeEx<Uint8Array, Uint8Array>;

/** A state of the state machine, and what it stands for. */
export interface StateImage {
  readonly rows: Rows;
  readonly index: LogIndex;
  readonly term: Term;
  readonly configuration: ConfigurationAt;
  /** It came as a snapshot, and nothing was applied since: then the log need not have caught up with it. */
  readonly isInstalled: boolean;
}

interface Batch {
  readonly changes: readonly RowChange[];
  readonly index: LogIndex;
  term: Term;
  configuration: ConfigurationAt | undefined;
}

/**
 * The state machine's rows, as the process sees them and as its disk holds them. Each `write` is one atomic batch. The end of the process
 * keeps all batches; a power loss keeps those that were synced and, of the others, the first few: never one without those before it.
 */
export class DurableKeySpace implements KeySpace {
  private rows: Rows;
  private synced: StateImage;
  private unsynced: Batch[] = [];

  constructor(initial: ConfigurationAt) {
    this.rows = emptyRows();
    this.synced = { rows: this.rows.clone(), index: 0, term: 0, configuration: initial, isInstalled: false };
  }

  get appliedIndex(): LogIndex {
    return this.unsynced.at(-1)?.index ?? this.synced.index;
  }

  get syncedIndex(): LogIndex {
    return this.synced.index;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.rows.get(key);
  }

  write(changes: readonly RowChange[], appliedIndex: LogIndex): void {
    if (!(appliedIndex > this.appliedIndex)) {
      throw new RangeError(`applied index ${appliedIndex} does not rise above ${this.appliedIndex}`);
    }
    applyChanges(changes, this.rows);
    this.unsynced.push({ changes, index: appliedIndex, term: 0, configuration: undefined });
  }

  /** Belongs to the batch that was just written, as if it were one of its rows. */
  describe({ index, term, configuration }: SnapshotMetadata): void {
    const last = this.unsynced.at(-1);
    if (last?.index !== index) throw new RangeError(`the last batch ends with ${last?.index}, not with ${index}`);
    last.term = term;
    last.configuration = configuration;
  }

  scan(
    from: Uint8Array,
    to: Uint8Array,
    limit: number,
    done: (error: Error | undefined, rows: readonly Row[]) => void,
  ): void {
    const found: Row[] = [];
    if (limit > 0) {
      this.rows.forRange(from, to, false, (key, value) => {
        found.push({ key, value });
        return found.length >= limit ? { break: found.length } : undefined;
      });
    }
    done(undefined, found);
  }

  /** Every row in key order: read them, do not change them. */
  *allRows(): IterableIterator<Row> {
    for (const [key, value] of this.rows.entries()) yield { key, value };
  }

  /** What a snapshot of now consists of. */
  image(): StateImage {
    const last = this.unsynced.at(-1);
    if (last === undefined) return this.synced;
    return { rows: this.rows.clone(), ...describedBy(last), isInstalled: false };
  }

  /** Everything that was written up to `index`, the end of a batch, is durable. */
  sync(index: LogIndex): void {
    let count = 0;
    const rows = this.synced.rows.clone();
    for (const batch of this.unsynced) {
      if (batch.index > index) break;
      applyChanges(batch.changes, rows);
      count += 1;
    }
    if (count === 0) return;
    this.synced = { rows, ...describedBy(this.unsynced[count - 1]!), isInstalled: false };
    this.unsynced = this.unsynced.slice(count);
  }

  /** Of what `sync` made durable. */
  get syncedConfiguration(): ConfigurationAt {
    return this.synced.configuration;
  }

  /** One atomic step, durable at once. */
  install(image: StateImage): void {
    this.synced = { ...image, isInstalled: true };
    this.unsynced = [];
    this.rows = image.rows.clone();
  }

  /** Keeps what was synced and a prefix of the rest, whose length `random` draws. Without it, everything or nothing of the rest. */
  powerLoss(leaves: 'nothing' | 'all' | 'random', random: Random): void {
    const { length } = this.unsynced;
    const kept = leaves === 'all' ? length : leaves === 'nothing' ? 0 : random.nextInt(0, length);
    if (kept > 0) this.sync(this.unsynced[kept - 1]!.index);
    this.unsynced = [];
    this.rows = this.synced.rows.clone();
  }

  /** Everything is gone, as in a new directory. */
  wipe(initial: ConfigurationAt): void {
    this.rows = emptyRows();
    this.synced = { rows: this.rows.clone(), index: 0, term: 0, configuration: initial, isInstalled: false };
    this.unsynced = [];
  }
}

function emptyRows(): Rows {
  return new BTreeEx<Uint8Array, Uint8Array>(undefined, compareBytes);
}

function describedBy({ index, term, configuration }: Batch): Pick<StateImage, 'index' | 'term' | 'configuration'> {
  if (configuration === undefined) throw new RangeError(`nobody has said what the state of ${index} stands for`);
  return { index, term, configuration };
}

function applyChanges(changes: readonly RowChange[], rows: Rows): void {
  for (const { key, value } of changes) {
    if (value === undefined) rows.delete(key);
    else rows.set(key, value);
  }
}
