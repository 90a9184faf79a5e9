import { MemoryKeySpace, StateMachine, type KeySpace, type RowChange } from '@app/kv';
import { EntryType, type Entry, type LogIndex } from '@app/raft';
import { StateDigest } from './state-digest.js';

/** A key space that knows the digest of its rows. */
class DigestedKeySpace implements KeySpace {
  private readonly rows = new MemoryKeySpace();
  readonly digest = new StateDigest();

  get appliedIndex(): number {
    return this.rows.appliedIndex;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.rows.get(key);
  }

  write(changes: readonly RowChange[], appliedIndex: number): void {
    // A key may be written more than once in a batch.
    const last = new Map(changes.map((change) => [String.fromCharCode(...change.key), change]));
    for (const { key, value } of last.values()) {
      const before = this.rows.get(key);
      if (before !== undefined) this.digest.remove(key, before);
      if (value !== undefined) this.digest.add(key, value);
    }
    this.rows.write(changes, appliedIndex);
  }

  scan(...args: Parameters<KeySpace['scan']>): void {
    this.rows.scan(...args);
  }
}

const NO_DATA = new Uint8Array(0);

/** The state machine that has seen every committed entry once and in order, and the digest of its rows after each of them. */
export class ReferenceFold {
  private readonly rows = new DigestedKeySpace();
  private readonly machine = new StateMachine(this.rows);
  private readonly digests: number[] = [0];
  private readonly answers: (readonly Uint8Array[])[] = [[]];

  get lastIndex(): LogIndex {
    return this.digests.length - 1;
  }

  /** Takes the entry behind the last one. */
  apply({ index, type, data }: Entry): void {
    const [answers] = this.machine.apply([{ index, data: type === EntryType.Normal ? data : NO_DATA }]);
    this.digests.push(this.rows.digest.value);
    this.answers.push(answers ?? []);
  }

  digestAt(index: LogIndex): number | undefined {
    return this.digests[index];
  }

  answersAt(index: LogIndex): readonly Uint8Array[] {
    return this.answers[index] ?? [];
  }
}
