import type { Row } from '@app/kv';
import { bytesOfRow, keyAfter } from '../state/state-range.js';
import { utf8 } from '../testing/state-fixture.js';
import { CorruptBackupError } from './backup-format.js';
import type { BackupHeader } from './backup-header.js';
import { readBackup, type BackupPart } from './read-backup.js';
import { writeBackup } from './write-backup.js';

const header: BackupHeader = {
  clusterId: 'c1',
  index: 42,
  term: 3,
  revision: 17,
  logTimeMs: 1_700_000_000_000,
  contentHash: '00000000000000ff',
  historyHash: 'ff00000000000000',
  members: ['n1', 'n2', 'n3'],
  version: '1.0.0',
  createdAtMs: 1_700_000_000_001,
};

const rows: Row[] = ['a', 'aa', 'b', 'c', 'd'].map((key, i) => ({ key: utf8(key), value: utf8('v'.repeat(3 * i)) }));

function snapshotOf(all: readonly Row[]) {
  return {
    range(from: Uint8Array, bytesMax: number) {
      const left = all.filter(({ key }) => Buffer.compare(key, from) >= 0);
      let bytes = 0;
      const count = left.findIndex((row) => (bytes += bytesOfRow(row)) >= bytesMax) + 1 || left.length;
      const to = count < left.length ? keyAfter(left[count - 1]!.key) : undefined;
      return Promise.resolve({ from, to, rows: left.slice(0, count), digest: new Uint8Array(0) });
    },
  };
}

async function fileOf(all: readonly Row[], blockRowBytes = 24): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeBackup(header, snapshotOf(all), blockRowBytes)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size));
}

async function partsOf(bytes: Uint8Array, size = 1_000): Promise<BackupPart[]> {
  const parts: BackupPart[] = [];
  for await (const part of readBackup(inPieces(bytes, size))) parts.push(part);
  return parts;
}

describe('a backup', () => {
  it.each([1, 7, 1_000])('gives back header and rows, whatever pieces it comes in (%i bytes)', async (size) => {
    const bytes = await fileOf(rows);
    const parts = await partsOf(bytes, size);
    expect(parts[0]).toEqual({ kind: 'header', header });
    expect(parts.filter((part) => part.kind === 'rows').length).toBeGreaterThan(1);
    expect(parts.flatMap((part) => (part.kind === 'rows' ? part.rows : []))).toEqual(rows);
    expect(parts.at(-1)).toMatchObject({ kind: 'end', rowCount: rows.length, bytes: bytes.length });
  });

  it('may have no rows', async () => {
    expect((await partsOf(await fileOf([]))).map(({ kind }) => kind)).toEqual(['header', 'end']);
  });

  it('is refused when any bit of any byte is another one', async () => {
    const bytes = await fileOf(rows);
    for (let at = 0; at < bytes.length; at += 1) {
      for (const bit of [1, 16, 128]) {
        const damaged = Uint8Array.from(bytes);
        damaged[at]! ^= bit;
        const error: unknown = await partsOf(damaged).catch((reason: unknown) => reason);
        expect(error).toBeInstanceOf(CorruptBackupError);
        expect((error as CorruptBackupError).offset).toBeLessThanOrEqual(at);
      }
    }
  });

  it('is refused when it is cut off anywhere', async () => {
    const bytes = await fileOf(rows);
    for (let length = 0; length < bytes.length; length += 1) {
      await expect(partsOf(bytes.subarray(0, length))).rejects.toThrow(CorruptBackupError);
    }
  });

  it('is refused when something follows it, and says where', async () => {
    const bytes = await fileOf(rows);
    await expect(partsOf(Buffer.concat([bytes, utf8('x')]))).rejects.toMatchObject({ offset: bytes.length });
  });

  it('is refused when a block is left out', async () => {
    const whole = await fileOf(rows, 1);
    const chunks: Uint8Array[] = [];
    for await (const chunk of writeBackup(header, snapshotOf(rows), 1)) chunks.push(chunk);
    expect(Buffer.concat(chunks)).toEqual(whole);
    await expect(partsOf(Buffer.concat(chunks.filter((_, i) => i !== 3)))).rejects.toThrow(CorruptBackupError);
  });

  it('is refused when its keys do not rise', async () => {
    const twice = {
      range: () => Promise.resolve({ from: utf8(''), to: undefined, rows: [rows[2]!, rows[1]!], digest: utf8('') }),
    };
    const chunks: Uint8Array[] = [];
    for await (const chunk of writeBackup(header, twice)) chunks.push(chunk);
    await expect(partsOf(Buffer.concat(chunks))).rejects.toThrow('its key does not lie behind the one before');
  });
});
