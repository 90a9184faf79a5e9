import { SECTOR_BYTES } from './sector.js';

/** A part of what was not synced, that a crash keeps or takes: one sector of a write, one change of size, one change of a name. */
export interface UnsyncedPart {
  readonly file: string;
  readonly kind: 'sector' | 'size' | 'name';
}

export type KeepUnsynced = 'none' | 'all' | ((part: UnsyncedPart) => boolean);

type Change = { readonly offset: number; readonly bytes: Uint8Array } | { readonly sizeBytes: number };

/** The bytes of one file, twice: as the process sees them, and as a power loss leaves them. */
export class MemoryFileContent {
  private readonly current = new GrowingBytes();
  private durable = new GrowingBytes();
  /** In order; applied to `durable` they give `current`, unless a sync has failed. */
  private unsynced: Change[] = [];

  constructor(private readonly file: string) {}

  get sizeBytes(): number {
    return this.current.length;
  }

  read(offset: number, lengthBytes: number): Uint8Array {
    return this.current.slice(offset, lengthBytes);
  }

  write(offset: number, bytes: Uint8Array): void {
    this.change({ offset, bytes: bytes.slice() });
  }

  resize(sizeBytes: number): void {
    this.change({ sizeBytes });
  }

  sync(): void {
    for (const change of this.unsynced) apply(change, this.durable);
    this.unsynced = [];
  }

  /** What was written stays readable and counts as written back, though it never was. */
  failSync(): void {
    this.unsynced = [];
  }

  crash(keep: (part: UnsyncedPart) => boolean): void {
    for (const change of this.unsynced) {
      if ('sizeBytes' in change) {
        if (keep({ file: this.file, kind: 'size' })) apply(change, this.durable);
        continue;
      }
      for (const sector of sectorsOf(change.offset, change.bytes)) {
        if (keep({ file: this.file, kind: 'sector' })) apply(sector, this.durable);
      }
    }
    this.unsynced = [];
    this.current.copyFrom(this.durable);
  }

  private change(change: Change): void {
    apply(change, this.current);
    this.unsynced.push(change);
  }
}

function apply(change: Change, bytes: GrowingBytes): void {
  if ('sizeBytes' in change) bytes.resize(change.sizeBytes);
  else bytes.write(change.offset, change.bytes);
}

function* sectorsOf(offset: number, bytes: Uint8Array): Generator<{ offset: number; bytes: Uint8Array }> {
  for (let at = 0; at < bytes.length;) {
    const end = Math.min(bytes.length, at + SECTOR_BYTES - ((offset + at) % SECTOR_BYTES));
    yield { offset: offset + at, bytes: bytes.subarray(at, end) };
    at = end;
  }
}

class GrowingBytes {
  length = 0;
  private buffer: Uint8Array = new Uint8Array(0);

  slice(offset: number, lengthBytes: number): Uint8Array {
    return this.buffer.slice(Math.min(offset, this.length), Math.min(offset + lengthBytes, this.length));
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
    this.buffer.fill(0, Math.min(length, this.length), Math.max(length, this.length));
    this.length = length;
  }

  copyFrom(other: GrowingBytes): void {
    this.buffer = other.slice(0, other.length);
    this.length = other.length;
  }
}
