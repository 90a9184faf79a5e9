import { promised } from './completion.js';
import type { DiskFile } from './disk.js';
import { MemoryDisk } from './memory-disk.js';
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

describe('MemoryDisk with queued completions', () => {
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
