import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promised } from './completion.js';
import type { DiskFile } from './disk.js';
import { FaultyDisk, type FaultyOperation } from './faulty-disk.js';
import { MemoryDisk } from './memory-disk.js';
import { NodeDisk } from './node-disk.js';
import { describeDiskContract } from './testing/disk-contract.js';
import { appendTo, closeLog, contentOf, entry, hardState, openLog } from './testing/open-log.js';

// On a busy machine the disk takes its time.
jest.setTimeout(30_000);

const made: string[] = [];

afterAll(() => Promise.all(made.map((directory) => rm(directory, { recursive: true }))));

async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'ringraft-faulty-'));
  made.push(directory);
  return directory;
}

const nodeDisk = (directory: string): Promise<NodeDisk> => promised<NodeDisk>((done) => NodeDisk.open(directory, done));

describeDiskContract('FaultyDisk around MemoryDisk, without faults,', () => {
  const disk = new MemoryDisk();
  return Promise.resolve({ disk: new FaultyDisk(disk), second: disk });
});

describeDiskContract('FaultyDisk around NodeDisk, without faults,', async () => {
  const directory = await temporaryDirectory();
  return { disk: new FaultyDisk(await nodeDisk(directory)), second: await nodeDisk(directory) };
});

const filled = (value: number, count: number): Uint8Array => new Uint8Array(count).fill(value);
const create = (disk: FaultyDisk, name: string, size: number): Promise<DiskFile> =>
  promised<DiskFile>((done) => disk.create(name, size, done));
const write = (file: DiskFile, offset: number, ...buffers: Uint8Array[]): Promise<void> =>
  promised((done) => file.write(offset, buffers, done));

describe('the faults of FaultyDisk', () => {
  let memory: MemoryDisk;
  let disk: FaultyDisk;
  let file: DiskFile;
  let created = 0;

  beforeEach(async () => {
    memory = new MemoryDisk();
    disk = new FaultyDisk(memory);
    file = await create(disk, 'a', 10);
  });

  /** Every operation that faults can be set for, and how it is called. */
  const calls: Record<FaultyOperation, () => Promise<unknown>> = {
    create: () => create(disk, `b${(created += 1)}`, 0),
    open: () => promised((done) => disk.open('a', done)),
    rename: () => promised((done) => disk.rename('a', 'a', done)),
    remove: async () => {
      if (memory.contentOf('a') === undefined) await create(disk, 'a', 10);
      await promised((done) => disk.remove('a', done));
    },
    syncDirectory: () => promised((done) => disk.syncDirectory(done)),
    read: () => promised((done) => file.read(0, 1, done)),
    write: () => write(file, 0, filled(1, 1)),
    truncate: () => promised((done) => file.truncate(5, done)),
    sync: () => promised((done) => file.sync(done)),
  };

  it.each(Object.keys(calls) as FaultyOperation[])(
    'fail a %s: the next ones, or all until it is healed',
    async (operation) => {
      const isFailure = { code: 'DISK', operation, systemCode: 'EIO' };
      disk.failNext(operation, 'EIO', 2);
      await expect(calls[operation]()).rejects.toMatchObject(isFailure);
      await expect(calls[operation]()).rejects.toMatchObject(isFailure);
      await calls[operation]();
      disk.failAll(operation, 'EIO');
      for (let i = 0; i < 3; i += 1) await expect(calls[operation]()).rejects.toMatchObject(isFailure);
      disk.heal();
      await calls[operation]();
      expect(disk.injected.get(operation)).toEqual({ failed: 5, delayed: 0, hung: 0 });
      expect(disk.injected.size).toBe(1);
    },
  );

  it.each(Object.keys(calls) as FaultyOperation[])(
    'let a %s hang until it is released, without effect before',
    async (operation) => {
      disk.hang(operation);
      let isDone = false;
      const before = memory.contentOf('a');
      const called = calls[operation]().then(() => (isDone = true));
      await new Promise((resolve) => setImmediate(resolve));
      expect([isDone, disk.hungCount, memory.contentOf('a')]).toEqual([false, 1, before]);
      disk.release(operation);
      await called;
      expect([isDone, disk.hungCount, disk.injected.get(operation)?.hung]).toEqual([true, 0, 1]);
    },
  );

  it('leave an operation that fails without effect', async () => {
    disk.failAll('write', 'EIO');
    await expect(write(file, 0, filled(7, 10))).rejects.toMatchObject({ systemCode: 'EIO' });
    disk.failAll('create', 'ENOSPC');
    await expect(create(disk, 'b', 1)).rejects.toMatchObject({ systemCode: 'ENOSPC', isOutOfSpace: true });
    expect([memory.contentOf('a'), memory.contentOf('b')]).toEqual([filled(0, 10), undefined]);
  });

  it('delay what they are set for, and nothing else', async () => {
    const waiting: [() => void, number][] = [];
    const slow = new FaultyDisk(memory, (act, delayMs) => waiting.push([act, delayMs]));
    const own = await create(slow, 'slow', 1);
    slow.delay('sync', 250);
    let isSynced = false;
    own.sync((error) => (isSynced = !error));
    await write(own, 0, filled(1, 1));
    expect([isSynced, waiting.map(([, delayMs]) => delayMs)]).toEqual([false, [250]]);
    waiting[0]![0]();
    expect([isSynced, slow.injected.get('sync')]).toEqual([true, { failed: 0, delayed: 1, hung: 0 }]);
    slow.delay('sync', 0);
    own.sync((error) => (isSynced = !error));
    expect(waiting.length).toBe(1);
  });

  it('delay by the clock of the system by default', async () => {
    disk.delay('write', 1);
    await write(file, 0, filled(1, 1));
    expect(disk.injected.get('write')?.delayed).toBe(1);
  });

  it('let files grow as far as there is space, of a write as much as fits, and give back what is removed', async () => {
    const isFull = { code: 'DISK', systemCode: 'ENOSPC', isOutOfSpace: true };
    disk.freeBytes = 20;
    await expect(create(disk, 'b', 21)).rejects.toMatchObject(isFull);
    const other = await create(disk, 'b', 5);
    expect(disk.freeBytes).toBe(15);
    await write(file, 0, filled(1, 10));
    expect(disk.freeBytes).toBe(15);
    await expect(write(file, 5, filled(2, 10), filled(3, 15))).rejects.toMatchObject(isFull);
    const expected = filled(1, 25);
    expected.fill(2, 5, 15).fill(3, 15);
    expect([disk.freeBytes, memory.contentOf('a')]).toEqual([0, expected]);
    await write(file, 20, filled(4, 5));
    await expect(promised((done) => other.truncate(6, done))).rejects.toMatchObject(isFull);
    await promised((done) => other.truncate(2, done));
    expect(disk.freeBytes).toBe(3);
    await promised((done) => disk.remove('b', done));
    expect(disk.freeBytes).toBe(5);
    memory.overwrite('stranger', filled(1, 100));
    memory.overwrite('other', filled(1, 50));
    await promised((done) => disk.remove('stranger', done));
    await promised((done) => disk.rename('other', 'a', done));
    expect(disk.freeBytes).toBe(130);
    disk.heal();
    await create(disk, 'c', 1000);
    expect(disk.freeBytes).toBe(Infinity);
  });
});

describe('a log on a FaultyDisk', () => {
  const small = { segmentBytesMax: 2000, preallocateBytes: 500 };

  it('waits for space, says how long a hung sync has been under way, and has failed when a sync fails', async () => {
    const directory = await temporaryDirectory();
    const disk = new FaultyDisk(await nodeDisk(directory));
    const told: string[] = [];
    let tell: (() => void) | undefined;
    const note = (text: string): void => {
      told.push(text);
      tell?.();
    };
    const until = async (isSo: () => boolean): Promise<void> => {
      while (!isSo()) await new Promise<void>((resolve) => (tell = resolve));
    };
    const observer = {
      onWriteStart: () => note('start'),
      onWriteEnd: (isDurable: boolean) => note(isDurable ? 'end' : 'failed'),
      onFull: (isFull: boolean) => note(isFull ? 'full' : 'not full'),
    };
    const log = await openLog(disk, { ...small, observer });
    await appendTo(log, { hardState: hardState(1, 'me') });
    expect(told.splice(0)).toEqual(['start', 'end']);

    disk.freeBytes = 100;
    const full = appendTo(log, { entries: [1, 2, 3, 4].map((index) => entry(index, 1, 'x'.repeat(700))) });
    await until(() => log.isFull);
    log.retry();
    await until(() => told.length >= 5);
    expect(told.splice(0)).toEqual(['start', 'failed', 'full', 'start', 'failed']);
    disk.freeBytes = Infinity;
    log.retry();
    await full;
    expect(told.filter((text) => text.includes('full'))).toEqual(['not full']);
    told.length = 0;

    disk.hang('sync');
    const hung = appendTo(log, { entries: [entry(5, 1)] });
    while (disk.hungCount === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(told).toEqual(['start']);
    disk.release();
    await hung;
    expect(told.splice(0)).toEqual(['start', 'end']);
    const content = await contentOf(log);

    disk.failNext('sync', 'ENOSPC');
    await expect(appendTo(log, { entries: [entry(6, 1)] })).rejects.toMatchObject({ code: 'LOG_FAILED' });
    expect(told).toEqual(['start', 'failed']);
    await closeLog(log);
    const again = await openLog(disk, small);
    expect((await contentOf(again)).entries.slice(0, 5)).toEqual(content.entries);
    await closeLog(again);
  });
});
