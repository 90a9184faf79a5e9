import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { mkdtemp, readdir, readFile, readlink, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promised } from './completion.js';
import type { DiskFile, DiskLock } from './disk.js';
import { NodeDisk, type NodeDiskOptions } from './node-disk.js';
import { describeDiskContract } from './testing/disk-contract.js';

// On a busy machine the disk takes its time.
jest.setTimeout(30_000);

const made: string[] = [];

async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'ringraft-disk-'));
  made.push(directory);
  return directory;
}

afterAll(() => Promise.all(made.map((directory) => rm(directory, { recursive: true }))));

const openDisk = (directory: string, options?: NodeDiskOptions): Promise<NodeDisk> =>
  promised<NodeDisk>((done) => NodeDisk.open(directory, done, options));

/** `O_DSYNC` if the descriptor that this process has of the file has it, else 0. */
async function syncFlagOf(path: string): Promise<number> {
  for (const descriptor of await readdir('/proc/self/fd')) {
    const target = await readlink(`/proc/self/fd/${descriptor}`).catch(() => '');
    if (target !== path) continue;
    const flags = /^flags:\s*(\d+)$/m.exec(await readFile(`/proc/self/fdinfo/${descriptor}`, 'utf8'))![1]!;
    return Number.parseInt(flags, 8) & constants.O_DSYNC;
  }
  throw new Error(`${path} is not open`);
}

for (const syncsWrites of [true, false]) {
  describeDiskContract(`NodeDisk ${syncsWrites ? 'with' : 'without'} synced writes`, async () => {
    const directory = await temporaryDirectory();
    return { disk: await openDisk(directory, { syncsWrites }), second: await openDisk(directory, { syncsWrites }) };
  });
}

const onLinux = process.platform === 'linux' ? describe : describe.skip;

onLinux('NodeDisk on Linux', () => {
  it('opens its files so that every write is synced', async () => {
    const directory = await temporaryDirectory();
    const disk = await openDisk(directory);
    const path = join(directory, 'file');
    const created = await promised<DiskFile>((done) => disk.create('file', 10, done));
    expect(await syncFlagOf(path)).toBe(constants.O_DSYNC);
    await promised((done) => created.close(done));
    const opened = await promised<DiskFile>((done) => disk.open('file', done));
    expect(await syncFlagOf(path)).toBe(constants.O_DSYNC);
    await promised((done) => opened.close(done));
  });
});

describe('NodeDisk', () => {
  it('makes its directory with all those above', async () => {
    const directory = join(await temporaryDirectory(), 'a', 'b', 'c');
    await openDisk(directory);
    expect((await stat(directory)).isDirectory()).toBe(true);
  });

  it('is refused while another process holds the lock, and free once that process was killed', async () => {
    const directory = await temporaryDirectory();
    const disk = await openDisk(directory);
    const classicLevel = createRequire(join(process.cwd(), 'package.json')).resolve('classic-level');
    const holder = spawn(
      process.execPath,
      [
        '-e',
        `const { ClassicLevel } = require(${JSON.stringify(classicLevel)});
         new ClassicLevel(${JSON.stringify(join(directory, 'lock'))}).open().then(() => console.log('locked'));
         setInterval(() => {}, 1000);`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const exited = once(holder, 'exit');
    await once(holder.stdout, 'data');
    await expect(promised<DiskLock>((done) => disk.lock(done))).rejects.toMatchObject({
      code: 'DIRECTORY_LOCKED',
      directory,
    });
    holder.kill('SIGKILL');
    await exited;
    const lock = await promised<DiskLock>((done) => disk.lock(done));
    await promised((done) => lock.release(done));
  });
});
