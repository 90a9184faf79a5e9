import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promised } from './completion.js';
import type { Disk, DiskFile } from './disk.js';
import { ForgetfulDisk } from './forgetful-disk.js';
import { NodeDisk } from './node-disk.js';
import { describeDiskContract } from './testing/disk-contract.js';

const made: string[] = [];
const leakNothing = (): boolean => false;

async function onDirectory(directory: string, leaks = leakNothing): Promise<Disk> {
  return new ForgetfulDisk(await promised<NodeDisk>((done) => NodeDisk.open(directory, done)), leaks);
}

async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'ringraft-forgetful-'));
  made.push(directory);
  return directory;
}

afterAll(() => Promise.all(made.map((directory) => rm(directory, { recursive: true }))));

describeDiskContract('ForgetfulDisk', async () => {
  const directory = await temporaryDirectory();
  return { disk: await onDirectory(directory), second: await onDirectory(directory) };
});

describe('ForgetfulDisk', () => {
  const letters = Uint8Array.from({ length: 2048 }, (_, at) => 65 + Math.floor(at / 512));

  async function written(leaks = leakNothing): Promise<{ file: DiskFile; path: string }> {
    const directory = await temporaryDirectory();
    const disk = await onDirectory(directory, leaks);
    const file = await promised<DiskFile>((done) => disk.create('a', 2048, done));
    await promised((done) => file.write(0, [letters], done));
    return { file, path: join(directory, 'a') };
  }

  it('keeps from the file what was not synced, and shows it to its own process', async () => {
    const { file, path } = await written();
    expect((await readFile(path)).every((byte) => byte === 0)).toBe(true);
    expect(await promised<Uint8Array>((done) => file.read(500, 30, done))).toEqual(letters.subarray(500, 530));
    await promised((done) => file.truncate(600, done));
    expect(await promised<number>((done) => file.size(done))).toBe(600);
    expect((await readFile(path)).length).toBe(2048);
    await promised((done) => file.sync(done));
    expect(new Uint8Array(await readFile(path))).toEqual(letters.subarray(0, 600));
    await promised((done) => file.close(done));
  });

  it('carries down with a sync what was written before it was called', async () => {
    const { file, path } = await written();
    const synced = promised((done) => file.sync(done));
    await promised((done) => file.write(2048, [Uint8Array.of(1)], done));
    await synced;
    expect(new Uint8Array(await readFile(path))).toEqual(letters);
    await promised((done) => file.sync(done));
    expect((await readFile(path)).length).toBe(2049);
    await promised((done) => file.close(done));
  });

  it('lets single sectors through', async () => {
    let sector = 0;
    const { file, path } = await written(() => sector++ % 2 === 1);
    const content = await readFile(path);
    expect([0, 512, 1024, 1536].map((at) => content[at])).toEqual([0, 66, 0, 68]);
    await promised((done) => file.close(done));
  });
});
