import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Row } from '@app/kv';
import { describeKeySpace } from '../../../kv/src/testing/key-space-contract.js';
import { promised } from '../completion.js';
import { DirectoryLockedError, StateFailedError } from '../errors.js';
import {
  applied,
  DescribingStore,
  descriptionOf,
  patient,
  row,
  rowsOf,
  textOf,
  utf8,
} from '../testing/state-fixture.js';
import type { StateStoreOptions } from './state-store.js';
import { StateStore } from './state-store.js';

// Every batch waits for the disk, and on a busy machine that takes its time.
jest.setTimeout(60_000);

const made: string[] = [];

async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'ringraft-state-'));
  made.push(directory);
  return directory;
}

afterAll(() => Promise.all(made.map((directory) => rm(directory, { recursive: true }))));

describeKeySpace('StateStore', async () => {
  const directory = await temporaryDirectory();
  let current = await StateStore.open(directory);
  return {
    keySpace: new DescribingStore(current),
    reopen: async () => {
      await current.close();
      current = await StateStore.open(directory);
      return new DescribingStore(current);
    },
    close: () => current.close(),
  };
});

async function open(options: StateStoreOptions = patient): Promise<{ store: StateStore; directory: string }> {
  const directory = await temporaryDirectory();
  return { store: await StateStore.open(directory, options), directory };
}

/** What a killed process leaves behind, as far as files go: a copy of the directory as it is now. */
async function crashed(directory: string): Promise<StateStore> {
  const copy = await temporaryDirectory();
  await cp(directory, copy, { recursive: true });
  return StateStore.open(copy, patient);
}

describe('StateStore', () => {
  it('has rows, applied index and description of the same moment after a crash between batches', async () => {
    const { store, directory } = await open();
    expect([store.description, store.isInstalled, store.syncedAppliedIndex]).toEqual([undefined, false, 0]);
    applied(store, [row('a', '1'), row('b', '1')], 4);
    await store.flush();
    expect(store.syncedAppliedIndex).toBe(4);
    applied(store, [row('a', '2'), row('b', undefined)], 6);
    expect(textOf(store.get(utf8('a')))).toBe('2');
    expect(store.get(utf8('b'))).toBeUndefined();
    expect([store.appliedIndex, store.syncedAppliedIndex, store.description?.index]).toEqual([6, 4, 6]);
    const again = await crashed(directory);
    expect([again.appliedIndex, again.syncedAppliedIndex, again.isInstalled]).toEqual([4, 4, false]);
    expect(again.description).toMatchObject(descriptionOf(4));
    expect(await rowsOf(again)).toEqual({ a: '1', b: '1' });
    await again.close();
    await store.close();
  });

  it('gives what was written last of a row, wherever that is', async () => {
    const { store } = await open();
    const read = () => ['a', 'b', 'c'].map((key) => textOf(store.get(utf8(key))));
    applied(store, [row('a', '1'), row('b', '1')], 1);
    expect(read()).toEqual(['1', '1', undefined]);
    await store.flush();
    expect(read()).toEqual(['1', '1', undefined]);
    applied(store, [row('a', '2'), row('b', undefined), row('c', '2')], 2);
    expect(read()).toEqual(['2', undefined, '2']);
    await store.flush();
    expect(read()).toEqual(['2', undefined, '2']);
    applied(store, [row('a', undefined), row('b', '3'), row('c', '3')], 3);
    expect(read()).toEqual([undefined, '3', '3']);
    const staged = await store.stage();
    await store.install(staged, descriptionOf(9));
    expect(read()).toEqual([undefined, undefined, undefined]);
    await store.close();
  });

  it('writes nothing that was not described, and takes a description of the last write only', async () => {
    const { store, directory } = await open({ batchDelayMs: 0, batchBytesMax: 1 });
    expect(() => store.describe(descriptionOf(1))).toThrow(RangeError);
    store.write([row('a', '1')], 1);
    expect(() => store.describe(descriptionOf(2))).toThrow(RangeError);
    const flushed = store.flush();
    store.write([row('b', '1')], 2);
    expect(() => store.describe(descriptionOf(1))).toThrow(RangeError);
    const early = await crashed(directory);
    expect([early.appliedIndex, await rowsOf(early)]).toEqual([0, {}]);
    await early.close();
    store.describe(descriptionOf(2));
    await flushed;
    expect(store.syncedAppliedIndex).toBe(2);
    applied(store, [row('c', '1')], 3);
    await store.flush();
    applied(store, [row('d', '1')], 4);
    const later = store.flush();
    applied(store, [row('e', '1')], 5);
    store.write([row('f', '1')], 6);
    await new Promise((resolve) => setImmediate(resolve));
    await Promise.race([later, store.flush()]);
    // What waits behind the batch under way has no description.
    expect([store.syncedAppliedIndex, store.appliedIndex, store.description?.index]).toEqual([4, 6, 5]);
    await store.close();
    const again = await StateStore.open(directory);
    expect([again.appliedIndex, await rowsOf(again)]).toEqual([4, { a: '1', b: '1', c: '1', d: '1' }]);
    await again.close();
  });

  it('counts as durable only what a batch brought to disk, in order, merged while one was under way', async () => {
    const synced: number[] = [];
    const { store } = await open({ ...patient, onSynced: (index) => synced.push(index) });
    applied(store, [row('a', '1')], 1);
    expect(store.writingSinceMs).toBeUndefined();
    const first = store.flush();
    expect(store.writingSinceMs).toBeLessThanOrEqual(performance.now());
    for (let index = 2; index <= 100; index += 1) applied(store, [row('a', `${index}`)], index);
    expect(store.pendingBytes).toBeGreaterThan(100);
    const last = store.flush();
    await first;
    expect(store.syncedAppliedIndex).toBe(1);
    expect(textOf(store.get(utf8('a')))).toBe('100');
    await last;
    expect([store.syncedAppliedIndex, store.pendingBytes, store.writingSinceMs]).toEqual([100, 0, undefined]);
    expect(textOf(store.get(utf8('a')))).toBe('100');
    expect(synced).toEqual([1, 100]);
    await store.close();
  });

  it('writes by itself, after the delay or once enough has gathered', async () => {
    for (const options of [{ batchDelayMs: 1 }, { ...patient, batchBytesMax: 1000 }]) {
      const { store } = await open(options);
      applied(store, [{ key: utf8('a'), value: new Uint8Array(2000) }], 1);
      while (store.syncedAppliedIndex < 1) await new Promise((resolve) => setImmediate(resolve));
      expect(store.pendingBytes).toBe(0);
      await store.close();
    }
  });

  it('gives values that are the caller’s to keep', async () => {
    const { store } = await open();
    applied(store, [row('a', 'one')], 1);
    await store.flush();
    const value = store.get(utf8('a'))!;
    value.slice(0, 1).fill(0);
    expect(textOf(value)).toBe('one');
    value.fill(0);
    applied(store, [row('a', 'two')], 2);
    await store.flush();
    expect(textOf(store.get(utf8('a')))).toBe('two');
    await store.close();
  });

  it('stops for good when a batch cannot be written, and says so once', async () => {
    const failures: Error[] = [];
    const { store } = await open({ ...patient, onFailure: (error) => failures.push(error) });
    applied(store, [row('a', '1')], 1);
    await (store as unknown as { database: { close(): Promise<void> } }).database.close();
    await expect(store.flush()).rejects.toBeInstanceOf(StateFailedError);
    expect(failures).toEqual([expect.objectContaining({ code: 'STATE_FAILED' })]);
    expect(() => store.write([row('a', '2')], 2)).toThrow(StateFailedError);
    expect(() => store.get(utf8('a'))).toThrow(StateFailedError);
    await expect(store.flush()).rejects.toBe(failures[0]);
    await expect(rowsOf(store)).rejects.toBe(failures[0]);
    await expect(store.snapshot()).rejects.toBe(failures[0]);
    await expect(store.stage()).rejects.toBe(failures[0]);
    await store.close();
    expect(failures).toHaveLength(1);
  });

  it('is opened by one at a time', async () => {
    const { store, directory } = await open();
    await expect(StateStore.open(directory)).rejects.toBeInstanceOf(DirectoryLockedError);
    await store.close();
    await (await StateStore.open(directory)).close();
  });

  it('refuses the layout before this one, and says what to do', async () => {
    const directory = await temporaryDirectory();
    await writeFile(join(directory, 'CURRENT'), 'MANIFEST-000001\n');
    await writeFile(join(directory, 'MANIFEST-000001'), '');
    await expect(StateStore.open(directory)).rejects.toThrow(/layout of an earlier version.*--wipe/);
    expect((await readdir(directory)).sort()).toEqual(['CURRENT', 'MANIFEST-000001']);
  });

  it('begins anew when it died before its first state counted, and never when a state would be forgotten', async () => {
    const { store, directory } = await open();
    await store.close();
    await rm(join(directory, 'pointer'));
    const begun = await StateStore.open(directory, patient);
    applied(begun, [row('a', '1')], 1);
    await begun.close();
    await rm(join(directory, 'pointer'));
    await expect(StateStore.open(directory)).rejects.toThrow(/nothing says which one counts/);
    await rm(join(directory, 'db-1'), { recursive: true });
    await mkdir(join(directory, 'db-3'));
    await expect(StateStore.open(directory)).rejects.toThrow(/nothing says which one counts/);
  });

  it('answers a scan from rows on disk and rows in memory, whatever their number', async () => {
    const { store } = await open();
    const name = (i: number): string => `k${String(i).padStart(5, '0')}`;
    applied(
      store,
      Array.from({ length: 3000 }, (_, i) => row(name(i), `${i}`)),
      1,
    );
    await store.flush();
    applied(store, [row(name(0), undefined), row(name(2), 'new'), row(`${name(2)}x`, 'between')], 2);
    const scan = (limit: number): Promise<readonly Row[]> =>
      promised<readonly Row[]>((done) => store.scan(utf8('k'), utf8('l'), limit, done));
    expect((await scan(4)).map(({ key, value }) => [textOf(key), textOf(value)])).toEqual([
      [name(1), '1'],
      [name(2), 'new'],
      [`${name(2)}x`, 'between'],
      [name(3), '3'],
    ]);
    expect(await scan(1_000_000)).toHaveLength(3000);
    await store.close();
  });
});
