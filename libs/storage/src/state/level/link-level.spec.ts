import { randomFillSync } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { CorruptStateError } from '../../errors.js';
import { linkLevel } from './link-level.js';
import { readVersion, verifyLevel } from './verify-level.js';

jest.setTimeout(60_000);

type Level = ClassicLevel<string, Uint8Array>;

const WRITE_BUFFER_BYTES = 1024 * 1024;
const made: string[] = [];

async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'ringraft-link-'));
  made.push(directory);
  return directory;
}

afterAll(() => Promise.all(made.map((directory) => rm(directory, { recursive: true }))));

async function opened(directory: string): Promise<Level> {
  const level: Level = new ClassicLevel(directory, { valueEncoding: 'view', writeBufferSize: WRITE_BUFFER_BYTES });
  await level.open();
  return level;
}

/** Overwrites rows all over the database, so that what it writes is compacted, too. */
async function overwrite(level: Level, rows: Map<string, Uint8Array>, batches: number): Promise<void> {
  for (let batch = 0; batch < batches; batch += 1) {
    const chained = level.batch();
    for (let i = 0; i < 32; i += 1) {
      const key = `key ${Math.floor(Math.random() * 1500)}`;
      const value = randomFillSync(new Uint8Array(4000));
      rows.set(key, value);
      chained.put(key, value);
    }
    await chained.write({ sync: batch % 8 === 0 });
  }
}

async function rowsOtherThan(level: Level, rows: Map<string, Uint8Array>): Promise<string[]> {
  const others: string[] = [];
  for (const [key, value] of rows) {
    const found = await level.get(key);
    if (found === undefined || Buffer.compare(found, value) !== 0) others.push(key);
  }
  return others;
}

async function unnamedTablesIn(directory: string): Promise<string[]> {
  const { tables } = await readVersion(directory);
  return (await readdir(directory)).filter((name) => name.endsWith('.ldb') && !tables.has(Number.parseInt(name, 10)));
}

/** As often as it takes: what the first database compacts meanwhile makes an attempt fail. */
async function linkedAndOpened(from: string): Promise<{ directory: string; level: Level }> {
  for (;;) {
    const directory = await temporaryDirectory();
    try {
      await linkLevel(from, directory);
      await verifyLevel(directory, 'logs');
    } catch (error) {
      const isOvertaken = error instanceof CorruptStateError || (error as NodeJS.ErrnoException).code === 'ENOENT';
      if (isOvertaken) continue;
      throw error;
    }
    return { directory, level: await opened(directory) };
  }
}

describe('linkLevel', () => {
  it('shares tables and logs, copies what the first one goes on writing, and takes nothing else', async () => {
    const from = await temporaryDirectory();
    const level = await opened(from);
    await overwrite(level, new Map(), 40);
    await level.close();
    for (const name of ['999999.ldb', '000001.log', '000007.dbtmp', 'MANIFEST-000001']) {
      await writeFile(join(from, name), name, { flag: 'wx' });
    }
    const to = await temporaryDirectory();
    await linkLevel(from, to);
    await verifyLevel(to, 'all');
    const names = await readdir(to);
    // A compaction that was cut short leaves such tables, too.
    const others = ['000001.log', '000007.dbtmp', 'MANIFEST-000001', 'LOCK', 'LOG', ...(await unnamedTablesIn(from))];
    expect(others).toContain('999999.ldb');
    expect(names.sort()).toEqual((await readdir(from)).filter((name) => !others.includes(name)).sort());
    const isShared = async (name: string): Promise<boolean> =>
      (await stat(join(from, name))).ino === (await stat(join(to, name))).ino;
    for (const name of names) expect([name, await isShared(name)]).toEqual([name, /\.(ldb|log)$/.test(name)]);
    expect(names.filter((name) => name.endsWith('.ldb')).length).toBeGreaterThan(1);
  });

  it('rejects when a file is gone that the manifest names', async () => {
    for (const kind of ['ldb', 'log']) {
      const from = await temporaryDirectory();
      const level = await opened(from);
      await overwrite(level, new Map(), 40);
      await level.close();
      const { tables, logNumber } = await readVersion(from);
      const gone = `${String(kind === 'log' ? logNumber : [...tables][0]).padStart(6, '0')}.${kind}`;
      await rm(join(from, gone));
      const to = await temporaryDirectory();
      const linked = linkLevel(from, to).then(() => verifyLevel(to, 'logs'));
      await expect(linked).rejects.toThrow(new RegExp(`${gone} is missing`));
    }
  });

  it('makes two databases of one that is still flushing and compacting, and neither harms the other', async () => {
    for (let round = 0; round < 4; round += 1) {
      const from = join(await temporaryDirectory(), 'first');
      await mkdir(from);
      const first = await opened(from);
      const rows = new Map<string, Uint8Array>();
      // Until it has files that the manifest does not name yet.
      do await overwrite(first, rows, 1);
      while ((await unnamedTablesIn(from)).length === 0);
      const { directory, level: second } = await linkedAndOpened(from);
      expect([round, await rowsOtherThan(second, rows)]).toEqual([round, []]);
      expect([round, await rowsOtherThan(first, rows)]).toEqual([round, []]);
      const later = new Map(rows);
      await overwrite(second, later, 20);
      expect([round, await rowsOtherThan(second, later)]).toEqual([round, []]);
      expect([round, await rowsOtherThan(first, rows)]).toEqual([round, []]);
      await Promise.all([first.close(), second.close()]);
      await Promise.all([verifyLevel(from, 'all'), verifyLevel(directory, 'all')]);
    }
  });
});

it('a file under the number of the next table stays as it is', async () => {
  const from = await temporaryDirectory();
  const level = await opened(from);
  const rows = new Map<string, Uint8Array>();
  await overwrite(level, rows, 20);
  await level.close();
  const last = Math.max(...(await readdir(from)).map((name) => Number(/[0-9]{6}/.exec(name)?.[0] ?? 0)));
  const unfinished = Array.from({ length: 8 }, (_, i) => `${String(last + 1 + i).padStart(6, '0')}.ldb`);
  for (const name of unfinished) await writeFile(join(from, name), `half of ${name}`);
  const { level: second } = await linkedAndOpened(from);
  for (const name of unfinished) expect(await readFile(join(from, name), 'latin1')).toBe(`half of ${name}`);
  expect(await rowsOtherThan(second, rows)).toEqual([]);
  await second.close();
});
