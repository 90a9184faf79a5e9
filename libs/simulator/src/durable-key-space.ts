import { MemoryKeySpace, type KeySpace, type Row, type RowChange } from '@app/kv';
import type { ConfigurationAt, LogIndex, Random, SnapshotMetadata, Term } from '@app/raft';

/** A state of the state machine, and what it stands for. */
export interface StateImage {
  /** Never written to: images are handed around, and share what they have in common. */
  readonly rows: MemoryKeySpace;
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
  private rows = new MemoryKeySpace();
  private synced: StateImage;
  private unsynced: Batch[] = [];

  constructor(initial: ConfigurationAt) {
    this.synced = emptyImage(initial);
  }

  get appliedIndex(): LogIndex {
    return this.rows.appliedIndex;
  }

  get syncedIndex(): LogIndex {
    return this.synced.index;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.rows.get(key);
  }

  write(changes: readonly RowChange[], appliedIndex: LogIndex): void {
    this.rows.write(changes, appliedIndex);
    this.unsynced.push({ changes, index: appliedIndex, term: 0, configuration: undefined });
  }

  /** Belongs to the batch that was just written, as if it were one of its rows. */
  describe({ index, term, configuration }: SnapshotMetadata): void {
    const last = this.unsynced.at(-1);
    if (last?.index !== index) throw new RangeError(`the last batch ends with ${last?.index}, not with ${index}`);
    last.term = term;
    last.configuration = configuration;
  }

  scan(...args: Parameters<KeySpace['scan']>): void {
    this.rows.scan(...args);
  }

  /** Every row in key order: read them, do not change them. */
  allRows(): IterableIterator<Row> {
    return this.rows.rows();
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
      rows.write(batch.changes, batch.index);
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
    this.rows = new MemoryKeySpace();
    this.synced = emptyImage(initial);
    this.unsynced = [];
  }
}

function emptyImage(configuration: ConfigurationAt): StateImage {
  return { rows: new MemoryKeySpace(), index: 0, term: 0, configuration, isInstalled: false };
}

function describedBy({ index, term, configuration }: Batch): Pick<StateImage, 'index' | 'term' | 'configuration'> {
  if (configuration === undefined) throw new RangeError(`nobody has said what the state of ${index} stands for`);
  return { index, term, configuration };
}
