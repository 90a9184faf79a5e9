import { cp, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { CorruptStateError } from '../../errors.js';
import { crc32c } from './crc32c.js';
import { readLevelLog } from './level-log.js';
import { decompressed } from './snappy.js';
import { verifyLevel } from './verify-level.js';

jest.setTimeout(60_000);

const made: string[] = [];

async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'ringraft-level-'));
  made.push(directory);
  return directory;
}

afterAll(() => Promise.all(made.map((directory) => rm(directory, { recursive: true }))));

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'));

describe('crc32c', () => {
  // RFC 3720, B.4.
  it.each([
    ['00'.repeat(32), 0x8a9136aa],
    ['ff'.repeat(32), 0x62a8ab43],
    [Array.from({ length: 32 }, (_, i) => i.toString(16).padStart(2, '0')).join(''), 0x46dd794e],
    [Buffer.from('123456789').toString('hex'), 0xe3069283],
  ])('of %s', (bytes, checksum) => {
    const inside = hex(`abcd${bytes}ef`);
    expect(crc32c(inside, 2, inside.length - 1)).toBe(checksum);
  });
});

describe('decompressed', () => {
  it('puts literals and copies together, also copies of what they write', () => {
    // Length 15; "abcd", then 8 bytes from 4 back, then 3 from 12 back in the longer form.
    expect(Buffer.from(decompressed(hex('0f0c6162636411040a0c00'))).toString()).toBe('abcdabcdabcdabc');
    const long = 'f03b'.concat('61'.repeat(60));
    expect(Buffer.from(decompressed(hex(`3c${long}`))).toString()).toBe('a'.repeat(60));
    expect(decompressed(hex('00'))).toHaveLength(0);
  });

  it.each(['0f0c61626364', '040c616263', '050c6162636401', '0800', '080c61626364010a', 'ffffffffff7f'])(
    'refuses %s',
    (bytes) => {
      expect(() => decompressed(hex(bytes))).toThrow();
    },
  );
});

/** A closed LevelDB with tables of many blocks and a log. */
async function written(batches: number, rowsABatch: number): Promise<string> {
  const directory = await temporaryDirectory();
  const level = new ClassicLevel<string, string>(directory, { writeBufferSize: 256 * 1024 });
  await level.open();
  for (let batch = 0; batch < batches; batch += 1) {
    const chained = level.batch();
    for (let i = 0; i < rowsABatch; i += 1)
      chained.put(`a rather long key ${(i * 7919) % 5000}`, `${batch} ${i} `.repeat(20));
    await chained.write({ sync: true });
  }
  await level.close();
  return directory;
}

const logOf = async (directory: string): Promise<string> =>
  join(directory, (await readdir(directory)).filter((name) => name.endsWith('.log')).at(-1)!);

describe('verifyLevel', () => {
  it('takes what LevelDB writes, whatever its size', async () => {
    for (const [batches, rows] of [
      [0, 0],
      [1, 1],
      [20, 1],
      [3, 300],
      [12, 2000],
    ] as const) {
      const directory = await written(batches, rows);
      await expect(verifyLevel(directory, 'all')).resolves.toBeUndefined();
      // And what it makes of that when it is opened once more.
      const level = new ClassicLevel(directory);
      await level.open();
      await level.close();
      await expect(verifyLevel(directory, 'all')).resolves.toBeUndefined();
    }
  });

  it('takes a log that a crash cut off at any byte, and a batch that lacks sectors at its end', async () => {
    const directory = await written(3, 60);
    const log = await logOf(directory);
    const bytes = await readFile(log);
    const { records } = await readLevelLog(log);
    const lastAt = bytes.lastIndexOf(records.at(-1)!.subarray(0, 20)) - 7;
    const whole = (await readLevelLog(log)).records.length;
    for (let size = bytes.length - 1; size > lastAt; size -= 97) {
      await truncate(log, size);
      const cut = await readLevelLog(log);
      expect([size, cut.records.length, cut.defect?.isTorn]).toEqual([size, whole - 1, true]);
      await verifyLevel(directory, 'all');
      await writeFile(log, bytes);
    }
    const sector = Math.ceil((lastAt + 100) / 512) * 512;
    await writeFile(log, Buffer.concat([bytes.subarray(0, sector), Buffer.alloc(512), bytes.subarray(sector + 512)]));
    await verifyLevel(directory, 'all');
    await writeFile(log, Buffer.concat([bytes, Buffer.alloc(5000)]));
    await verifyLevel(directory, 'all');
  });

  it('refuses a defect with a record behind it, a hole between logs, and half a log with another behind it', async () => {
    const directory = await written(6, 60);
    const log = await logOf(directory);
    const bytes = await readFile(log);
    const { records } = await readLevelLog(log);
    expect(records.length).toBeGreaterThan(3);
    const at = (record: number): number => bytes.indexOf(records[record]!.subarray(0, 20)) - 7;
    const refused = async (content: Uint8Array, reason: RegExp): Promise<void> => {
      await writeFile(log, content);
      await expect(verifyLevel(directory, 'logs')).rejects.toThrow(CorruptStateError);
      await expect(verifyLevel(directory, 'logs')).rejects.toThrow(reason);
    };
    // A length that leads behind the file, zeros in the middle: like torn ones, but for what follows.
    const long = Buffer.from(bytes);
    long[at(records.length - 2) + 5]! |= 0x7f;
    await refused(long, /\.log: .* at byte [0-9]+/);
    const zeroed = Buffer.from(bytes).fill(0, at(1), at(2));
    await refused(zeroed, /\.log: .* at byte [0-9]+/);
    // A whole record is gone without a trace.
    const next = log.replace(/[0-9]+\.log$/, (name) => String(Number(name.slice(0, 6)) + 50).padStart(6, '0') + '.log');
    const start = Math.floor(at(2) / 32768) === 0 ? at(2) : 0;
    expect(start).toBeGreaterThan(0);
    await refused(recordsAnew(records.slice(1, 2)), /changes are missing before number [0-9]+/);
    await writeFile(next, recordsAnew(records.slice(3, 4)));
    await refused(bytes.subarray(0, at(2)), /changes are missing before number [0-9]+/);
    await writeFile(next, recordsAnew(records.slice(2, 3)));
    await writeFile(log, bytes.subarray(0, at(2)));
    await verifyLevel(directory, 'logs');
    await refused(bytes.subarray(0, at(2) + 20), /is not whole, and more follows/);
  });

  it('refuses an older manifest: its log is gone', async () => {
    const directory = await written(2, 100);
    const copy = await temporaryDirectory();
    await cp(directory, copy, { recursive: true });
    const level = new ClassicLevel(directory);
    await level.open();
    await level.close();
    const [manifest] = (await readdir(copy)).filter((name) => name.startsWith('MANIFEST-'));
    await cp(join(copy, manifest!), join(directory, manifest!));
    await cp(join(copy, 'CURRENT'), join(directory, 'CURRENT'));
    await expect(verifyLevel(directory, 'all')).rejects.toThrow(/\.log is missing/);
  });

  it('refuses a table with anything behind or before its blocks', async () => {
    const directory = await written(12, 2000);
    const name = (await readdir(directory)).find((each) => each.endsWith('.ldb'))!;
    const table = join(directory, name);
    const bytes = await readFile(table);
    for (const content of [
      Buffer.concat([bytes, bytes.subarray(-48)]),
      Buffer.concat([Buffer.alloc(1), bytes]),
      bytes.subarray(0, -1),
      bytes.subarray(0, 10),
    ]) {
      await writeFile(table, content);
      await expect(verifyLevel(directory, 'all')).rejects.toThrow(`the file ${name}: `);
    }
    await verifyLevel(directory, 'logs');
  });
});

/** As LevelDB writes small records at the start of a log. */
function recordsAnew(records: readonly Uint8Array[]): Buffer {
  return Buffer.concat(
    records.map((record) => {
      const framed = Buffer.alloc(7 + record.length);
      framed.writeUInt16LE(record.length, 4);
      framed[6] = 1;
      framed.set(record, 7);
      const crc = crc32c(framed, 6, framed.length);
      framed.writeUInt32LE((((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0, 0);
      return framed;
    }),
  );
}
