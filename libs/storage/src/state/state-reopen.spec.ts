import { link, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StateFullError } from '../errors.js';
import { applied, patient, row, rowsOf } from '../testing/state-fixture.js';
import { StateDatabase } from './state-database.js';
import { StateStore } from './state-store.js';

jest.setTimeout(60_000);

const made: string[] = [];

async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'ringraft-state-'));
  made.push(directory);
  return directory;
}

afterEach(() => jest.restoreAllMocks());
afterAll(() => Promise.all(made.map((directory) => rm(directory, { recursive: true }))));

const noSpace = (): StateFullError => new StateFullError('a disk', new Error('No space left on device'));

it('a store that found no space goes on in a copy that writes to none of the files of a table under way', async () => {
  const directory = await temporaryDirectory();
  const kept = await temporaryDirectory();
  const store = await StateStore.open(directory, { ...patient, retryDelayMs: 1 });
  applied(store, [row('a', '1'), row('b', '1')], 1);
  await store.flush();
  // What a flush or a compaction that still runs has written so far, under the numbers that come next.
  const used = (await readdir(join(directory, 'db-1'))).map((name) => Number(/[0-9]{6}/.exec(name)?.[0] ?? 0));
  const unfinished = Array.from({ length: 8 }, (_, i) => `${String(Math.max(...used) + 1 + i).padStart(6, '0')}.ldb`);
  for (const name of unfinished) {
    await writeFile(join(directory, 'db-1', name), `half of ${name}`);
    await link(join(directory, 'db-1', name), join(kept, name));
  }
  jest.spyOn(StateDatabase.prototype, 'write').mockRejectedValueOnce(noSpace());
  applied(store, [row('b', '2')], 2);
  await store.flush();
  expect((await readFile(join(directory, 'pointer'), 'latin1')).includes('db-2')).toBe(true);
  for (const name of unfinished) expect(await readFile(join(kept, name), 'latin1')).toBe(`half of ${name}`);
  expect(await rowsOf(store)).toEqual({ a: '1', b: '2' });
  await store.close();
  const again = await StateStore.open(directory, patient);
  expect([again.appliedIndex, await rowsOf(again)]).toEqual([2, { a: '1', b: '2' }]);
  await again.close();
});

it('a store that finds no space only when it is closed does not wait for it', async () => {
  const directory = await temporaryDirectory();
  const full: boolean[] = [];
  const store = await StateStore.open(directory, {
    ...patient,
    retryDelayMs: 3_600_000,
    onFull: (isFull) => full.push(isFull),
  });
  applied(store, [row('a', '1')], 1);
  await store.flush();
  applied(store, [row('a', '2')], 2);
  const write = jest.spyOn(StateDatabase.prototype, 'write').mockRejectedValue(noSpace());
  // Both batches: the one that is under way when it is closed, and what was gathered behind it.
  const first = store.flush();
  applied(store, [row('a', '3')], 3);
  const second = store.flush();
  const closed = store.close();
  await expect(first).rejects.toBeInstanceOf(StateFullError);
  await expect(second).rejects.toBeInstanceOf(StateFullError);
  await closed;
  expect([write.mock.calls.length, full]).toEqual([1, [true]]);
  expect(() => store.write([], 4)).toThrow('closed');
  write.mockRestore();
  const again = await StateStore.open(directory, patient);
  expect([again.appliedIndex, await rowsOf(again)]).toEqual([1, { a: '1' }]);
  await again.close();
});
