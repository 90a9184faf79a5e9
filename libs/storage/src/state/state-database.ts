import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Row } from '@app/kv';
import { ClassicLevel } from 'classic-level';
import { CorruptStateError } from '../errors.js';
import { verifyLevel, type VerifiedFiles } from './level/verify-level.js';
import { stateErrorOf } from './level-error.js';
import { RangeDigest } from './state-range.js';
import { decodeDescription, encodeDescription, type StoredDescription } from './state-description.js';
import { DESCRIPTION_KEY, END_OF_ROWS, rowOf, sealed, storedKeyOf, unsealed } from './stored-row.js';

export interface StateDatabaseOptions {
  readonly writeBufferBytes: number;
  readonly cacheBytes: number;
}

type Level = ClassicLevel<Uint8Array, Uint8Array>;
export type LevelSnapshot = ReturnType<Level['snapshot']>;
/** A row to put, or to delete when the value is undefined; by its key in the database. */
export type StoredChange = readonly [storedKey: Uint8Array, value: Uint8Array | undefined];

const PAGE_ROWS = 512;
const PAGE_BYTES = 64 * 1024;
/** How long the event loop is held while a batch is put together. */
const SLICE_MS = 3;
const SLICE_ROWS = 64;
const SHOWN_KEY_BYTES = 32;

/**
 * One state in a LevelDB of its own. Every row is verified whenever it is read: what comes out is what was put in, or a
 * `CorruptStateError`. All errors are those of `stateErrorOf`.
 */
export class StateDatabase {
  private users = 0;
  private isEvicted = false;
  private onIdle: (() => void) | undefined;

  private constructor(
    private readonly level: Level,
    readonly directory: string,
  ) {}

  static create(directory: string, options: StateDatabaseOptions): Promise<StateDatabase> {
    return StateDatabase.openLevel(directory, options, true);
  }

  /** Verifies the files first. `CorruptStateError` also if there is no database. */
  static async open(
    directory: string,
    options: StateDatabaseOptions,
    files: VerifiedFiles = 'all',
  ): Promise<StateDatabase> {
    try {
      await verifyLevel(directory, files);
    } catch (error) {
      throw stateErrorOf(directory, error);
    }
    return StateDatabase.openLevel(directory, options, false);
  }

  private static async openLevel(
    directory: string,
    options: StateDatabaseOptions,
    createIfMissing: boolean,
  ): Promise<StateDatabase> {
    const level: Level = new ClassicLevel(directory, {
      keyEncoding: 'view',
      valueEncoding: 'view',
      createIfMissing,
      writeBufferSize: options.writeBufferBytes,
      cacheSize: options.cacheBytes,
    });
    try {
      await level.open();
    } catch (error) {
      throw stateErrorOf(directory, error);
    }
    return new StateDatabase(level, directory);
  }

  /** Throws the error instead of a value that is not what was written. */
  get(key: Uint8Array): Uint8Array | undefined {
    const storedKey = storedKeyOf(key);
    let stored: Uint8Array | undefined;
    try {
      stored = this.level.getSync(storedKey);
    } catch (error) {
      throw stateErrorOf(this.directory, error);
    }
    if (stored === undefined) return undefined;
    const value = unsealed(storedKey, stored);
    if (value === undefined) throw this.damaged(storedKey);
    return value;
  }

  /** `undefined` in a database that nothing was written to. */
  async description(snapshot?: LevelSnapshot): Promise<StoredDescription | undefined> {
    let stored: Uint8Array | undefined;
    try {
      stored = await this.level.get(DESCRIPTION_KEY, { snapshot });
    } catch (error) {
      throw stateErrorOf(this.directory, error);
    }
    if (stored === undefined) return undefined;
    const bytes = unsealed(DESCRIPTION_KEY, stored);
    const description = bytes && decodeDescription(bytes);
    if (description === undefined) throw this.damaged(DESCRIPTION_KEY);
    return description;
  }

  /** One atomic batch, durable when it resolves. Put together in slices, so that the event loop goes on. */
  async write(changes: Iterable<StoredChange>, description?: StoredDescription): Promise<void> {
    const release = this.retain();
    try {
      const batch = this.level.batch();
      let sliceEndsAt = performance.now() + SLICE_MS;
      let count = 0;
      for (const [storedKey, value] of changes) {
        if (value === undefined) batch.del(storedKey);
        else batch.put(storedKey, sealed(storedKey, value));
        count += 1;
        if (count % SLICE_ROWS === 0 && performance.now() > sliceEndsAt) {
          await nextTurn();
          sliceEndsAt = performance.now() + SLICE_MS;
        }
      }
      if (description) batch.put(DESCRIPTION_KEY, sealed(DESCRIPTION_KEY, encodeDescription(description)));
      await batch.write({ sync: true });
    } catch (error) {
      throw stateErrorOf(this.directory, error);
    } finally {
      release();
    }
  }

  snapshot(): LevelSnapshot {
    return this.level.snapshot();
  }

  /**
   * The rows with `from <= key < to` in order, a page at a time, each read on another thread; of the moment of the call, or of the
   * snapshot.
   */
  async *pages(
    from: Uint8Array,
    to: Uint8Array | undefined,
    options: { readonly snapshot?: LevelSnapshot; readonly limit?: number } = {},
  ): AsyncGenerator<readonly Row[], void, undefined> {
    for await (const page of this.storedPages(from, to, options)) {
      yield page.map(([storedKey, stored]) => {
        const row = rowOf(storedKey, stored);
        if (row === undefined) throw this.damaged(storedKey);
        return row;
      });
    }
  }

  /** As `pages`, but only the keys, as they lie in the database, damaged or not. */
  async *storedKeys(
    from: Uint8Array,
    to: Uint8Array | undefined,
  ): AsyncGenerator<readonly Uint8Array[], void, undefined> {
    for await (const page of this.storedPages(from, to, {})) yield page.map(([storedKey]) => storedKey);
  }

  async hasRows(): Promise<boolean> {
    for await (const page of this.storedPages(Uint8Array.of(), undefined, { limit: 1 })) return page.length > 0;
    return false;
  }

  async digestOf(from: Uint8Array, to: Uint8Array | undefined): Promise<Uint8Array> {
    const digest = new RangeDigest();
    for await (const page of this.pages(from, to)) page.forEach((row) => digest.add(row));
    return digest.finish();
  }

  /** Of the files that the database would have to write into tables if it were opened anew. */
  async logBytes(): Promise<number> {
    let bytes = 0;
    for (const name of await readdir(this.directory)) {
      if (name.endsWith('.log')) bytes += (await stat(join(this.directory, name))).size;
    }
    return bytes;
  }

  /** Keeps the database open, and its files there, until the returned function is called. */
  retain(): () => void {
    this.users += 1;
    let isReleased = false;
    return () => {
      if (isReleased) return;
      isReleased = true;
      this.users -= 1;
      if (this.users === 0) this.onIdle?.();
    };
  }

  /** Ends everything that still reads. */
  async close(): Promise<void> {
    try {
      await this.level.close();
    } catch (error) {
      throw stateErrorOf(this.directory, error);
    }
  }

  /** `retire` waits for nobody any more. */
  evict(): void {
    this.isEvicted = true;
    this.onIdle?.();
  }

  /** Closes the database once nobody uses it any more, and removes its files. */
  async retire(): Promise<void> {
    if (this.users > 0 && !this.isEvicted) await new Promise<void>((resolve) => (this.onIdle = resolve));
    await this.close();
    await rm(this.directory, { recursive: true, force: true });
  }

  private async *storedPages(
    from: Uint8Array,
    to: Uint8Array | undefined,
    { snapshot, limit }: { readonly snapshot?: LevelSnapshot; readonly limit?: number },
  ): AsyncGenerator<readonly (readonly [Uint8Array, Uint8Array])[], void, undefined> {
    const release = this.retain();
    // The iterator makes room for so many rows, however few there are.
    const pageRows = Math.min(PAGE_ROWS, limit ?? PAGE_ROWS);
    try {
      const iterator = this.level.iterator({
        gte: storedKeyOf(from),
        lt: to ? storedKeyOf(to) : END_OF_ROWS,
        highWaterMarkBytes: PAGE_BYTES,
        snapshot,
        limit: limit ?? -1,
      });
      try {
        for (;;) {
          const page = await iterator.nextv(pageRows);
          if (page.length === 0) return;
          yield page;
        }
      } finally {
        await iterator.close();
      }
    } catch (error) {
      throw stateErrorOf(this.directory, error);
    } finally {
      release();
    }
  }

  private damaged(storedKey: Uint8Array): CorruptStateError {
    const shown = Buffer.from(storedKey.buffer, storedKey.byteOffset, Math.min(storedKey.length, SHOWN_KEY_BYTES));
    const more = storedKey.length > SHOWN_KEY_BYTES ? ` and ${storedKey.length - SHOWN_KEY_BYTES} bytes more` : '';
    const what = Buffer.compare(storedKey, DESCRIPTION_KEY) === 0 ? 'the description of the state' : 'a row';
    return new CorruptStateError(
      this.directory,
      `the checksum of ${what} does not match, key ${shown.toString('hex')}${more}`,
    );
  }
}
