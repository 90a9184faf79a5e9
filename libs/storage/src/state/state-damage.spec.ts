import { randomFillSync } from 'node:crypto';
import { cp, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { ClassicLevel } from 'classic-level';
import { CorruptStateError } from '../errors.js';
import { applied, patient, row, rowsOf, utf8 } from '../testing/state-fixture.js';
import { verifyLevel } from './level/verify-level.js';
import { decodePointer } from './state-pointer.js';
import { StateStore } from './state-store.js';
import { sealed, storedKeyOf } from './stored-row.js';

jest.setTimeout(120_000);

const made: string[] = [];

async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'ringraft-state-'));
  made.push(directory);
  return directory;
}

afterAll(() => Promise.all(made.map((directory) => rm(directory, { recursive: true }))));

type Rows = Record<string, string>;

/** A closed state of several tables, compressed and not, and a log that holds several batches, one of them in several blocks. */
async function grown(): Promise<{ directory: string; states: Map<number, Rows> }> {
  const directory = await temporaryDirectory();
  const store = await StateStore.open(directory, { ...patient, writeBufferBytes: 64 * 1024 });
  const states = new Map<number, Rows>();
  const rows: Rows = {};
  for (let index = 1; index <= 14; index += 1) {
    const changes = Array.from({ length: 100 }, (_, i) => {
      const value = i % 2 === 0 ? `${index} `.repeat(60) : randomFillSync(Buffer.alloc(60)).toString('hex');
      return row(`key ${(index * 37 + i * 11) % 400}`, i % 10 === 9 ? undefined : value);
    });
    // The last ones fit into one log.
    for (const { key, value } of index > 12 ? changes.slice(0, 20) : changes) {
      const name = Buffer.from(key).toString();
      if (value === undefined) delete rows[name];
      else rows[name] = Buffer.from(value).toString();
    }
    applied(store, index > 12 ? changes.slice(0, 20) : changes, index);
    await store.flush();
    states.set(index, { ...rows });
  }
  await store.close();
  return { directory, states };
}

async function flip(path: string, offset: number, mask: number): Promise<void> {
  const file = await open(path, 'r+');
  try {
    const byte = new Uint8Array(1);
    await file.read(byte, 0, 1, offset);
    byte[0]! ^= mask;
    await file.write(byte, 0, 1, offset);
  } finally {
    await file.close();
  }
}

const isTable = (name: string): boolean => name.endsWith('.ldb');

/** Of a copy: a start changes the files. */
async function opened(directory: string): Promise<Error | { appliedIndex: number; rows: Rows }> {
  const pointer = decodePointer(await readFile(join(directory, 'pointer'), 'latin1'));
  try {
    if (pointer) await verifyLevel(join(directory, pointer.current), 'all');
  } catch (error) {
    return error as Error;
  }
  const copy = await temporaryDirectory();
  await cp(directory, copy, { recursive: true });
  try {
    const store = await StateStore.open(copy, patient);
    const rows = await rowsOf(store);
    await store.close();
    return { appliedIndex: store.appliedIndex, rows };
  } catch (error) {
    return error as Error;
  }
}

function verdictOf(name: string, outcome: Awaited<ReturnType<typeof opened>>, states: Map<number, Rows>): string {
  if (outcome instanceof Error) {
    const isNamed = /pointer|CURRENT|MANIFEST-|\.ldb|\.log/.test(outcome.message);
    return outcome instanceof CorruptStateError && isNamed ? 'found' : outcome.message;
  }
  // What the last batch lost can look as if it had been cut off; the log repeats it.
  const isKnown = outcome.appliedIndex === 14 || (name.endsWith('.log') && outcome.appliedIndex === 13);
  const isWhole = isDeepStrictEqual(outcome.rows, states.get(outcome.appliedIndex));
  return isKnown && isWhole ? 'harmless' : `wrong at ${outcome.appliedIndex}`;
}

describe('a changed byte', () => {
  it('in any file of the state is found at the start, with the file’s name, or changes nothing', async () => {
    const { directory, states } = await grown();
    const files = ['pointer', ...(await readdir(join(directory, 'db-1'))).map((name) => `db-1/${name}`)].filter(
      (name) => !/LOCK|LOG/.test(name),
    );
    const kinds = files.map((name) => name.replace(/[0-9]+/g, ''));
    expect(kinds.filter((kind) => kind === 'db-/.ldb').length).toBeGreaterThan(1);
    expect(kinds).toEqual(expect.arrayContaining(['pointer', 'db-/CURRENT', 'db-/.log', 'db-/MANIFEST-']));
    let foundInTables = 0;
    for (const name of files) {
      const size = (await readFile(join(directory, name))).length;
      const step = Math.max(1, Math.floor(size / 100));
      let found = 0;
      let count = 0;
      for (let offset = 0; offset < size; offset += step) {
        count += 1;
        await flip(join(directory, name), offset, 1 << (count % 8));
        const outcome = await opened(directory);
        await flip(join(directory, name), offset, 1 << (count % 8));
        const verdict = verdictOf(name, outcome, states);
        expect([name, offset, verdict]).toEqual([name, offset, expect.stringMatching(/^(found|harmless)$/)]);
        if (verdict === 'found') found += 1;
      }
      // All but lengths and paddings at the very end. A table may be left over from a compaction: nobody reads that one.
      const isTable = name.endsWith('.ldb');
      if (isTable) foundInTables += found;
      expect([name, isTable || found > 0.9 * count]).toEqual([name, true]);
    }
    expect(foundInTables).toBeGreaterThan(90);
  });

  it.each(['.ldb', '.log', 'MANIFEST-', 'CURRENT'])('is as bad as a file that is gone: %s', async (kind) => {
    const { directory } = await grown();
    const name = (await readdir(join(directory, 'db-1'))).find((each) => each.includes(kind))!;
    await rm(join(directory, 'db-1', name));
    await expect(StateStore.open(directory)).rejects.toThrow(CorruptStateError);
    await expect(StateStore.open(directory)).rejects.toThrow(`${name} is missing`);
    await rm(join(directory, 'db-1'), { recursive: true });
    await expect(StateStore.open(directory)).rejects.toThrow(CorruptStateError);
  });

  it('in a value that is read from a table is never given out', async () => {
    const directory = await temporaryDirectory();
    const failures: Error[] = [];
    const store = await StateStore.open(directory, {
      ...patient,
      writeBufferBytes: 64 * 1024,
      cacheBytes: 0,
      onFailure: (error) => failures.push(error),
    });
    const value = randomFillSync(new Uint8Array(100_000));
    applied(store, [{ key: utf8('large'), value }, row('small', '1')], 1);
    await store.flush();
    // Larger than the buffer, so the next batch has it written to a table.
    applied(store, [row('other', '1')], 2);
    await store.flush();
    const names = (): Promise<string[]> => readdir(join(directory, 'db-1'));
    // Its log is removed once the table is in use.
    while ((await names()).filter((name) => name.endsWith('.log')).length > 1 || !(await names()).some(isTable)) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    const table = (await names()).find(isTable)!;
    const offset = (await readFile(join(directory, 'db-1', table))).indexOf(value.subarray(50_000, 50_020));
    await flip(join(directory, 'db-1', table), offset, 16);
    const snapshot = await store.snapshot();
    await expect(snapshot.range(Uint8Array.of(), 1e9)).rejects.toThrow(/key 016c61726765\b/);
    expect(() => store.get(utf8('large'))).toThrow(CorruptStateError);
    expect(() => store.get(utf8('small'))).toThrow(CorruptStateError);
    await expect(rowsOf(store)).rejects.toBeInstanceOf(CorruptStateError);
    await new Promise((resolve) => setImmediate(resolve));
    expect(failures).toEqual([expect.objectContaining({ code: 'CORRUPT_STATE', directory: join(directory, 'db-1') })]);
    await snapshot.close();
    await store.close();
    await expect(StateStore.open(directory)).rejects.toThrow(`${table}: the checksum of the block at byte`);
  });
});

describe('a row whose checksum does not match, though LevelDB’s own do', () => {
  async function tampered(change: (level: ClassicLevel<Uint8Array, Uint8Array>) => Promise<void>): Promise<string> {
    const directory = await temporaryDirectory();
    const store = await StateStore.open(directory, patient);
    applied(store, [row('a', '1'), row('b', '1'), row('c', '1')], 1);
    await store.close();
    const level = new ClassicLevel<Uint8Array, Uint8Array>(join(directory, 'db-1'), {
      keyEncoding: 'view',
      valueEncoding: 'view',
    });
    await change(level);
    await level.close();
    return directory;
  }

  it('ends the store when it is got, scanned or sent, and says which one it is and what to do', async () => {
    const directory = await tampered((level) =>
      level.put(storedKeyOf(utf8('b')), sealed(storedKeyOf(utf8('a')), utf8('1'))),
    );
    const uses: ((store: StateStore) => unknown)[] = [
      (store) => store.get(utf8('b')),
      (store) => rowsOf(store),
      async (store) => (await store.snapshot()).range(Uint8Array.of(), 1e9),
    ];
    for (const use of uses) {
      const failures: Error[] = [];
      const store = await StateStore.open(directory, { ...patient, onFailure: (error) => failures.push(error) });
      expect(Buffer.from(store.get(utf8('a'))!).toString()).toBe('1');
      const error = (await Promise.resolve(store)
        .then(use)
        .catch((cause: unknown) => cause)) as Error;
      expect(error).toBeInstanceOf(CorruptStateError);
      expect(error.message).toContain(`the state in ${join(directory, 'db-1')} is damaged`);
      expect(error.message).toMatch(/checksum of a row does not match, key 0162\b.*raft-node --wipe/);
      expect(() => store.get(utf8('a'))).toThrow(error);
      await new Promise((resolve) => process.nextTick(resolve));
      expect(failures).toEqual([error]);
      await store.close();
    }
  });

  it('stops the start if it is the description, or of a format that is not known', async () => {
    for (const value of [Uint8Array.of(1, 2, 3), sealed(Uint8Array.of(0), new Uint8Array(40).fill(9))]) {
      const directory = await tampered((level) => level.put(Uint8Array.of(0), value));
      await expect(StateStore.open(directory)).rejects.toThrow(/the checksum of the description|the description/);
    }
  });
});

describe('a staged state that was damaged', () => {
  it('is thrown away', async () => {
    const directory = await temporaryDirectory();
    const store = await StateStore.open(directory, patient);
    const staged = await store.stage();
    await staged.put({
      from: utf8('a'),
      to: undefined,
      rows: [{ key: utf8('a'), value: utf8('1') }],
      digest: Uint8Array.of(),
    });
    await staged.close();
    await writeFile(join(directory, 'db-2', 'CURRENT'), 'MANIFEST-999999\n');
    const again = await store.stage();
    expect(again.isPartial).toBe(false);
    await store.close();
  });
});
