import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Row } from '@app/kv';
import { StateFailedError } from '../errors.js';
import { applied, descriptionOf, patient, row, rowsOf, textOf, utf8 } from '../testing/state-fixture.js';
import { RangeReader } from './range-reader.js';
import { StateDatabase } from './state-database.js';
import { RangeDigest, type StateRange } from './state-range.js';
import type { StagedState } from './staged-state.js';
import type { StateSnapshot } from './state-snapshot.js';
import { StateStore, type StateStoreOptions } from './state-store.js';

jest.setTimeout(60_000);

const made: string[] = [];

async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'ringraft-state-'));
  made.push(directory);
  return directory;
}

afterAll(() => Promise.all(made.map((directory) => rm(directory, { recursive: true }))));

async function open(options: StateStoreOptions = patient): Promise<{ store: StateStore; directory: string }> {
  const directory = await temporaryDirectory();
  return { store: await StateStore.open(directory, options), directory };
}

const nothing = Uint8Array.of();
const name = (i: number): string => `k${String(i).padStart(5, '0')}`;
const numbered = (from: number, to: number, value: string): ReturnType<typeof row>[] =>
  Array.from({ length: to - from }, (_, i) => row(name(from + i), value));

function rangeOf(from: string, to: string | undefined, rows: Record<string, string>): StateRange {
  const digest = new RangeDigest();
  const list: Row[] = Object.entries(rows).map(([key, value]) => ({ key: utf8(key), value: utf8(value) }));
  for (const each of list) digest.add(each);
  return { from: utf8(from), to: to === undefined ? undefined : utf8(to), rows: list, digest: digest.finish() };
}

async function rangesOf(snapshot: StateSnapshot, bytesMax: number): Promise<StateRange[]> {
  const ranges: StateRange[] = [];
  let from: Uint8Array | undefined = nothing;
  while (from !== undefined) {
    const range: StateRange = await snapshot.range(from, bytesMax);
    ranges.push(range);
    from = range.to;
  }
  return ranges;
}

/** As a receiver does: what is equal does not travel. */
async function transfer(snapshot: StateSnapshot, staged: StagedState, bytesMax: number): Promise<number> {
  let sent = 0;
  for (const range of await rangesOf(snapshot, bytesMax)) {
    const there = await staged.digestOf(range.from, range.to);
    if (Buffer.compare(there, range.digest) === 0) continue;
    await staged.put(range);
    sent += 1;
  }
  return sent;
}

describe('a snapshot of a StateStore', () => {
  it('stays as it was while writes, deletes and even another state come in', async () => {
    const { store } = await open();
    applied(store, numbered(0, 2000, 'old'), 1);
    await store.flush();
    const snapshot = await store.snapshot();
    applied(store, [...numbered(0, 1000, 'new'), ...numbered(3000, 4000, 'new'), row(name(1500), undefined)], 2);
    const before = await snapshot.range(nothing, 1000);
    await store.flush();
    const staged = await store.stage();
    await staged.put(rangeOf('', undefined, { other: 'state' }));
    await store.install(staged, descriptionOf(9));
    expect(await rowsOf(store)).toEqual({ other: 'state' });
    expect(snapshot.description).toMatchObject(descriptionOf(1));
    expect(await snapshot.range(nothing, 1000)).toEqual(before);
    const rows = (await rangesOf(snapshot, 5000)).flatMap((range) => range.rows);
    expect(rows.map(({ key, value }) => `${textOf(key)} ${textOf(value)}`)).toEqual(
      Array.from({ length: 2000 }, (_, i) => `${name(i)} old`),
    );
    await snapshot.close();
    await snapshot.close();
    await expect(snapshot.range(nothing, 1)).rejects.toBeInstanceOf(RangeError);
    await store.close();
  });

  it('gives ranges that meet, with the size asked for and a digest of their rows', async () => {
    const { store } = await open();
    applied(store, numbered(0, 300, 'value'), 1);
    const snapshot = await store.snapshot();
    for (const bytesMax of [1, 19, 20, 1000, 1e6]) {
      const ranges = await rangesOf(snapshot, bytesMax);
      let next: Uint8Array | undefined = nothing;
      for (const range of ranges) {
        expect(range.from).toEqual(next);
        next = range.to;
        const digest = new RangeDigest();
        for (const each of range.rows) digest.add(each);
        expect(range.digest).toEqual(digest.finish());
        // A row here is 6 + 5 bytes and its lengths.
        expect([range.to === undefined, Math.ceil(bytesMax / 19)]).toContain(range.to ? range.rows.length : true);
      }
      expect(next).toBeUndefined();
      expect(ranges.flatMap(({ rows }) => rows)).toHaveLength(300);
    }
    await snapshot.close();
    await store.close();
  });

  it('lets go of its iterator when nobody asks for the next range, and goes on all the same', async () => {
    const { store } = await open();
    applied(store, numbered(0, 300, 'value'), 1);
    const snapshot = await store.snapshot();
    const close = jest.spyOn(RangeReader.prototype, 'close');
    try {
      const first = await snapshot.range(nothing, 1000);
      const before = close.mock.calls.length;
      while (close.mock.calls.length === before) await new Promise((resolve) => setTimeout(resolve, 20));
      const second = await snapshot.range(first.to!, 1e6);
      expect(second.rows[0]).toEqual(numbered(first.rows.length, 300, 'value')[0]);
      expect(first.rows.length + second.rows.length).toBe(300);
    } finally {
      close.mockRestore();
    }
    await snapshot.close();
    await store.close();
  });

  it('gives ranges to several at once, and to those who still wait when it is closed', async () => {
    const { store } = await open();
    applied(store, numbered(0, 300, 'value'), 1);
    const snapshot = await store.snapshot();
    const expected = await rangesOf(snapshot, 1000);
    expect(await Promise.all([1, 2, 3].map(() => rangesOf(snapshot, 1000)))).toEqual([expected, expected, expected]);
    const late = [snapshot.range(nothing, 1000), snapshot.range(nothing, 1000)];
    await snapshot.close();
    expect(await Promise.all(late)).toEqual([expected[0], expected[0]]);
    await store.close();
  });

  it('is of what is durable, and of something: it waits for the first batch, and refuses without any', async () => {
    const { store } = await open();
    await expect(store.snapshot()).rejects.toBeInstanceOf(RangeError);
    applied(store, [row('a', '1')], 1);
    const first = await store.snapshot();
    applied(store, [row('a', '2')], 2);
    const second = await store.snapshot();
    expect([first.description.index, second.description.index]).toEqual([1, 1]);
    expect(textOf((await second.range(nothing, 100)).rows[0]?.value)).toBe('1');
    await store.close();
    await expect(first.range(nothing, 100)).rejects.toBeInstanceOf(StateFailedError);
    await first.close();
  });
});

describe('a staged state', () => {
  it('becomes the state, whole, in one step, and says so until something was applied durably', async () => {
    const source = await open();
    applied(source.store, numbered(0, 1000, 'theirs'), 70);
    const snapshot = await source.store.snapshot();
    const { store, directory } = await open();
    applied(store, [row('mine', '1')], 5);
    await store.flush();
    applied(store, [row('not durable', '1')], 6);
    const staged = await store.stage();
    expect(staged.isPartial).toBe(false);
    expect(await transfer(snapshot, staged, 1000)).toBeGreaterThan(15);
    expect(await rowsOf(store)).toEqual({ mine: '1', 'not durable': '1' });
    await store.install(staged, snapshot.description);
    const theirs = await rowsOf(source.store);
    expect(await rowsOf(store)).toEqual(theirs);
    expect([store.appliedIndex, store.syncedAppliedIndex, store.isInstalled, store.pendingBytes]).toEqual([
      70,
      70,
      true,
      0,
    ]);
    await expect(staged.put(rangeOf('', undefined, {}))).rejects.toBeInstanceOf(RangeError);
    await store.close();

    const again = await StateStore.open(directory, patient);
    expect([again.appliedIndex, again.isInstalled]).toEqual([70, true]);
    expect(again.description).toMatchObject(descriptionOf(70));
    expect(await rowsOf(again)).toEqual(theirs);
    expect(() => again.write([], 70)).toThrow(RangeError);
    applied(again, [row('mine', '2')], 71);
    expect(again.isInstalled).toBe(true);
    await again.flush();
    expect(again.isInstalled).toBe(false);
    await again.close();
    const last = await StateStore.open(directory, patient);
    expect([last.appliedIndex, last.isInstalled]).toEqual([71, false]);
    expect(await rowsOf(last)).toEqual({ ...theirs, mine: '2' });
    await last.close();
    expect((await readdir(directory)).sort()).toEqual(['db-2', 'lock', 'pointer']);
    await snapshot.close();
    await source.store.close();
  });

  it('is found again after a crash, so that only what differs travels again', async () => {
    const source = await open();
    applied(source.store, numbered(0, 1000, 'theirs'), 70);
    const snapshot = await source.store.snapshot();
    const { store, directory } = await open();
    const ranges = await rangesOf(snapshot, 777);
    const first = await store.stage();
    await expect(store.stage()).rejects.toBeInstanceOf(RangeError);
    for (const range of ranges.slice(0, 5)) await first.put(range);
    const copy = await temporaryDirectory();
    await cp(directory, copy, { recursive: true });
    const crashed = await StateStore.open(copy, patient);
    const second = await crashed.stage();
    expect(second.isPartial).toBe(true);
    expect(await transfer(snapshot, second, 777)).toBe(ranges.length - 5);
    await second.close();
    await expect(crashed.install(second, snapshot.description)).rejects.toBeInstanceOf(RangeError);
    const third = await crashed.stage();
    expect([third.isPartial, await transfer(snapshot, third, 777)]).toEqual([true, 0]);
    await crashed.install(third, snapshot.description);
    expect(await rowsOf(crashed)).toEqual(await rowsOf(source.store));
    await first.discard();
    const anew = await store.stage();
    expect(anew.isPartial).toBe(false);
    await Promise.all([store.close(), crashed.close()]);
    await snapshot.close();
    await source.store.close();
  });

  it('is discarded without being opened, damaged or not, but not while it is open', async () => {
    const { store, directory } = await open();
    applied(store, [row('mine', '1')], 5);
    expect(store.hasStaged).toBe(false);
    await store.discardStaged();
    const first = await store.stage();
    await first.put(rangeOf('', undefined, { a: '1' }));
    expect(store.hasStaged).toBe(true);
    await expect(store.discardStaged()).rejects.toBeInstanceOf(RangeError);
    await first.put(rangeOf('b', 'c', { b: '1' }));
    await first.close();
    expect(store.hasStaged).toBe(true);
    const left = join(directory, 'db-2');
    await rm(join(left, 'CURRENT'));
    const opening = jest.spyOn(StateDatabase, 'open');
    await store.discardStaged();
    expect([store.hasStaged, opening.mock.calls]).toEqual([false, []]);
    opening.mockRestore();
    expect((await readdir(directory)).sort()).toEqual(['db-1', 'lock', 'pointer']);
    const second = await store.stage();
    expect([store.hasStaged, second.isPartial]).toEqual([true, false]);
    await store.install(second, descriptionOf(9));
    expect(store.hasStaged).toBe(false);
    await store.discardStaged();
    expect([store.appliedIndex, await rowsOf(store)]).toEqual([9, {}]);
    await store.close();
    await expect(store.discardStaged()).rejects.toBeInstanceOf(StateFailedError);
  });

  it('has in a range what was put there last, and nothing else', async () => {
    const { store } = await open();
    const staged = await store.stage();
    await staged.put(rangeOf('', undefined, { a: '1', b: '1', ba: '1', c: '1', d: '1' }));
    await staged.put(rangeOf('b', 'c', { b: '2', bb: '2' }));
    await staged.put(rangeOf('d', undefined, {}));
    const expected = { a: '1', b: '2', bb: '2', c: '1' };
    expect(await staged.digestOf(nothing, undefined)).toEqual(rangeOf('', undefined, expected).digest);
    expect(await staged.digestOf(utf8('b'), utf8('c'))).toEqual(rangeOf('', undefined, { b: '2', bb: '2' }).digest);
    for (const range of [
      rangeOf('b', 'c', { a: '1' }),
      rangeOf('b', 'c', { c: '1' }),
      rangeOf('b', 'c', { bb: '1', ba: '1' }),
      {
        ...rangeOf('b', 'c', { b: '1' }),
        rows: [...rangeOf('b', 'c', { b: '1' }).rows, ...rangeOf('', '', { b: '2' }).rows],
      },
    ]) {
      await expect(staged.put(range)).rejects.toBeInstanceOf(RangeError);
    }
    await store.install(staged, descriptionOf(3));
    expect(await rowsOf(store)).toEqual(expected);
    await store.close();
  });

  it('is not touched by a batch of the old state that ends late, or fails', async () => {
    for (const isFailing of [false, true]) {
      const failures: Error[] = [];
      const { store } = await open({ ...patient, onFailure: (error) => failures.push(error) });
      const staged = await store.stage();
      await staged.put(rangeOf('', undefined, { their: '1' }));
      let release = (): void => undefined;
      const released = new Promise<void>((resolve) => (release = resolve));
      const late = jest.spyOn(StateDatabase.prototype, 'write').mockImplementationOnce(async () => {
        await released;
        if (isFailing) throw new Error('IO error: Input/output error');
      });
      applied(store, [row('mine', '1')], 5);
      const flushed = store.flush();
      expect(late).toHaveBeenCalledTimes(1);
      await store.install(staged, descriptionOf(70));
      await flushed;
      release();
      await new Promise((resolve) => setImmediate(resolve));
      expect([store.syncedAppliedIndex, store.isInstalled, store.pendingBytes, failures]).toEqual([70, true, 0, []]);
      expect(await rowsOf(store)).toEqual({ their: '1' });
      applied(store, [row('mine', '2')], 71);
      await store.flush();
      expect([store.syncedAppliedIndex, await rowsOf(store)]).toEqual([71, { mine: '2', their: '1' }]);
      await store.close();
      late.mockRestore();
    }
  });

  it('takes the place of the old state in between two reads, never within one', async () => {
    const { store } = await open({ batchDelayMs: 0 });
    let index = 0;
    for (let round = 1; round <= 5; round += 1) {
      const staged = await store.stage();
      await staged.put(
        rangeOf(
          '',
          undefined,
          Object.fromEntries(numbered(0, 500, '').map(({ key }): [string, string] => [textOf(key)!, `state ${round}`])),
        ),
      );
      let isInstalled = false;
      index += 1000;
      const installing = store.install(staged, descriptionOf(index)).then(() => (isInstalled = true));
      const seen = new Set<string>();
      let applies = index - 1000;
      while (!isInstalled) {
        if (store.appliedIndex < index) applied(store, numbered(0, 500, `applied ${(applies += 1)}`), applies);
        const values = new Set(Object.values(await rowsOf(store)));
        expect(values.size).toBeLessThanOrEqual(1);
        for (const value of values) seen.add(value);
      }
      await installing;
      expect(new Set(Object.values(await rowsOf(store)))).toEqual(new Set([`state ${round}`]));
      expect(store.appliedIndex).toBe(index);
      expect(seen.size).toBeGreaterThan(0);
    }
    await store.close();
  });
});
