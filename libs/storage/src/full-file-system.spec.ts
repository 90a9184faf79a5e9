import { cp, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promised } from './completion.js';
import { NodeDisk } from './node-disk.js';
import { segmentNumber } from './segment.js';
import { closeLog, contentOf, entry, hardState, openLog } from './testing/open-log.js';
import { mountSmallFileSystem } from './testing/small-file-system.js';
import type { WriteAheadLog } from './write-ahead-log.js';

// On a busy machine the disk takes its time.
jest.setTimeout(60_000);

const MEBIBYTE = 1024 * 1024;
const fileSystem = mountSmallFileSystem(8);
const root = fileSystem?.directory ?? '';
const onSmallFileSystem = fileSystem ? describe : describe.skip;

afterAll(() => fileSystem?.unmount());

const large = (index: number): ReturnType<typeof entry> => entry(index, 1, new Uint8Array(40_000).fill(index));

onSmallFileSystem('a log on a real file system that is full', () => {
  const ballast = join(root, 'ballast');
  const elsewhere: string[] = [];
  let directory: string;
  let log: WriteAheadLog;
  let acknowledged: number;
  let failures: Error[];
  let wake: () => void = () => undefined;

  const openIn = async (path: string): Promise<WriteAheadLog> => {
    const disk = await promised<NodeDisk>((done) => NodeDisk.open(path, done));
    return openLog(disk, {
      segmentBytesMax: MEBIBYTE,
      preallocateBytes: 300_000,
      observer: { onWriteEnd: () => wake(), onFull: () => wake() },
    });
  };
  const until = async (isSo: () => boolean): Promise<void> => {
    while (!isSo()) {
      await new Promise<void>((resolve) => {
        wake = () => setImmediate(resolve);
      });
    }
  };
  const append = (index: number): void =>
    log.append({ entries: [large(index)] }, (error) => {
      if (error) failures.push(error);
      else acknowledged = index;
    });

  beforeEach(async () => {
    for (const name of await readdir(root)) await rm(join(root, name), { recursive: true });
    await writeFile(ballast, new Uint8Array(4 * MEBIBYTE));
    directory = join(root, 'log');
    acknowledged = 0;
    failures = [];
    log = await openIn(directory);
    log.append({ hardState: hardState(1, 'me') }, () => undefined);
    for (let index = 1; !log.isFull; index += 1) {
      append(index);
      await until(() => acknowledged === index || log.isFull);
    }
  });

  afterAll(() => Promise.all(elsewhere.map((path) => rm(path, { recursive: true }))));

  it('waits, serves what it has, and goes on when something else makes space', async () => {
    const stored = acknowledged;
    expect([stored > 40, log.lastIndex, failures]).toEqual([true, stored + 1, []]);
    append(stored + 2);
    log.retry();
    await until(() => log.isFull);
    const found = await promised<readonly unknown[]>((done) => log.read(1, stored + 1, 64 * MEBIBYTE, done));
    expect(found.length).toBe(stored);
    await rm(ballast);
    log.retry();
    await until(() => acknowledged === stored + 2);
    expect([log.isFull, log.failure]).toEqual([false, undefined]);
    const content = await contentOf(log);
    await closeLog(log);
    log = await openIn(directory);
    expect(log.recovery.isSealed).toBe(true);
    expect(await contentOf(log)).toEqual(content);
    await closeLog(log);
  });

  it('goes on when it makes space itself', async () => {
    const stored = acknowledged;
    await promised((done) => log.removePrefix(stored, done));
    expect(log.base.index).toBeGreaterThan(0);
    log.retry();
    await until(() => acknowledged === stored + 1);
    await closeLog(log);
  });

  it('leaves, if its process dies, what a start takes for a torn tail', async () => {
    const stored = acknowledged;
    log.retry();
    await until(() => log.isFull);
    const copy = await mkdtemp(join(tmpdir(), 'ringraft-copy-'));
    elsewhere.push(copy);
    const segments = (await readdir(directory)).filter((name) => segmentNumber(name) !== undefined);
    for (const name of segments) await cp(join(directory, name), join(copy, name));
    const found = await openIn(copy);
    expect([stored, stored + 1]).toContain(found.lastIndex);
    expect((await contentOf(found)).entries.length).toBe(found.lastIndex);
    await closeLog(found);
    await closeLog(log);
  });

  it('ends when it is closed, and starts again where there is space for its lock', async () => {
    const stored = acknowledged;
    await closeLog(log);
    expect(failures.map((error) => error.name)).toEqual(['LogFailedError']);
    await writeFile(join(root, 'rest'), new Uint8Array(8 * MEBIBYTE)).catch(() => undefined);
    await expect(openIn(directory)).rejects.toMatchObject({ code: 'DISK', operation: 'lock' });
    await rm(join(root, 'rest'));
    await rm(ballast);
    log = await openIn(directory);
    expect([stored, stored + 1]).toContain(log.lastIndex);
    await closeLog(log);
  });
});
