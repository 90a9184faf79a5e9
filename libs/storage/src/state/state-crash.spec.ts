import { cpSync } from 'node:fs';
import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DiskError, StateFailedError, StateFullError } from '../errors.js';
import { NodeDisk } from '../node-disk.js';
import { applied, descriptionOf, patient, row, rowsOf, utf8 } from '../testing/state-fixture.js';
import { RangeDigest, type StateRange } from './state-range.js';
import { StateDatabase } from './state-database.js';
import { StateStore } from './state-store.js';

jest.setTimeout(120_000);

const made: string[] = [];

async function temporaryDirectory(): Promise<string> {
  const directory = await fs.mkdtemp(join(tmpdir(), 'ringraft-state-'));
  made.push(directory);
  return directory;
}

afterEach(() => jest.restoreAllMocks());
afterAll(() => Promise.all(made.map((directory) => fs.rm(directory, { recursive: true }))));

function rangeOf(rows: Record<string, string>): StateRange {
  const digest = new RangeDigest();
  const list = Object.entries(rows).map(([key, value]) => ({ key: utf8(key), value: utf8(value) }));
  for (const each of list) digest.add(each);
  return { from: Uint8Array.of(), to: undefined, rows: list, digest: digest.finish() };
}

interface CrashPoint {
  readonly at: string;
  readonly directory: string;
}

/** Copies the directory before and after every step that changes directories or becomes durable: what a process that dies there leaves. */
async function crashPoints(directory: string, work: () => Promise<void>): Promise<CrashPoint[]> {
  const copies = await temporaryDirectory();
  // Node loads its copying when it is first asked for, and would hold on to the spies for as long as the process lives.
  cpSync(await temporaryDirectory(), join(copies, 'nothing'), { recursive: true });
  const points: CrashPoint[] = [];
  const take = (at: string): void => {
    const copy = join(copies, String(points.length));
    cpSync(directory, copy, { recursive: true });
    points.push({ at, directory: copy });
  };
  const around = <A extends unknown[], R>(name: string, step: (...args: A) => Promise<R>) =>
    async function (this: unknown, ...args: A): Promise<R> {
      const first = typeof args[0] === 'string' ? args[0].slice(directory.length) : '';
      take(`before ${name} ${first}`);
      const result = await step.apply(this, args);
      take(`after ${name} ${first}`);
      return result;
    };
  type Step = (this: void, ...args: unknown[]) => Promise<unknown>;
  const steps = fs as unknown as Record<string, Step>;
  for (const name of ['open', 'rename', 'rm', 'link', 'copyFile']) {
    const step = steps[name]!;
    jest.spyOn(steps, name).mockImplementation(around(name, step));
  }
  const databases = StateDatabase.prototype as unknown as Record<string, Step>;
  for (const name of ['write', 'close']) {
    const step = databases[name]!;
    jest.spyOn(databases, name).mockImplementation(around(name, step));
  }
  try {
    await work();
    take('at the end');
  } finally {
    jest.restoreAllMocks();
  }
  return points;
}

const ours = { mine: '1', shared: 'ours' };
const theirs = { shared: 'theirs', their: '1' };

describe('a crash', () => {
  it('at any step of staging and installing leaves the old or the new state, whole, and what was received', async () => {
    const directory = await temporaryDirectory();
    const store = await StateStore.open(directory, patient);
    applied(store, [row('mine', '1'), row('shared', 'ours')], 5);
    await store.flush();
    const points = await crashPoints(directory, async () => {
      const staged = await store.stage();
      await staged.put(rangeOf(theirs));
      await store.install(staged, descriptionOf(70));
      applied(store, [row('mine', '2')], 71);
      await store.close();
    });
    const seen: number[] = [];
    let hasPut = false;
    for (const { at, directory: copy } of points) {
      const again = await StateStore.open(copy, patient);
      const { appliedIndex } = again;
      seen.push(appliedIndex);
      const expected = appliedIndex === 5 ? ours : appliedIndex === 70 ? theirs : { mine: '2', ...theirs };
      expect([at, await rowsOf(again)]).toEqual([at, expected]);
      expect([at, again.isInstalled]).toEqual([at, appliedIndex === 70]);
      expect(again.description).toMatchObject(descriptionOf(appliedIndex));
      const staged = await again.stage();
      // What was durable in the staged state before the crash is there, until it counts.
      if (staged.isPartial) hasPut = true;
      const wanted = hasPut && appliedIndex === 5 ? rangeOf(theirs) : rangeOf({});
      expect([at, await staged.digestOf(Uint8Array.of(), undefined)]).toEqual([at, wanted.digest]);
      await again.close();
      expect([at, (await fs.readdir(copy)).filter((name) => name.startsWith('db-')).length]).toEqual([at, 2]);
    }
    expect([...new Set(seen)]).toEqual([5, 70, 71]);
    expect(seen).toEqual([...seen].sort((one, other) => one - other));
    expect([hasPut, points.length > 15]).toEqual([true, true]);
  });

  it('at any step of the first start leaves a state that can be begun', async () => {
    const directory = await temporaryDirectory();
    const points = await crashPoints(directory, async () => (await StateStore.open(directory, patient)).close());
    expect(points.length).toBeGreaterThan(5);
    for (const { directory: copy } of points) {
      const again = await StateStore.open(copy, patient);
      expect([again.appliedIndex, await rowsOf(again)]).toEqual([0, {}]);
      await again.close();
    }
  });

  it('at any step of discarding a state leaves one that is begun anew or found again', async () => {
    const directory = await temporaryDirectory();
    const store = await StateStore.open(directory, patient);
    const first = await store.stage();
    await first.put(rangeOf(theirs));
    const points = await crashPoints(directory, async () => {
      await first.discard();
      await store.close();
    });
    expect(points.length).toBeGreaterThan(5);
    for (const { at, directory: copy } of points) {
      const again = await StateStore.open(copy, patient);
      const staged = await again.stage();
      const wanted = rangeOf(staged.isPartial ? theirs : {});
      expect([at, await staged.digestOf(Uint8Array.of(), undefined)]).toEqual([at, wanted.digest]);
      await staged.put(rangeOf({ a: '1' }));
      await again.install(staged, descriptionOf(9));
      expect([at, await rowsOf(again)]).toEqual([at, { a: '1' }]);
      await again.close();
    }
  });

  it('at any step of discarding what a transfer left leaves it, or nothing, and it can be discarded again', async () => {
    const directory = await temporaryDirectory();
    const before = await StateStore.open(directory, patient);
    applied(before, [row('mine', '1'), row('shared', 'ours')], 5);
    await (await before.stage()).put(rangeOf(theirs));
    await before.close();
    const store = await StateStore.open(directory, patient);
    const points = await crashPoints(directory, async () => {
      await store.discardStaged();
      await store.close();
    });
    expect(points.length).toBeGreaterThan(5);
    const seen: string[] = [];
    for (const { at, directory: copy } of points) {
      const first = await StateStore.open(copy, patient);
      const hadPointer = first.hasStaged;
      const staged = await first.stage();
      expect([at, staged.isPartial && !hadPointer]).toEqual([at, false]);
      seen.push(staged.isPartial ? 'rows' : hadPointer ? 'a name' : 'nothing');
      const wanted = rangeOf(staged.isPartial ? theirs : {});
      expect([at, await staged.digestOf(Uint8Array.of(), undefined)]).toEqual([at, wanted.digest]);
      await first.close();
      const again = await StateStore.open(copy, patient);
      await again.discardStaged();
      expect([at, again.hasStaged, await rowsOf(again)]).toEqual([at, false, ours]);
      await again.close();
      expect([at, (await fs.readdir(copy)).filter((name) => name.startsWith('db-'))]).toEqual([at, ['db-1']]);
    }
    expect([...new Set(seen)]).toEqual(['rows', 'a name', 'nothing']);
  });
});

describe('a crash after the disk was full', () => {
  it('at any step of going on in a copy leaves all that was durable', async () => {
    const directory = await temporaryDirectory();
    const store = await StateStore.open(directory, { ...patient, retryDelayMs: 1 });
    applied(store, [row('mine', '1'), row('shared', 'ours')], 5);
    await (await store.stage()).put(rangeOf(theirs));
    await store.flush();
    const points = await crashPoints(directory, async () => {
      const noSpace = new StateFullError(directory, new Error('No space left on device'));
      jest.spyOn(StateDatabase.prototype, 'write').mockRejectedValueOnce(noSpace);
      applied(store, [row('mine', '2')], 6);
      await store.flush();
      await store.close();
    });
    const seen: number[] = [];
    for (const { at, directory: copy } of points) {
      const again = await StateStore.open(copy, patient);
      seen.push(again.appliedIndex);
      expect([at, await rowsOf(again)]).toEqual([at, again.appliedIndex === 5 ? ours : { ...ours, mine: '2' }]);
      const staged = await again.stage();
      expect([at, await staged.digestOf(Uint8Array.of(), undefined)]).toEqual([at, rangeOf(theirs).digest]);
      await again.close();
      expect([at, (await fs.readdir(copy)).filter((name) => name.startsWith('db-')).length]).toEqual([at, 2]);
    }
    expect([[...new Set(seen)], points.length > 15]).toEqual([[5, 6], true]);
    expect(seen).toEqual([...seen].sort((one, other) => one - other));
  });
});

describe('a step that fails', () => {
  it('before the swap leaves the old state in use, and the received one to be installed again', async () => {
    const directory = await temporaryDirectory();
    const store = await StateStore.open(directory, patient);
    applied(store, [row('mine', '1'), row('shared', 'ours')], 5);
    const staged = await store.stage();
    await staged.put(rangeOf(theirs));
    const failing = jest.spyOn(fs, 'rename').mockRejectedValueOnce(new Error('EIO: i/o error'));
    await expect(store.install(staged, descriptionOf(70))).rejects.toThrow('EIO');
    expect([failing.mock.calls.length, store.appliedIndex, store.isInstalled]).toEqual([1, 5, false]);
    expect(await rowsOf(store)).toEqual(ours);
    applied(store, [row('mine', '2')], 6);
    await store.flush();
    await store.install(staged, descriptionOf(70));
    expect(await rowsOf(store)).toEqual(theirs);
    await store.close();
  });

  it('in the swap itself ends the store, and the next start finds the old or the new state', async () => {
    const directory = await temporaryDirectory();
    const failures: Error[] = [];
    const store = await StateStore.open(directory, { ...patient, onFailure: (error) => failures.push(error) });
    applied(store, [row('mine', '1'), row('shared', 'ours')], 5);
    await store.flush();
    const staged = await store.stage();
    await staged.put(rangeOf(theirs));
    jest
      .spyOn(NodeDisk.prototype, 'syncDirectory')
      .mockImplementationOnce((done) => done(new DiskError('fsync', directory, new Error('EIO: i/o error'))));
    await expect(store.install(staged, descriptionOf(70))).rejects.toThrow('EIO');
    expect(() => store.get(utf8('mine'))).toThrow('EIO');
    await new Promise((resolve) => setImmediate(resolve));
    expect(failures).toEqual([expect.objectContaining({ code: 'STATE_FAILED' })]);
    await store.close();
    const again = await StateStore.open(directory, patient);
    expect([again.appliedIndex, await rowsOf(again)]).toEqual([70, theirs]);
    await again.close();
  });

  it('because a sync failed ends the store: what was synced is not known any more', async () => {
    const directory = await temporaryDirectory();
    const failures: Error[] = [];
    const store = await StateStore.open(directory, { ...patient, onFailure: (error) => failures.push(error) });
    applied(store, [row('mine', '1')], 5);
    const failed = new StateFailedError(directory, new Error(`IO error: ${directory}/000003.log: Input/output error`));
    jest.spyOn(StateDatabase.prototype, 'write').mockRejectedValueOnce(failed);
    await expect(store.flush()).rejects.toBe(failed);
    await new Promise((resolve) => setImmediate(resolve));
    expect([failures, store.isFull, store.syncedAppliedIndex]).toEqual([[failed], false, 0]);
    expect(() => store.write([], 6)).toThrow(failed);
    await store.close();
  });
});
