import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Row, RowChange } from '@app/kv';
import { ClassicLevel } from 'classic-level';
import { describeKeySpace } from '../../kv/src/testing/key-space-contract.js';
import { promised } from './completion.js';
import { DirectoryLockedError, StateFailedError } from './errors.js';
import { LevelKeySpace, type LevelKeySpaceOptions } from './level-key-space.js';

// Every batch waits for the disk, and on a busy machine that takes its time.
jest.setTimeout(30_000);

const made: string[] = [];

async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'ringraft-state-'));
  made.push(directory);
  return directory;
}

afterAll(() => Promise.all(made.map((directory) => rm(directory, { recursive: true }))));

describeKeySpace('LevelKeySpace', async () => {
  const directory = await temporaryDirectory();
  let current = await LevelKeySpace.open(directory);
  return {
    keySpace: current,
    reopen: async () => {
      await current.close();
      current = await LevelKeySpace.open(directory);
      return current;
    },
    close: () => current.close(),
  };
});

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const row = (key: string, value: string | undefined): RowChange => ({
  key: bytes(key),
  value: value === undefined ? undefined : bytes(value),
});
const textOf = (value: Uint8Array | undefined): string | undefined => value && new TextDecoder().decode(value);
const allRows = (space: LevelKeySpace): Promise<readonly Row[]> =>
  promised<readonly Row[]>((done) => space.scan(Uint8Array.of(), Uint8Array.of(255), 1_000_000, done));

/** Never writes by itself within a test. */
const patient: LevelKeySpaceOptions = { batchDelayMs: 3_600_000, batchBytesMax: 1e9 };

/** What a killed process leaves behind: the directory, without anything that `close` would have written. */
async function abandon(space: LevelKeySpace): Promise<void> {
  await (space as unknown as { database: ClassicLevel }).database.close();
}

describe('LevelKeySpace', () => {
  it('has rows and applied index of the same moment when its process dies between batches', async () => {
    const directory = await temporaryDirectory();
    const space = await LevelKeySpace.open(directory, patient);
    space.write([row('a', '1'), row('b', '1')], 4);
    await space.flush();
    expect(space.syncedAppliedIndex).toBe(4);
    space.write([row('a', '2'), row('b', undefined)], 6);
    expect(textOf(space.get(bytes('a')))).toBe('2');
    expect(space.get(bytes('b'))).toBeUndefined();
    expect(space.appliedIndex).toBe(6);
    expect(space.syncedAppliedIndex).toBe(4);
    await abandon(space);
    const again = await LevelKeySpace.open(directory);
    expect([again.appliedIndex, again.syncedAppliedIndex]).toEqual([4, 4]);
    expect([textOf(again.get(bytes('a'))), textOf(again.get(bytes('b')))]).toEqual(['1', '1']);
    await again.close();
  });

  it('counts as durable only what a batch brought to disk, in order, merged while one was under way', async () => {
    const space = await LevelKeySpace.open(await temporaryDirectory(), patient);
    space.write([row('a', '1')], 1);
    const first = space.flush();
    for (let index = 2; index <= 100; index += 1) space.write([row('a', `${index}`)], index);
    expect(space.pendingBytes).toBeGreaterThan(100);
    const last = space.flush();
    await first;
    expect(space.syncedAppliedIndex).toBe(1);
    expect(textOf(space.get(bytes('a')))).toBe('100');
    await last;
    expect(space.syncedAppliedIndex).toBe(100);
    expect(space.pendingBytes).toBe(0);
    expect(textOf(space.get(bytes('a')))).toBe('100');
    await space.close();
  });

  it('writes by itself, after the delay or once enough has gathered', async () => {
    for (const options of [{ batchDelayMs: 1 }, { ...patient, batchBytesMax: 1000 }]) {
      const space = await LevelKeySpace.open(await temporaryDirectory(), options);
      space.write([{ key: bytes('a'), value: new Uint8Array(2000) }], 1);
      while (space.syncedAppliedIndex < 1) await new Promise((resolve) => setImmediate(resolve));
      expect(space.pendingBytes).toBe(0);
      await space.close();
    }
  });

  it('gives values that are the caller’s to keep', async () => {
    const space = await LevelKeySpace.open(await temporaryDirectory(), patient);
    space.write([row('a', 'one')], 1);
    await space.flush();
    const value = space.get(bytes('a'))!;
    value.slice(0, 1).fill(0);
    expect(textOf(value)).toBe('one');
    value.fill(0);
    space.write([row('a', 'two')], 2);
    await space.flush();
    expect(textOf(space.get(bytes('a')))).toBe('two');
    await space.close();
  });

  it('stops for good when a batch cannot be written, and says so once', async () => {
    const failures: StateFailedError[] = [];
    const directory = await temporaryDirectory();
    const space = await LevelKeySpace.open(directory, { ...patient, onFailure: (error) => failures.push(error) });
    space.write([row('a', '1')], 1);
    await abandon(space);
    const flushed = space.flush();
    await expect(flushed).rejects.toBeInstanceOf(StateFailedError);
    expect(failures).toEqual([expect.objectContaining({ code: 'STATE_FAILED', directory })]);
    expect(() => space.write([row('a', '2')], 2)).toThrow(StateFailedError);
    expect(() => space.get(bytes('a'))).toThrow(StateFailedError);
    await expect(space.flush()).rejects.toBe(failures[0]);
    await expect(allRows(space)).rejects.toBe(failures[0]);
    await space.close();
    expect(failures.length).toBe(1);
  });

  it('is opened by one at a time', async () => {
    const directory = await temporaryDirectory();
    const space = await LevelKeySpace.open(directory);
    await expect(LevelKeySpace.open(directory)).rejects.toBeInstanceOf(DirectoryLockedError);
    await space.close();
    await (await LevelKeySpace.open(directory)).close();
  });
});
