import type { KeySpace, Row, RowChange } from '@app/kv';
import { promised } from '../completion.js';
import type { StateDescription } from '../state/state-description.js';
import type { StateStore, StateStoreOptions } from '../state/state-store.js';

/** Never writes by itself within a test. */
export const patient: StateStoreOptions = { batchDelayMs: 3_600_000, batchBytesMax: 1e9 };

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

export const textOf = (value: Uint8Array | undefined): string | undefined => value && new TextDecoder().decode(value);

export const row = (key: string, value: string | undefined): RowChange => ({
  key: utf8(key),
  value: value === undefined ? undefined : utf8(value),
});

export function descriptionOf(index: number): StateDescription {
  return {
    index,
    term: Math.ceil(index / 10),
    configurationIndex: index - 1,
    configuration: utf8(`configuration at ${index}`),
  };
}

/** One entry, written and described. */
export function applied(store: StateStore, changes: readonly RowChange[], index: number): void {
  store.write(changes, index);
  store.describe(descriptionOf(index));
}

/** All rows, as text. */
export async function rowsOf(store: KeySpace): Promise<Record<string, string>> {
  const rows = await promised<readonly Row[]>((done) =>
    store.scan(Uint8Array.of(), new Uint8Array(8).fill(255), 1_000_000, done),
  );
  return Object.fromEntries(rows.map(({ key, value }): [string, string] => [textOf(key)!, textOf(value)!]));
}

/** A store whose every write is described at once. */
export class DescribingStore implements KeySpace {
  constructor(private readonly store: StateStore) {}

  get appliedIndex(): number {
    return this.store.appliedIndex;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.store.get(key);
  }

  write(changes: readonly RowChange[], appliedIndex: number): void {
    this.store.write(changes, appliedIndex);
    this.store.describe(descriptionOf(appliedIndex));
  }

  scan(...args: Parameters<KeySpace['scan']>): void {
    this.store.scan(...args);
  }
}
