import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { promised } from './completion.js';
import { DirectoryLockedError, WipeUnfinishedError } from './errors.js';
import { NodeDisk } from './node-disk.js';
import { appendTo, closeLog, entry, hardState, openLog } from './testing/open-log.js';
import { WIPE_MARKER } from './wipe-marker.js';
import { wipeDirectory, wipeInSteps, type WipeSummary } from './wipe.js';
import type { WriteAheadLog } from './write-ahead-log.js';

// On a busy machine the disk takes its time.
jest.setTimeout(60_000);

const made: string[] = [];

afterAll(() => Promise.all(made.map((directory) => rm(directory, { recursive: true }))));

async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'ringraft-wipe-'));
  made.push(directory);
  return directory;
}

async function openLogIn(directory: string, incarnation: string): Promise<WriteAheadLog> {
  const disk = await promised<NodeDisk>((done) => NodeDisk.open(join(directory, 'log'), done));
  return openLog(disk, { segmentBytesMax: 2000, preallocateBytes: 500, incarnation });
}

const wipe = (directory: string): Promise<WipeSummary> =>
  promised<WipeSummary>((done) => wipeDirectory(directory, done));

/** A data directory with a log of several segments, two states and their pointer, and things of others. */
async function dataDirectory(entries = 20, databases = ['db-1', 'db-2', 'lock']): Promise<string> {
  const directory = await temporaryDirectory();
  const log = await openLogIn(directory, 'old');
  await appendTo(log, { hardState: hardState(3, 'me') });
  for (let index = 1; index <= entries; index += 1)
    await appendTo(log, { entries: [entry(index, 3, 'x'.repeat(300))] });
  await closeLog(log);
  for (const name of databases) {
    const database = new ClassicLevel(join(directory, 'state', name));
    await database.open();
    await database.put('key', 'value');
    await database.close();
  }
  await writeFile(join(directory, 'state', 'pointer'), 'which one counts');
  await writeFile(join(directory, 'quarantine.json'), '{}');
  return directory;
}

const filesIn = async (directory: string): Promise<string[]> =>
  (await readdir(directory, { recursive: true, withFileTypes: true }))
    .filter((each) => each.isFile())
    .map((each) => join(each.parentPath, each.name).slice(directory.length + 1))
    .sort();

describe('wiping a data directory', () => {
  it('leaves what starts as a new node, and nothing of the old one', async () => {
    const directory = await dataDirectory();
    const before = (await filesIn(directory)).filter((name) => !name.startsWith('log/lock/'));
    expect(before.filter((name) => name.startsWith('log/wal-')).length).toBeGreaterThan(3);
    expect(await wipe(directory)).toEqual({ removedFiles: before.length, kept: [] });
    expect((await filesIn(directory)).filter((name) => !name.startsWith('log/lock/'))).toEqual([]);
    expect(await readdir(directory)).toEqual(['log']);
    const log = await openLogIn(directory, 'new');
    expect([log.recovery.isNew, log.incarnation, log.lastIndex, log.hardState]).toEqual([true, 'new', 0, hardState(0)]);
    await closeLog(log);
  });

  it("touches nothing that is not Ringraft's, and says what that is", async () => {
    const directory = await dataDirectory();
    const strange = [
      'notes.txt',
      'log/notes.txt',
      'log/wal-1.log',
      'state/notes.txt',
      'state/db-1/notes.txt',
      'state/mine/CURRENT',
    ];
    await mkdir(join(directory, 'state', 'mine'));
    for (const name of strange) await writeFile(join(directory, name), 'mine');
    const { kept } = await wipe(directory);
    expect([...kept].sort()).toEqual(
      ['log/notes.txt', 'log/wal-1.log', 'state/db-1/notes.txt', 'state/mine', 'state/notes.txt'].map((name) =>
        join(directory, name),
      ),
    );
    const left = (await filesIn(directory)).filter((name) => !name.startsWith('log/lock/'));
    expect(left).toEqual([...strange].sort());
  });

  it('removes a state of the layout before this one, and what the node has noted', async () => {
    const directory = await temporaryDirectory();
    const database = new ClassicLevel(join(directory, 'state'));
    await database.open();
    await database.close();
    await writeFile(join(directory, 'quarantine.json'), '{}');
    await wipe(directory);
    expect(await readdir(directory)).toEqual(['log']);
    await writeFile(join(directory, 'quarantine.json'), '{}');
    expect(await wipe(directory)).toEqual({ removedFiles: 1, kept: [] });
    expect(new WipeUnfinishedError(directory).message).toContain(`raft-node --wipe --data-dir ${directory}`);
  });

  it('makes nothing where there is nothing', async () => {
    const directory = await temporaryDirectory();
    expect(await wipe(directory)).toEqual({ removedFiles: 0, kept: [] });
    expect(await wipe(join(directory, 'missing'))).toEqual({ removedFiles: 0, kept: [] });
    expect(await readdir(directory)).toEqual([]);
  });

  it('is refused while a node runs there, and changes nothing then', async () => {
    const directory = await dataDirectory();
    const log = await openLogIn(directory, 'other');
    const before = await filesIn(directory);
    await expect(wipe(directory)).rejects.toBeInstanceOf(DirectoryLockedError);
    expect(await filesIn(directory)).toEqual(before);
    expect(log.lastIndex).toBe(20);
    await closeLog(log);
  });

  it('that ends anywhere leaves the old node, or none until it was repeated', async () => {
    const template = await dataDirectory(5, ['db-1']);
    const outcomes: string[] = [];
    for (let at = 0; ; at += 1) {
      const directory = await temporaryDirectory();
      await cp(template, directory, { recursive: true });
      let step = 0;
      const cutOff = wipeInSteps(directory, () => {
        if (step === at) throw new Error('cut off');
        step += 1;
      });
      const isDone = await cutOff.then(
        () => true,
        () => false,
      );
      if (isDone) break;
      const isStateWhole = (await filesIn(directory)).filter((name) => name.startsWith('state/')).length;
      const started = await openLogIn(directory, 'new').catch((error: Error) => error);
      if (started instanceof Error) {
        outcomes.push(started.message === new WipeUnfinishedError(directory).message ? 'refused' : started.message);
      } else {
        outcomes.push(`${started.lastIndex} ${started.incarnation} ${isStateWhole > 0 ? 'with' : 'without'} state`);
        await closeLog(started);
      }
      await wipe(directory);
      expect((await filesIn(directory)).filter((name) => !name.startsWith('log/lock/'))).toEqual([]);
    }
    // The mark is the first thing that comes and the last that goes; only its removal still has to be made durable.
    expect(outcomes.filter((each) => each !== 'refused')).toEqual(['5 old with state', '0 new without state']);
    expect(outcomes[0]).toBe('5 old with state');
    expect(outcomes.at(-1)).toBe('0 new without state');
    expect(outcomes.length).toBeGreaterThan(15);
  });

  it('syncs the mark before anything goes, and everything before the mark goes', async () => {
    const directory = await dataDirectory();
    const steps: string[] = [];
    await wipeInSteps(directory, (step) => steps.push(step.replace(`${directory}/`, '')));
    expect(steps.slice(0, 2)).toEqual([`create ${WIPE_MARKER}`, 'sync log']);
    expect(steps.slice(-3)).toEqual(['sync log', `remove log/${WIPE_MARKER}`, 'sync log']);
    const lastOf = (prefix: string): number => steps.findLastIndex((step) => step.startsWith(prefix));
    expect(lastOf('remove state/db-2')).toBeLessThan(steps.indexOf('sync state/db-2'));
    expect(lastOf('remove state/')).toBeLessThan(steps.indexOf('sync state'));
    expect(lastOf('rmdir state')).toBeLessThan(steps.indexOf(`sync ${directory}`));
    expect(steps.indexOf(`sync ${directory}`)).toBeLessThan(steps.findIndex((step) => step.startsWith('remove log/')));
  });
});
