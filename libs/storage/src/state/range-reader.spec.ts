import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { textOf, utf8 } from '../testing/state-fixture.js';
import { RangeReader } from './range-reader.js';
import { StateDatabase, type LevelSnapshot } from './state-database.js';
import { storedKeyOf } from './stored-row.js';

jest.setTimeout(60_000);

const KIBIBYTE = 1024;
const ROWS = 3_000;
const nothing: Uint8Array = Uint8Array.of();
const name = (i: number): string => `k${String(i).padStart(5, '0')}`;

describe('RangeReader', () => {
  let directory: string;
  let database: StateDatabase;
  let snapshot: LevelSnapshot;
  let reader: RangeReader;
  let iterators: jest.SpyInstance;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'ringraft-ranges-'));
    database = await StateDatabase.create(join(directory, 'db'), {
      writeBufferBytes: 4096 * KIBIBYTE,
      cacheBytes: 1024 * KIBIBYTE,
    });
    await database.write(
      Array.from({ length: ROWS }, (_, i) => [storedKeyOf(utf8(name(i))), new Uint8Array(8 * KIBIBYTE)] as const),
    );
    snapshot = database.snapshot();
  });
  afterAll(async () => {
    await snapshot.close();
    await database.close();
    await rm(directory, { recursive: true });
  });
  beforeEach(() => {
    reader = new RangeReader(database, snapshot);
    iterators = jest.spyOn(database, 'pages');
  });
  afterEach(async () => {
    await reader.close();
    iterators.mockRestore();
  });

  async function namesOf(bytesMax: number, from = nothing, count = Infinity): Promise<string[]> {
    const names: string[] = [];
    let next: Uint8Array | undefined = from;
    for (let i = 0; i < count && next !== undefined; i++) {
      const { rows, to } = await reader.range(next, bytesMax);
      names.push(...rows.map(({ key }) => textOf(key)!));
      next = to;
    }
    return names;
  }

  it('reads everything once, whatever the size of a range, with few iterators', async () => {
    const all = Array.from({ length: ROWS }, (_, i) => name(i));
    for (const bytesMax of [1, 50 * KIBIBYTE, 128 * KIBIBYTE, 20_000 * KIBIBYTE]) {
      iterators.mockClear();
      expect(await namesOf(bytesMax)).toEqual(all);
      // 23.5 MiB: a new one after each 8, so that no table is kept for long.
      expect(iterators.mock.calls.length).toBeLessThanOrEqual(3);
      expect(iterators.mock.calls.length).toBeGreaterThanOrEqual(2);
    }
  });

  it('goes anywhere', async () => {
    expect(await namesOf(1, utf8(name(10)), 2)).toEqual([name(10), name(11)]);
    expect(await namesOf(1, utf8(name(12)), 1)).toEqual([name(12)]);
    expect(await namesOf(1, utf8(name(5)), 2)).toEqual([name(5), name(6)]);
    expect(await namesOf(1, utf8(name(ROWS - 1)))).toEqual([name(ROWS - 1)]);
    expect(await namesOf(1, utf8('z'))).toEqual([]);
  });

  it('begins anew after it was closed in the middle', async () => {
    expect(await namesOf(1, nothing, 3)).toEqual([0, 1, 2].map(name));
    await reader.close();
    await reader.close();
    expect(await namesOf(1, nothing, 2)).toEqual([0, 1].map(name));
    expect(iterators).toHaveBeenCalledTimes(2);
  });
});
