import type { LogIndex } from '@app/raft';
import type { DiskFile } from './disk.js';
import type { LogPosition } from './record.js';

const NAME = /^wal-([0-9a-f]{16})\.log$/;

export function segmentName(segment: number): string {
  return `wal-${segment.toString(16).padStart(16, '0')}.log`;
}

/** The number in the name of a segment; undefined for another file. */
export function segmentNumber(name: string): number | undefined {
  const digits = NAME.exec(name)?.[1];
  const segment = digits === undefined ? NaN : parseInt(digits, 16);
  return Number.isSafeInteger(segment) ? segment : undefined;
}

/** Where an entry lies in the file of its segment. */
export interface EntryPlace {
  readonly index: LogIndex;
  readonly offset: number;
  readonly frameBytes: number;
}

/** One file of the log, and where the entries are that it holds: 8 bytes of memory for each. */
export class Segment {
  /** Where the next record goes; all behind it is zeros. */
  endOffset: number;
  private offsets = new Uint32Array(256);
  private sizes = new Uint32Array(256);
  /** Entries base.index + 1 to base.index + count are here and in force. */
  private count = 0;
  private readers = 0;
  private isRetired = false;

  constructor(
    readonly segment: number,
    readonly file: DiskFile,
    /** The entry before the first that this segment can hold. */
    readonly base: LogPosition,
    /** Seeds the header checksums of all records but the first. */
    readonly salt: number,
    readonly headerBytes: number,
    public fileBytes: number,
  ) {
    this.endOffset = headerBytes;
  }

  get name(): string {
    return segmentName(this.segment);
  }

  /** No entry of it is in force. */
  get isEmpty(): boolean {
    return this.count === 0;
  }

  get lastIndex(): LogIndex {
    return this.base.index + this.count;
  }

  /** Entries come in order; one that is there already, and all above it, is replaced. */
  putEntry(index: LogIndex, offset: number, frameBytes: number): void {
    const slot = index - this.base.index - 1;
    if (slot === this.offsets.length) {
      this.offsets = grown(this.offsets);
      this.sizes = grown(this.sizes);
    }
    this.offsets[slot] = offset;
    this.sizes[slot] = frameBytes;
    this.count = slot + 1;
  }

  /** Entries above `index` are no longer in force. */
  truncateAfter(index: LogIndex): void {
    this.count = Math.max(0, Math.min(this.count, index - this.base.index));
  }

  placeOf(index: LogIndex): EntryPlace | undefined {
    const slot = index - this.base.index - 1;
    if (slot < 0 || slot >= this.count) return undefined;
    return { index, offset: this.offsets[slot]!, frameBytes: this.sizes[slot]! };
  }

  /** Keeps the file open until `release`, also if the segment is removed meanwhile. */
  retain(): void {
    this.readers += 1;
  }

  release(): void {
    this.readers -= 1;
    this.closeIfUnused();
  }

  /** Closes the file as soon as nothing reads from it. */
  retire(): void {
    this.isRetired = true;
    this.closeIfUnused();
  }

  private closeIfUnused(): void {
    // Nothing depends on how this ends: whatever was promised about the file was synced before.
    if (this.isRetired && this.readers === 0) this.file.close(() => undefined);
  }
}

function grown(numbers: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(numbers.length * 2);
  larger.set(numbers);
  return larger;
}
