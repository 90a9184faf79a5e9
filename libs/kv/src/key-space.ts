/** A row to put, or to delete when `value` is undefined. */
export interface RowChange {
  readonly key: Uint8Array;
  /** `byteString(key)`, where it was made already. */
  readonly name?: string;
  readonly value: Uint8Array | undefined;
}

export interface Row {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/**
 * An ordered space of rows (keys compared byte by byte) that the state machine lives in.
 *
 * Reads are synchronous and see every batch given to `write` at once. A batch is atomic and carries
 * the index of the last entry that it contains, so that data and applied index can never disagree
 * after a crash (etcd 3.5.0 kept them apart and lost that). What a crash may take is a suffix of the
 * batches, never the middle of one: the log repeats what is missing.
 */
export interface KeySpace {
  /** The applied index of the last batch given to `write`, or of what was found when the space was opened; 0 when empty. */
  readonly appliedIndex: number;

  /** `name` is `byteString(key)`, from whoever has it: a space that looks rows up by strings need not make it once more. */
  get(key: Uint8Array, name?: string): Uint8Array | undefined;

  /** Takes over the arrays of `changes`: the caller does not touch them again. `appliedIndex` must rise. */
  write(changes: readonly RowChange[], appliedIndex: number): void;

  /** The rows with `from <= key < to` in order, at most `limit`, as of some moment after all earlier writes. */
  scan(
    from: Uint8Array,
    to: Uint8Array,
    limit: number,
    done: (error: Error | undefined, rows: readonly Row[]) => void,
  ): void;
}
