import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promised } from './completion.js';
import { MemoryDisk } from './memory-disk.js';
import { NodeDisk } from './node-disk.js';
import { describeLogContract } from './testing/log-contract.js';

// On a busy machine the disk takes its time.
jest.setTimeout(30_000);

const made: string[] = [];

afterAll(() => Promise.all(made.map((directory) => rm(directory, { recursive: true }))));

describeLogContract('MemoryDisk', () => Promise.resolve(new MemoryDisk()));

describeLogContract('NodeDisk', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'ringraft-log-'));
  made.push(directory);
  return promised<NodeDisk>((done) => NodeDisk.open(directory, done));
});
