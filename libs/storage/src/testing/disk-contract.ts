import { promised } from '../completion.js';
import { writeDurably, type Disk, type DiskFile, type DiskLock } from '../disk.js';
import { DirectoryLockedError, DiskError } from '../errors.js';

export interface DiskUnderTest {
  readonly disk: Disk;
  /** Another process' view of the same directory. */
  readonly second: Disk;
}

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const create = (disk: Disk, name: string, size: number): Promise<DiskFile> =>
  promised<DiskFile>((done) => disk.create(name, size, done));
const open = (disk: Disk, name: string): Promise<DiskFile> => promised<DiskFile>((done) => disk.open(name, done));
const read = (file: DiskFile, offset: number, length: number): Promise<Uint8Array> =>
  promised<Uint8Array>((done) => file.read(offset, length, done));
const write = (file: DiskFile, offset: number, ...buffers: Uint8Array[]): Promise<void> =>
  promised((done) => file.write(offset, buffers, done));
const close = (file: DiskFile): Promise<void> => promised((done) => file.close(done));
const list = (disk: Disk): Promise<readonly string[]> => promised<readonly string[]>((done) => disk.list(done));

/** What every `Disk` must do, seen by one process without crashes. */
export function describeDiskContract(name: string, make: () => Promise<DiskUnderTest>): void {
  describe(`${name} as a Disk`, () => {
    let disk: Disk;
    let second: Disk;

    beforeEach(async () => {
      ({ disk, second } = await make());
    });

    it('creates a file of zeros and refuses a name that exists', async () => {
      const file = await create(disk, 'a', 200_000);
      expect(await promised<number>((done) => file.size(done))).toBe(200_000);
      const content = await read(file, 0, 200_000);
      expect(content.length).toBe(200_000);
      expect(content.every((byte) => byte === 0)).toBe(true);
      await expect(create(disk, 'a', 1)).rejects.toMatchObject({ code: 'DISK', systemCode: 'EEXIST' });
      await close(file);
    });

    it('writes a gather list at an offset, grows the file, and fills a gap with zeros', async () => {
      const file = await create(disk, 'a', 4);
      await write(file, 2, bytes(1), bytes(), bytes(2, 3), bytes(4));
      expect(await read(file, 0, 100)).toEqual(bytes(0, 0, 1, 2, 3, 4));
      await write(file, 8, bytes(9));
      expect(await read(file, 0, 100)).toEqual(bytes(0, 0, 1, 2, 3, 4, 0, 0, 9));
      await write(file, 0);
      expect(await read(file, 4, 2)).toEqual(bytes(3, 4));
      await close(file);
    });

    it('writes durably like it writes', async () => {
      const file = await create(disk, 'a', 2);
      await promised((done) => writeDurably(file, 1, [bytes(1), bytes(2, 3)], done));
      expect(await read(file, 0, 100)).toEqual(bytes(0, 1, 2, 3));
      await close(file);
      await expect(promised((done) => writeDurably(file, 0, [bytes(1)], done))).rejects.toBeInstanceOf(DiskError);
    });

    it('takes more buffers in one write than the system does', async () => {
      const file = await create(disk, 'a', 0);
      const many = Array.from({ length: 3000 }, (_, at) => bytes(at & 0xff, at >> 8));
      await write(file, 1, ...many);
      const content = await read(file, 1, 6000);
      expect(content).toEqual(Uint8Array.from(many.flatMap((two) => [...two])));
      await close(file);
    });

    it('reads short at the end of the file, and gives the caller an array of its own', async () => {
      const file = await create(disk, 'a', 0);
      await write(file, 0, bytes(1, 2, 3));
      expect(await read(file, 1, 10)).toEqual(bytes(2, 3));
      expect(await read(file, 3, 10)).toEqual(bytes());
      expect(await read(file, 30, 10)).toEqual(bytes());
      (await read(file, 0, 3)).fill(7);
      expect(await read(file, 0, 3)).toEqual(bytes(1, 2, 3));
      await close(file);
    });

    it('truncates, and what grows again is zero', async () => {
      const file = await create(disk, 'a', 0);
      await write(file, 0, bytes(1, 2, 3, 4));
      await promised((done) => file.truncate(2, done));
      await promised((done) => file.truncate(4, done));
      await promised((done) => file.sync(done));
      expect(await read(file, 0, 10)).toEqual(bytes(1, 2, 0, 0));
      await close(file);
    });

    it('keeps content over close and open; names are listed sorted; an unknown name is an error with that name', async () => {
      for (const each of ['b', 'c', 'a']) {
        const file = await create(disk, each, 0);
        await write(file, 0, bytes(each.charCodeAt(0)));
        await promised((done) => file.sync(done));
        await close(file);
      }
      await promised((done) => disk.syncDirectory(done));
      expect(await list(disk)).toEqual(['a', 'b', 'c']);
      const file = await open(disk, 'b');
      expect(await read(file, 0, 9)).toEqual(bytes(98));
      await close(file);
      const missing = open(disk, 'nothing-here');
      await expect(missing).rejects.toBeInstanceOf(DiskError);
      await expect(missing).rejects.toMatchObject({ systemCode: 'ENOENT' });
      await expect(missing).rejects.toThrow(/nothing-here/);
    });

    it('renames over an existing name and removes; an open file outlives its name', async () => {
      const one = await create(disk, 'one', 0);
      await write(one, 0, bytes(1));
      const two = await create(disk, 'two', 0);
      await write(two, 0, bytes(2));
      await promised((done) => disk.rename('one', 'two', done));
      expect(await list(disk)).toEqual(['two']);
      const renamed = await open(disk, 'two');
      expect(await read(renamed, 0, 9)).toEqual(bytes(1));
      await promised((done) => disk.remove('two', done));
      expect(await list(disk)).toEqual([]);
      expect(await read(renamed, 0, 9)).toEqual(bytes(1));
      expect(await read(two, 0, 9)).toEqual(bytes(2));
      await expect(promised((done) => disk.remove('two', done))).rejects.toMatchObject({ systemCode: 'ENOENT' });
      await Promise.all([one, two, renamed].map(close));
    });

    it('is locked by one at a time, does not list the lock, and is free again after release', async () => {
      const lock = await promised<DiskLock>((done) => disk.lock(done));
      const refused = promised<DiskLock>((done) => second.lock(done));
      await expect(refused).rejects.toBeInstanceOf(DirectoryLockedError);
      await expect(refused).rejects.toMatchObject({ code: 'DIRECTORY_LOCKED', directory: disk.name });
      expect(await list(disk)).toEqual([]);
      await promised((done) => lock.release(done));
      const again = await promised<DiskLock>((done) => second.lock(done));
      await promised((done) => again.release(done));
    });
  });
}
