import { promised } from './completion.js';
import type { DiskFile } from './disk.js';
import { MemoryDisk, type QueuedOperation } from './memory-disk.js';
import type { KeepUnsynced } from './memory-file-content.js';
import { describeDiskContract } from './testing/disk-contract.js';

describeDiskContract('MemoryDisk', () => {
  const disk = new MemoryDisk();
  return Promise.resolve({ disk, second: disk });
});

const filled = (value: number, count: number): Uint8Array => new Uint8Array(count).fill(value);

/** A file 'a' of 1500 synced ones, then 1500 twos that are not. */
async function withUnsyncedWrite(disk: MemoryDisk): Promise<DiskFile> {
  const file = await promised<DiskFile>((done) => disk.create('a', 1500, done));
  await promised((done) => file.write(0, [filled(1, 1500)], done));
  await promised((done) => file.sync(done));
  await promised((done) => disk.syncDirectory(done));
  await promised((done) => file.write(0, [filled(2, 1500)], done));
  return file;
}

describe('MemoryDisk after a crash', () => {
  it.each<[KeepUnsynced, number]>([
    ['none', 1],
    ['all', 2],
  ])('keeps %s of what was written and not synced', async (keepUnsynced, value) => {
    const disk = new MemoryDisk();
    await withUnsyncedWrite(disk);
    disk.crash({ keepUnsynced });
    expect(disk.contentOf('a')).toEqual(filled(value, 1500));
  });

  it('tears at sectors', async () => {
    const disk = new MemoryDisk();
    await withUnsyncedWrite(disk);
    let count = 0;
    disk.crash({ keepUnsynced: () => count++ === 1 });
    const expected = filled(1, 1500);
    expected.fill(2, 512, 1024);
    expect(disk.contentOf('a')).toEqual(expected);
  });

  it('tears a write at the sectors of the file, however many buffers it came in', async () => {
    const disk = new MemoryDisk();
    const file = await withUnsyncedWrite(disk);
    await promised((done) => file.sync(done));
    await promised((done) => file.write(500, [filled(3, 100), filled(4, 300), filled(5, 300)], done));
    const sizes: string[] = [];
    disk.crash({ keepUnsynced: ({ kind }) => sizes.push(kind) === 2 });
    expect(sizes).toEqual(['sector', 'sector', 'sector']);
    const expected = filled(2, 1500);
    expected.fill(3, 512, 600).fill(4, 600, 900).fill(5, 900, 1024);
    expect(disk.contentOf('a')).toEqual(expected);
  });

  it('forgets what a failed sync was for, whatever a later sync says', async () => {
    let isFailing = false;
    const disk = new MemoryDisk({
      intercept: ({ kind }) => (isFailing && kind === 'sync' ? new Error('EIO') : undefined),
    });
    const file = await withUnsyncedWrite(disk);
    isFailing = true;
    await expect(promised((done) => file.sync(done))).rejects.toThrow('EIO');
    isFailing = false;
    await promised((done) => file.sync(done));
    expect(disk.contentOf('a')).toEqual(filled(2, 1500));
    disk.crash({ keepUnsynced: 'all' });
    expect(disk.contentOf('a')).toEqual(filled(1, 1500));
  });

  it('forgets a name that was not synced, though the file was', async () => {
    const disk = new MemoryDisk();
    const file = await promised<DiskFile>((done) => disk.create('a', 10, done));
    await promised((done) => file.sync(done));
    disk.crash({ keepUnsynced: 'none' });
    expect(disk.contentOf('a')).toBeUndefined();
  });

  it('brings back a removed name that was not synced, with its bytes', async () => {
    const disk = new MemoryDisk();
    await withUnsyncedWrite(disk);
    await promised((done) => disk.remove('a', done));
    disk.crash({ keepUnsynced: 'none' });
    expect(disk.contentOf('a')).toEqual(filled(1, 1500));
  });

  it('leaves what was synced alone, whatever is chosen', async () => {
    const disk = new MemoryDisk();
    const file = await withUnsyncedWrite(disk);
    await promised((done) => file.sync(done));
    disk.crash({ keepUnsynced: 'none' });
    expect(disk.contentOf('a')).toEqual(filled(2, 1500));
  });

  it('never completes what was under way, and frees the lock', () => {
    const disk = new MemoryDisk({ completions: 'queued' });
    const completed: string[] = [];
    const note = (text: string) => (): void => {
      completed.push(text);
    };
    disk.lock(note('lock'));
    disk.create('a', 1, note('create'));
    disk.step();
    disk.crash({ keepUnsynced: 'all' });
    disk.run();
    disk.lock(note('lock again'));
    disk.run();
    expect(completed).toEqual(['lock', 'lock again']);
    expect(disk.contentOf('a')).toEqual(filled(0, 1));
  });

  it('keeps unsynced bytes unsynced when only the process dies', async () => {
    const disk = new MemoryDisk();
    await withUnsyncedWrite(disk);
    disk.kill();
    expect(disk.contentOf('a')).toEqual(filled(2, 1500));
    disk.crash({ keepUnsynced: 'none' });
    expect(disk.contentOf('a')).toEqual(filled(1, 1500));
  });
});

describe('the faults of MemoryDisk', () => {
  it('lets a write fail in the middle: so much is there, and not synced', async () => {
    let writtenBytes: number | undefined;
    const disk: MemoryDisk = new MemoryDisk({
      intercept: ({ kind, bytes }) =>
        kind === 'write' && bytes === 700 && writtenBytes !== undefined
          ? { error: new Error('EIO'), writtenBytes }
          : undefined,
    });
    const file = await withUnsyncedWrite(disk);
    await promised((done) => file.sync(done));
    const expected = filled(2, 1500);
    for (const count of [0, 1, 300, 301, 512, 700]) {
      writtenBytes = count;
      const written = promised((done) => file.write(0, [filled(5, 300), filled(6, 400)], done));
      await expect(written).rejects.toMatchObject({ code: 'DISK', operation: 'write' });
      expected.fill(5, 0, Math.min(300, count)).fill(6, 300, Math.max(300, count));
      expect(disk.contentOf('a')).toEqual(expected);
    }
    disk.crash({ keepUnsynced: 'none' });
    expect(disk.contentOf('a')).toEqual(filled(2, 1500));
  });

  it('fails a read when told to, and never with bytes', async () => {
    let isFailing = false;
    const disk = new MemoryDisk({
      intercept: ({ kind }) => (isFailing && kind === 'read' ? new Error('EIO') : undefined),
    });
    const file = await withUnsyncedWrite(disk);
    isFailing = true;
    await expect(promised<Uint8Array>((done) => file.read(0, 10, done))).rejects.toMatchObject({ operation: 'read' });
    isFailing = false;
    expect(await promised<Uint8Array>((done) => file.read(0, 2, done))).toEqual(filled(2, 2));
  });

  it('is full when all files together are: what grows fails, what is there can be written', async () => {
    const disk = new MemoryDisk();
    const file = await withUnsyncedWrite(disk);
    disk.capacityBytes = 2000;
    const isFull = { code: 'DISK', systemCode: 'ENOSPC' };
    await expect(promised<DiskFile>((done) => disk.create('b', 501, done))).rejects.toMatchObject(isFull);
    expect(disk.contentOf('b')).toBeUndefined();
    const other = await promised<DiskFile>((done) => disk.create('b', 300, done));
    await promised((done) => file.write(0, [filled(7, 1500)], done));
    await expect(promised((done) => other.truncate(501, done))).rejects.toMatchObject(isFull);
    // As a file system does it: the start of the write is there.
    await expect(promised((done) => other.write(200, [filled(8, 200), filled(9, 300)], done))).rejects.toMatchObject(
      isFull,
    );
    const expected = filled(0, 500);
    expected.fill(8, 200, 400).fill(9, 400);
    expect(disk.contentOf('b')).toEqual(expected);
    expect(disk.usedBytes).toBe(2000);
    await expect(promised((done) => file.write(1600, [filled(1, 1)], done))).rejects.toMatchObject(isFull);
    expect(disk.contentOf('a')).toEqual(filled(7, 1500));
    await promised((done) => disk.remove('b', done));
    await promised((done) => file.write(1500, [filled(1, 500)], done));
    expect(disk.usedBytes).toBe(2000);
  });

  it('flips a byte for whoever reads it, for good, also in a file that is open', async () => {
    const disk = new MemoryDisk();
    const file = await withUnsyncedWrite(disk);
    disk.flip('a', 700, 0x81);
    expect(await promised<Uint8Array>((done) => file.read(699, 3, done))).toEqual(Uint8Array.of(2, 0x83, 2));
    disk.crash({ keepUnsynced: 'none' });
    expect(disk.contentOf('a')!.subarray(699, 702)).toEqual(Uint8Array.of(1, 0x80, 1));
    for (const [name, offset] of [
      ['a', 1500],
      ['a', -1],
      ['b', 0],
    ] as const) {
      expect(() => disk.flip(name, offset, 1)).toThrow(RangeError);
    }
  });

  it('kills a process with some of its last operations done and some not', () => {
    const disk = new MemoryDisk({ completions: 'queued' });
    for (const name of ['a', 'b', 'c']) disk.create(name, 1, () => undefined);
    disk.kill(({ name }) => name !== 'b');
    expect(['a', 'b', 'c'].map((name) => disk.contentOf(name)?.length)).toEqual([1, undefined, 1]);
  });
});

describe('MemoryDisk with queued completions', () => {
  it('gives a handle to each operation that waits, which completes it once, and never after the process died', () => {
    const queued: QueuedOperation[] = [];
    const disk = new MemoryDisk({ completions: 'queued', onQueued: (each) => queued.push(each) });
    const completed: string[] = [];
    const create = (name: string): void => disk.create(name, 0, () => void completed.push(name));
    for (const name of ['a', 'b', 'c', 'd']) create(name);
    expect(queued.map(({ operation, isWaiting }) => [operation, isWaiting])).toEqual(
      ['a', 'b', 'c', 'd'].map((name) => [{ kind: 'create', name, bytes: 0 }, true]),
    );
    expect(disk.pendingCount).toBe(4);
    queued[2]!.complete();
    queued[2]!.complete();
    queued[0]!.complete();
    disk.step();
    expect(completed).toEqual(['c', 'a', 'b']);
    expect(queued.map(({ isWaiting }) => isWaiting)).toEqual([false, false, false, true]);
    expect(disk.pendingCount).toBe(1);
    disk.crash({ keepUnsynced: 'all' });
    create('e');
    queued[3]!.complete();
    expect(completed).toEqual(['c', 'a', 'b']);
    expect(disk.pending.map(({ name }) => name)).toEqual(['e']);
    queued[4]!.complete();
    expect(completed.at(-1)).toBe('e');
  });

  it('completes in the order that the test chooses', () => {
    const disk = new MemoryDisk({ completions: 'queued' });
    const completed: string[] = [];
    for (const name of ['a', 'b', 'c']) disk.create(name, 0, () => void completed.push(name));
    expect(disk.pending.map(({ kind, name }) => `${kind} ${name}`)).toEqual(['create a', 'create b', 'create c']);
    disk.step(2);
    disk.run();
    expect(completed).toEqual(['c', 'a', 'b']);
  });

  it('fails an operation without effect when told to', () => {
    const disk = new MemoryDisk({ intercept: ({ kind }) => (kind === 'create' ? new Error('full') : undefined) });
    let failure: Error | undefined;
    disk.create('a', 0, (error, _file) => {
      failure = error;
    });
    expect(failure).toMatchObject({ code: 'DISK', operation: 'create', file: 'a' });
    expect(disk.contentOf('a')).toBeUndefined();
  });
});
