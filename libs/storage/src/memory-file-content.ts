import { SECTOR_BYTES } from './sector.js';

/** A part of what was not synced, that a crash keeps or takes: one sector of a write, one change of size, one change of a name. */
export interface UnsyncedPart {
  readonly file: string;
  readonly kind: 'sector' | 'size' | 'name';
}

export type KeepUnsynced = 'none' | 'all' | ((part: UnsyncedPart) => boolean);

type Change = Write | { readonly sizeBytes: number };

/** What was written to `offset` lies at `start` to `end` of the journal. */
interface Write {
  readonly offset: number;
  readonly start: number;
  readonly end: number;
}

/** The bytes of one file, twice: as the process sees them, and as a power loss leaves them. */
export class MemoryFileContent {
  private readonly current = new GrowingBytes();
  private readonly durable = new GrowingBytes();
  /** In order; applied to `durable` they give `current`, unless a sync has failed. */
  private readonly unsynced: Change[] = [];
  /** The bytes of the unsynced writes, one after the other. One buffer that is used again costs far less than one for each write. */
  private readonly journal = new GrowingBytes();

  constructor(private readonly file: string) {}

  get sizeBytes(): number {
    return this.current.length;
  }

  read(offset: number, lengthBytes: number): Uint8Array {
    return this.current.slice(offset, lengthBytes);
  }

  /** The first `lengthBytes` of the buffers, one after the other. A crash tears at the sectors of the whole, not of each buffer. */
  write(offset: number, buffers: readonly Uint8Array[], lengthBytes: number): void {
    const start = this.journal.length;
    for (const buffer of buffers) {
      const left = start + lengthBytes - this.journal.length;
      this.journal.write(this.journal.length, buffer.length <= left ? buffer : buffer.subarray(0, left));
    }
    const end = this.journal.length;
    if (end > start) this.change({ offset, start, end });
  }

  resize(sizeBytes: number): void {
    this.change({ sizeBytes });
  }

  /** The medium itself changes, under whatever the process has written. */
  flip(offset: number, mask: number): void {
    this.current.flip(offset, mask);
    this.durable.flip(offset, mask);
  }

  sync(): void {
    for (const change of this.unsynced) this.apply(change, this.durable);
    this.forgetUnsynced();
  }

  /** What was written stays readable and counts as written back, though it never was. */
  failSync(): void {
    this.forgetUnsynced();
  }

  crash(keep: (part: UnsyncedPart) => boolean): void {
    for (const change of this.unsynced) {
      if ('sizeBytes' in change) {
        if (keep({ file: this.file, kind: 'size' })) this.apply(change, this.durable);
        continue;
      }
      for (const sector of sectorsOf(change)) {
        if (keep({ file: this.file, kind: 'sector' })) this.apply(sector, this.durable);
      }
    }
    this.forgetUnsynced();
    this.current.copyFrom(this.durable);
  }

  private change(change: Change): void {
    this.apply(change, this.current);
    this.unsynced.push(change);
  }

  private apply(change: Change, bytes: GrowingBytes): void {
    if ('sizeBytes' in change) bytes.resize(change.sizeBytes);
    else bytes.write(change.offset, this.journal.view(change.start, change.end));
  }

  private forgetUnsynced(): void {
    this.unsynced.length = 0;
    this.journal.resize(0);
  }
}

function* sectorsOf({ offset, start, end }: Write): Generator<Write> {
  for (let at = start; at < end;) {
    const to = offset + at - start;
    const next = Math.min(end, at + SECTOR_BYTES - (to % SECTOR_BYTES));
    yield { offset: to, start: at, end: next };
    at = next;
  }
}

/** What lies in the buffer behind `length` is always zeros. */
class GrowingBytes {
  length = 0;
  private buffer: Uint8Array = new Uint8Array(0);

  slice(offset: number, lengthBytes: number): Uint8Array {
    return this.buffer.slice(Math.min(offset, this.length), Math.min(offset + lengthBytes, this.length));
  }

  view(start: number, end: number): Uint8Array {
    return this.buffer.subarray(start, end);
  }

  write(offset: number, bytes: Uint8Array): void {
    if (offset + bytes.length > this.length) this.resize(offset + bytes.length);
    this.buffer.set(bytes, offset);
  }

  resize(length: number): void {
    if (length > this.buffer.length) {
      const grown = new Uint8Array(Math.max(length, this.buffer.length * 2));
      grown.set(this.buffer.subarray(0, this.length));
      this.buffer = grown;
    }
    if (length < this.length) this.buffer.fill(0, length, this.length);
    this.length = length;
  }

  flip(offset: number, mask: number): void {
    if (offset < this.length) this.buffer[offset]! ^= mask;
  }

  copyFrom(other: GrowingBytes): void {
    this.buffer = other.slice(0, other.length);
    this.length = other.length;
  }
}
