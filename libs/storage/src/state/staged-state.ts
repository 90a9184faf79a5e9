import type { Row } from '@app/kv';
import { CorruptStateError, StateFailedError } from '../errors.js';
import type { StateDatabase, StoredChange } from './state-database.js';
import type { StoredDescription } from './state-description.js';
import { requireOrder, type StateRange } from './state-range.js';
import { storedKeyOf } from './stored-row.js';

/**
 * A state that is being received, beside the one in use. What was put is durable and is found again by the next `StateStore.stage`, also
 * after a crash.
 *
 * Once a call has failed, all later ones do: `close` it and stage again (`StateFullError`: when there is space), or `discard` it
 * (`CorruptStateError`).
 */
export class StagedState {
  private failure: Error | undefined;
  private end: Promise<void> | undefined;

  /** @internal */
  constructor(
    /** @internal */
    readonly database: StateDatabase,
    /** @internal */
    readonly name: string,
    /** True when an earlier, unfinished transfer left rows. */
    readonly isPartial: boolean,
    private readonly onClosed: (staged: StagedState, isDiscarded: boolean) => Promise<void>,
  ) {}

  /** Of the rows that are there with `from <= key < to`: equal to the `digest` of a range of these rows. */
  digestOf(from: Uint8Array, to: Uint8Array | undefined): Promise<Uint8Array> {
    return this.attempt(() => this.database.digestOf(from, to));
  }

  /** The rows that are there with `from <= key < to`, in order, a page at a time. */
  async *rows(from: Uint8Array, to: Uint8Array | undefined): AsyncGenerator<readonly Row[], void, undefined> {
    const pages = this.database.pages(from, to);
    for (;;) {
      const page = await this.attempt(() => pages.next());
      if (page.done === true) return;
      yield page.value;
    }
  }

  /**
   * Replaces everything in the range, as one atomic change that is durable when it resolves. `RangeError` if the rows are not in order or
   * not in the range. The digest is not verified: whoever carried the range did.
   */
  async put(range: StateRange): Promise<void> {
    requireOrder(range);
    await this.attempt(async () => {
      const before: Uint8Array[] = [];
      for await (const page of this.database.storedKeys(range.from, range.to)) before.push(...page);
      await this.database.write(replacing(before, range.rows));
    });
  }

  /** Keeps what is there for the next attempt. */
  close(): Promise<void> {
    return this.finish(false);
  }

  /** Removes what is there: the next attempt begins with nothing. */
  discard(): Promise<void> {
    return this.finish(true);
  }

  /** @internal What the state stands for becomes durable with it. */
  describe(description: StoredDescription): Promise<void> {
    return this.attempt(() => this.database.write([], description));
  }

  /** @internal From now on it belongs to the store. */
  handOver(): void {
    this.failure = new RangeError('the state was installed');
    this.end = Promise.resolve();
  }

  private async attempt<T>(operation: () => Promise<T>): Promise<T> {
    if (this.failure) throw this.failure;
    try {
      return await operation();
    } catch (error) {
      this.failure ??= error instanceof CorruptStateError ? error : asError(error, this.database.directory);
      throw error;
    }
  }

  private finish(isDiscarded: boolean): Promise<void> {
    this.failure ??= new RangeError('the staged state is closed');
    this.end ??= this.onClosed(this, isDiscarded);
    return this.end;
  }
}

/** Deletes the rows that were there `before` and are not among the new ones; both are in order. */
function* replacing(before: readonly Uint8Array[], rows: readonly Row[]): IterableIterator<StoredChange> {
  let next = 0;
  for (const { key, value } of rows) {
    const storedKey = storedKeyOf(key);
    let order = -1;
    for (; next < before.length; next += 1) {
      order = Buffer.compare(before[next]!, storedKey);
      if (order >= 0) break;
      yield [before[next]!, undefined];
    }
    if (order === 0) next += 1;
    yield [storedKey, value];
  }
  for (; next < before.length; next += 1) yield [before[next]!, undefined];
}

function asError(error: unknown, directory: string): Error {
  return error instanceof Error ? error : new StateFailedError(directory, error);
}
