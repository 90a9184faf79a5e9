import { randomFillSync } from 'node:crypto';
import fs, { readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RowChange } from '@app/kv';
import { StateFullError } from '../errors.js';
import { mountSmallFileSystem } from '../testing/small-file-system.js';
import { applied, descriptionOf, textOf, utf8 } from '../testing/state-fixture.js';
import { RangeDigest, type StateRange } from './state-range.js';
import { StateStore, type StateStoreOptions } from './state-store.js';

jest.setTimeout(60_000);

const KIBIBYTE = 1024;

const disk = mountSmallFileSystem(16);
const directory = disk?.directory ?? '';
const onDisk = disk === undefined ? describe.skip : describe;

afterAll(() => disk?.unmount());

const ballast = join(directory, 'ballast');

/** Others take the rest of the space, but for so much. */
async function fillDisk(leaveBytes: number): Promise<void> {
  const page = new Uint8Array(64 * KIBIBYTE);
  let size = 0;
  for (let step = page.length; step >= 4 * KIBIBYTE;) {
    try {
      await writeFile(ballast, page.subarray(0, step), { flag: 'a' });
      size += step;
    } catch {
      await truncate(ballast, size);
      step = Math.floor(step / 2);
    }
  }
  await truncate(ballast, Math.max(0, size - leaveBytes));
}

/** Jest compares typed arrays number by number. */
const expectValue = (store: StateStore, key: string, value: Uint8Array): void =>
  expect(Buffer.compare(store.get(utf8(key)) ?? Uint8Array.of(), value)).toBe(0);
const incompressible = (bytes: number): Uint8Array => randomFillSync(new Uint8Array(bytes));
const changesOf = (index: number, bytes: number): RowChange[] => [
  { key: utf8(`key ${index}`), value: incompressible(bytes) },
];
const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
};
const options: StateStoreOptions = { batchDelayMs: 1, retryDelayMs: 20, writeBufferBytes: 512 * KIBIBYTE };

onDisk('StateStore on a full disk', () => {
  afterEach(async () => {
    for (const name of await readdir(directory)) await rm(join(directory, name), { recursive: true });
  });

  it('goes on reading, takes changes in memory, and writes them when there is space, without losing any', async () => {
    const home = join(directory, 'state');
    const told: boolean[] = [];
    const failures: Error[] = [];
    const store = await StateStore.open(home, {
      ...options,
      onFull: (isFull) => told.push(isFull),
      onFailure: (error) => failures.push(error),
    });
    const values = new Map<number, Uint8Array>();
    let index = 0;
    const apply = (bytes: number): void => {
      index += 1;
      const changes = changesOf(index, bytes);
      values.set(index, changes[0]!.value!);
      applied(store, changes, index);
    };
    const expectAll = (): void => {
      for (const [each, value] of values) expectValue(store, `key ${each}`, value);
    };
    for (let round = 1; round <= 3; round += 1) {
      for (let i = 0; i < 5; i += 1) apply(100 * KIBIBYTE);
      await store.flush();
      const durable = store.syncedAppliedIndex;
      await fillDisk(150 * KIBIBYTE);
      while (!store.isFull && failures.length === 0) {
        apply(50 * KIBIBYTE);
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      const snapshot = await store.snapshot();
      for (let i = 0; i < 20; i += 1) apply(1000);
      expectAll();
      expect(store.syncedAppliedIndex).toBeLessThan(index);
      expect(snapshot.description.index).toBeGreaterThanOrEqual(durable);
      expect((await snapshot.range(Uint8Array.of(), 1e9)).rows.length).toBe(snapshot.description.index);
      const flushed = store.flush();
      // Some retries without space.
      const looks = jest.spyOn(fs, 'statfs');
      await until(() => looks.mock.calls.length >= 3);
      expect([store.isFull, told.length, failures]).toEqual([true, 2 * round - 1, []]);
      await rm(ballast);
      await flushed;
      expect([store.isFull, store.syncedAppliedIndex, store.pendingBytes]).toEqual([false, index, 0]);
      expectAll();
      await snapshot.close();
    }
    await until(() => told.length === 6);
    expect(told).toEqual([true, false, true, false, true, false]);
    await store.close();
    const again = await StateStore.open(home, options);
    expect(again.appliedIndex).toBe(index);
    for (const [each, value] of values) expectValue(again, `key ${each}`, value);
    await again.close();
    expect((await readdir(home)).filter((name) => name.startsWith('db-'))).toHaveLength(1);
  });

  it('closes while it is full, and what was durable is there again', async () => {
    const home = join(directory, 'state');
    const store = await StateStore.open(home, options);
    applied(store, changesOf(1, 100 * KIBIBYTE), 1);
    await store.flush();
    await fillDisk(0);
    applied(store, changesOf(2, 500 * KIBIBYTE), 2);
    await until(() => store.isFull);
    const flushed = store.flush();
    await store.close();
    await expect(flushed).rejects.toThrow('closed');
    await expect(StateStore.open(home, options)).rejects.toBeInstanceOf(StateFullError);
    await rm(ballast);
    const again = await StateStore.open(home, options);
    expect([again.appliedIndex, again.get(utf8('key 1'))?.length, again.get(utf8('key 2'))]).toEqual([
      1,
      100 * KIBIBYTE,
      undefined,
    ]);
    await again.close();
  });

  it('closes when it becomes full only then', async () => {
    const home = join(directory, 'state');
    const store = await StateStore.open(home, { ...options, batchDelayMs: 3_600_000, retryDelayMs: 3_600_000 });
    applied(store, changesOf(1, 100 * KIBIBYTE), 1);
    await store.flush();
    applied(store, changesOf(2, 500 * KIBIBYTE), 2);
    await fillDisk(0);
    await store.close();
    await rm(ballast);
    const again = await StateStore.open(home, options);
    expect([again.appliedIndex, again.get(utf8('key 1'))?.length]).toEqual([1, 100 * KIBIBYTE]);
    await again.close();
  });

  it('says that there is no space for a state that is being received, keeps what is there, and goes on later', async () => {
    const rangeOf = (number: number): StateRange => {
      const row = { key: utf8(`key ${number}`), value: incompressible(200 * KIBIBYTE) };
      const digest = new RangeDigest();
      digest.add(row);
      return { from: row.key, to: utf8(`key ${number} `), rows: [row], digest: digest.finish() };
    };
    const store = await StateStore.open(join(directory, 'state'), options);
    applied(store, changesOf(1, 1000), 1);
    await store.flush();
    const first = await store.stage();
    const ranges = [10, 11, 12, 13, 14, 15].map(rangeOf);
    await first.put(ranges[0]!);
    await fillDisk(250 * KIBIBYTE);
    const failed = async (): Promise<unknown> => {
      for (const range of ranges.slice(1)) await first.put(range);
      return undefined;
    };
    await expect(failed()).rejects.toBeInstanceOf(StateFullError);
    await expect(first.put(ranges[5]!)).rejects.toBeInstanceOf(StateFullError);
    await expect(store.install(first, descriptionOf(9))).rejects.toBeInstanceOf(StateFullError);
    expect([store.appliedIndex, store.get(utf8('key 1'))?.length]).toEqual([1, 1000]);
    await first.close();
    await rm(ballast);
    const second = await store.stage();
    expect(second.isPartial).toBe(true);
    expect(await second.digestOf(ranges[0]!.from, ranges[0]!.to)).toEqual(ranges[0]!.digest);
    for (const range of ranges) await second.put(range);
    await store.install(second, descriptionOf(9));
    for (const { rows } of ranges) expectValue(store, textOf(rows[0]!.key)!, rows[0]!.value);
    await store.close();
  });
});
