import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promised } from './completion.js';
import type { DiskLock } from './disk.js';
import { NodeDisk } from './node-disk.js';
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

const openDisk = (directory: string): Promise<NodeDisk> => promised<NodeDisk>((done) => NodeDisk.open(directory, done));

describeDiskContract('NodeDisk', async () => {
  const directory = await temporaryDirectory();
  return { disk: await openDisk(directory), second: await openDisk(directory) };
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
