/** Injection token of `SnapshotLimits`. */
export const SNAPSHOT_LIMITS = Symbol('SnapshotLimits');

/** What bounds the memory, the steps and the waits of a transfer. */
export interface SnapshotLimits {
  /** Of the rows of a range, about: the row that reaches it is the last. */
  readonly rangeBytes: number;
  /** Rows of a range, about: with small ones, taking them out of a message takes longer than all else. */
  readonly rangeRows: number;
  /** Ranges that are sent ahead of their answers, at most. */
  readonly rangesInFlightMax: number;
  /** Of their rows: above it nothing more is sent ahead. */
  readonly bytesInFlightMax: number;
  /** A receiver that answers nothing for so long is given up for this stream; large ranges have as much longer as they need. */
  readonly silenceMsMax: number;
  /** The slowest link that large ranges are given the time for. */
  readonly bytesPerSecondMin: number;
  /** A transfer that gets no further for so long ends, and has failed. */
  readonly stallMsMax: number;
  /** Before a broken stream is opened again; twice as long each time, up to the most. */
  readonly retryDelayMs: number;
  readonly retryDelayMsMax: number;
}

export const DEFAULT_SNAPSHOT_LIMITS: SnapshotLimits = {
  rangeBytes: 256 * 1024,
  rangeRows: 2_000,
  rangesInFlightMax: 16,
  bytesInFlightMax: 4 * 1024 * 1024,
  silenceMsMax: 10_000,
  bytesPerSecondMin: 128 * 1024,
  stallMsMax: 30_000,
  retryDelayMs: 100,
  retryDelayMsMax: 2_000,
};
