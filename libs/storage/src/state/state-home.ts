import { open, readdir, readFile, rename, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { promised } from '../completion.js';
import type { DiskLock } from '../disk.js';
import { CorruptStateError, StateFailedError } from '../errors.js';
import { NodeDisk } from '../node-disk.js';
import { linkLevel } from './level/link-level.js';
import { stateErrorOf } from './level-error.js';
import {
  databaseName,
  databaseNumber,
  decodePointer,
  encodePointer,
  isDatabaseName,
  type StatePointer,
} from './state-pointer.js';

const POINTER = 'pointer';
const NEXT_POINTER = 'pointer.new';

/**
 * The directory that all states of a node lie in, each a LevelDB of its own, and the pointer that says which one counts. The pointer is
 * only ever replaced whole, so a crash leaves the old one or the new one.
 */
export class StateHome {
  private readonly background = new Set<Promise<void>>();

  private constructor(
    private readonly disk: NodeDisk,
    private readonly lock: DiskLock,
    private pointerNow: StatePointer | undefined,
    private lastNumber: number,
    private readonly foundNames: readonly string[],
  ) {}

  /**
   * `DirectoryLockedError` while another process has it, `CorruptStateError` if the pointer is damaged, `StateFailedError` for a directory
   * of the layout before this one.
   */
  static async open(directory: string): Promise<StateHome> {
    const disk = await promised<NodeDisk>((done) => NodeDisk.open(directory, done));
    const names = await readdir(disk.name);
    if (names.includes('CURRENT') || names.some((name) => name.startsWith('MANIFEST-'))) {
      throw new StateFailedError(
        disk.name,
        new Error(
          'it has the layout of an earlier version, which this one does not read: empty the data directory with ' +
            '`raft-node --wipe` and let the node join its cluster again',
        ),
      );
    }
    const lock = await promised<DiskLock>((done) => disk.lock(done)).catch((error: unknown) => {
      throw stateErrorOf(disk.name, error);
    });
    try {
      const pointer = await readPointer(disk.name, names);
      const found = names.filter(isDatabaseName);
      return new StateHome(disk, lock, pointer, Math.max(1, ...found.map(databaseNumber)), found);
    } catch (error) {
      await promised((done) => lock.release(done));
      throw stateErrorOf(disk.name, error);
    }
  }

  get directory(): string {
    return this.disk.name;
  }

  /** `undefined` in a home in which no state was ever begun. */
  get pointer(): StatePointer | undefined {
    return this.pointerNow;
  }

  /** When the home was opened, there were other states than this one. */
  hasOtherThan(name: string): boolean {
    return this.foundNames.some((found) => found !== name);
  }

  pathOf(name: string): string {
    return join(this.disk.name, name);
  }

  /** A name that no state here ever had, as far as one can see. */
  newName(): string {
    this.lastNumber += 1;
    return databaseName(this.lastNumber);
  }

  /**
   * Durable when it resolves. When it rejects with `UnknownPointerError`, the old or the new pointer may be found after a crash; with any
   * other error it is the old one.
   */
  async point(pointer: StatePointer): Promise<void> {
    const next = this.pathOf(NEXT_POINTER);
    try {
      const file = await open(next, 'w');
      try {
        await file.writeFile(encodePointer(pointer));
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(next, this.pathOf(POINTER));
    } catch (error) {
      throw stateErrorOf(this.disk.name, error);
    }
    this.pointerNow = pointer;
    try {
      await promised((done) => this.disk.syncDirectory(done));
    } catch (error) {
      throw new UnknownPointerError(this.disk.name, error);
    }
  }

  /** The names of the files in the directory of a state become durable. */
  async syncNames(name: string): Promise<void> {
    const directory = await open(this.pathOf(name), 'r');
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  }

  /** A second state with the same rows, as `linkLevel`: the first one must not be written any more. */
  async link(from: string, to: string): Promise<void> {
    await promised<NodeDisk>((done) => NodeDisk.open(this.pathOf(to), done));
    await linkLevel(this.pathOf(from), this.pathOf(to));
  }

  async freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.disk.name);
    return bavail * bsize;
  }

  async remove(name: string): Promise<void> {
    await rm(this.pathOf(name), { recursive: true, force: true });
  }

  /** Goes on by itself; what fails or is cut off is done again when the home is opened the next time. */
  removeLeftovers(): void {
    const counting = [this.pointerNow?.current, this.pointerNow?.staged];
    const leftovers = this.foundNames.filter((name) => !counting.includes(name));
    this.inBackground(async () => {
      for (const name of leftovers) await this.remove(name);
    });
  }

  /** Nobody waits for the work but `close`, and nobody hears of its failure: it must be such that it can be left undone. */
  inBackground(work: () => Promise<void>): void {
    const promise = work()
      .catch(() => undefined)
      .finally(() => this.background.delete(promise));
    this.background.add(promise);
  }

  async close(): Promise<void> {
    while (this.background.size > 0) await Promise.all(this.background);
    await promised((done) => this.lock.release(done));
  }
}

/** The pointer was replaced, and nothing tells whether that is durable. */
export class UnknownPointerError extends StateFailedError {}

async function readPointer(directory: string, names: readonly string[]): Promise<StatePointer | undefined> {
  if (!names.includes(POINTER)) return undefined;
  const pointer = decodePointer(await readFile(join(directory, POINTER), 'latin1'));
  if (pointer === undefined) throw new CorruptStateError(directory, `the file ${POINTER} is not what was written`);
  return pointer;
}
