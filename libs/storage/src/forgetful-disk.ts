import type { Done, DoneWith } from './completion.js';
import type { Disk, DiskFile, DiskLock } from './disk.js';

const SECTOR_BYTES = 512;

/** A write or a truncation that the disk below has not been given. */
type Change =
  | { readonly kind: 'write'; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly kind: 'truncate'; readonly sizeBytes: number };

/** In the order of the calls, of all who have the file open. What a sync under way carries down stays until it is done. */
interface Unsynced {
  changes: Change[];
}

/**
 * Makes the death of a process as bad as the loss of power: what was not synced stays in the memory of this process, and dies with it. Of
 * each write some sectors reach the disk below all the same, as `leaks` decides for each, so that a kill leaves torn writes. Names are
 * durable at once, which a disk may do. For tests of a real node.
 */
export class ForgetfulDisk implements Disk {
  /** By the name that the file has now. */
  private readonly unsynced = new Map<string, Unsynced>();

  constructor(
    private readonly below: Disk,
    private readonly leaks: () => boolean,
  ) {}

  get name(): string {
    return this.below.name;
  }

  list(done: DoneWith<readonly string[]>): void {
    this.below.list(done);
  }

  create(name: string, sizeBytes: number, done: DoneWith<DiskFile>): void {
    this.below.create(name, sizeBytes, (error, file) => {
      if (error) return done(error, undefined);
      this.unsynced.delete(name);
      done(undefined, this.opened(name, file));
    });
  }

  open(name: string, done: DoneWith<DiskFile>): void {
    this.below.open(name, (error, file) => (error ? done(error, undefined) : done(undefined, this.opened(name, file))));
  }

  rename(from: string, to: string, done: Done): void {
    this.below.rename(from, to, (error) => {
      if (error) return done(error);
      const moved = this.unsynced.get(from);
      this.unsynced.delete(from);
      if (moved === undefined) this.unsynced.delete(to);
      else this.unsynced.set(to, moved);
      done(undefined);
    });
  }

  remove(name: string, done: Done): void {
    this.below.remove(name, (error) => {
      if (!error) this.unsynced.delete(name);
      done(error);
    });
  }

  syncDirectory(done: Done): void {
    this.below.syncDirectory(done);
  }

  lock(done: DoneWith<DiskLock>): void {
    this.below.lock(done);
  }

  private opened(name: string, file: DiskFile): DiskFile {
    const unsynced = this.unsynced.get(name) ?? { changes: [] };
    this.unsynced.set(name, unsynced);
    return new ForgetfulFile(file, unsynced, this.leaks);
  }
}

class ForgetfulFile implements DiskFile {
  constructor(
    private readonly below: DiskFile,
    private readonly unsynced: Unsynced,
    private readonly leaks: () => boolean,
  ) {}

  get name(): string {
    return this.below.name;
  }

  size(done: DoneWith<number>): void {
    this.below.size((error, sizeBytes) => {
      if (error) done(error, undefined);
      else done(undefined, this.unsynced.changes.reduce(sizeAfter, sizeBytes));
    });
  }

  read(offset: number, lengthBytes: number, done: DoneWith<Uint8Array>): void {
    const changes = [...this.unsynced.changes];
    this.below.size((sizeError, sizeBelow) => {
      if (sizeError) return done(sizeError, undefined);
      this.below.read(offset, lengthBytes, (error, stored) => {
        if (error) return done(error, undefined);
        const window = new Uint8Array(lengthBytes);
        window.set(stored);
        let sizeBytes = sizeBelow;
        for (const change of changes) {
          if (change.kind === 'truncate') window.fill(0, clamp(change.sizeBytes - offset, lengthBytes));
          else put(change.bytes, change.offset - offset, window);
          sizeBytes = sizeAfter(sizeBytes, change);
        }
        done(undefined, window.subarray(0, clamp(sizeBytes - offset, lengthBytes)));
      });
    });
  }

  write(offset: number, buffers: readonly Uint8Array[], done: Done): void {
    const bytes = new Uint8Array(buffers.reduce((sum, { length }) => sum + length, 0));
    let filled = 0;
    for (const buffer of buffers) {
      bytes.set(buffer, filled);
      filled += buffer.length;
    }
    if (bytes.length > 0) this.unsynced.changes.push({ kind: 'write', offset, bytes });
    inTurn(this.leakedSectors(offset, bytes), (part, next) => this.below.write(part.offset, [part.bytes], next), done);
  }

  truncate(sizeBytes: number, done: Done): void {
    this.unsynced.changes.push({ kind: 'truncate', sizeBytes });
    queueMicrotask(() => done(undefined));
  }

  sync(done: Done): void {
    const carried = [...this.unsynced.changes];
    const carry = (change: Change, next: Done): void => {
      if (change.kind === 'truncate') this.below.truncate(change.sizeBytes, next);
      else this.below.write(change.offset, [change.bytes], next);
    };
    inTurn(carried, carry, (error) => {
      if (error) return done(error);
      this.below.sync((syncError) => {
        if (!syncError) this.unsynced.changes = this.unsynced.changes.filter((change) => !carried.includes(change));
        done(syncError);
      });
    });
  }

  close(done: Done): void {
    this.below.close(done);
  }

  private leakedSectors(offset: number, bytes: Uint8Array): { offset: number; bytes: Uint8Array }[] {
    const leaked: { offset: number; bytes: Uint8Array }[] = [];
    for (let start = 0; start < bytes.length;) {
      const end = Math.min(bytes.length, start + SECTOR_BYTES - ((offset + start) % SECTOR_BYTES));
      if (this.leaks()) leaked.push({ offset: offset + start, bytes: bytes.subarray(start, end) });
      start = end;
    }
    return leaked;
  }
}

function inTurn<T>(items: readonly T[], act: (item: T, next: Done) => void, done: Done): void {
  const step = (position: number): void => {
    const item = items[position];
    if (item === undefined) queueMicrotask(() => done(undefined));
    else act(item, (error) => (error ? done(error) : step(position + 1)));
  };
  step(0);
}

function sizeAfter(sizeBytes: number, change: Change): number {
  return change.kind === 'truncate' ? change.sizeBytes : Math.max(sizeBytes, change.offset + change.bytes.length);
}

function clamp(value: number, max: number): number {
  return Math.max(0, Math.min(value, max));
}

/** As much of the bytes as falls into the window, where position 0 is its beginning. */
function put(bytes: Uint8Array, position: number, window: Uint8Array): void {
  const from = Math.max(0, -position);
  const to = Math.min(bytes.length, window.length - position);
  if (from < to) window.set(bytes.subarray(from, to), position + from);
}
