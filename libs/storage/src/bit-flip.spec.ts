import { CorruptLogError } from './errors.js';
import { readFrame } from './frame.js';
import type { LogBatch } from './log-batch.js';
import { MemoryDisk } from './memory-disk.js';
import { RecordType } from './record.js';
import { segmentName } from './segment.js';
import { entry, hardState } from './testing/open-log.js';
import { contentNow, mustOpen, openNow, outcomeOf, type LogContent } from './testing/sync-log.js';

const limits = { segmentBytesMax: 1400, preallocateBytes: 300 };

/** One bit, another one for each byte, and a pattern of several. */
const masksAt = (offset: number): number[] => [1 << (offset % 8), 0x5a];

interface RecordOnDisk {
  readonly file: string;
  readonly offset: number;
  readonly bytes: number;
  /** The record is in the group that was written and synced last. */
  readonly isInLastGroup: boolean;
}

interface LogOnDisk {
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly content: LogContent;
  readonly records: readonly RecordOnDisk[];
  isSeal(file: string, offset: number): boolean;
}

/** A log of such batches, each of them a group of its own; sealed if it ended well. */
function logOf(batches: readonly LogBatch[], end: 'closed' | 'killed'): LogOnDisk {
  const disk = new MemoryDisk();
  const log = mustOpen(disk, limits);
  for (const batch of batches) outcomeOf((done) => log.append(batch, done));
  const content = contentNow(log);
  if (end === 'closed') log.close(() => undefined);
  else disk.kill();
  const files = new Map<string, Uint8Array>();
  const records: Omit<RecordOnDisk, 'isInLastGroup'>[] = [];
  const groups: string[] = [];
  const seals = new Set<string>();
  for (let segment = 1; disk.contentOf(segmentName(segment)); segment += 1) {
    const file = segmentName(segment);
    const bytes = disk.contentOf(file)!;
    files.set(file, bytes);
    for (let [offset, salt] = [0, 0]; ;) {
      const reading = readFrame(bytes, offset, salt);
      if (reading.state !== 'whole') break;
      const { frameBytes, checksum, syncedThrough, type } = reading.value;
      if (type === RecordType.Seal) seals.add(`${file} ${offset}`);
      if (offset === 0) salt = checksum;
      records.push({ file, offset, bytes: frameBytes });
      groups.push(`${segment} ${syncedThrough}`);
      offset += frameBytes;
    }
  }
  return {
    files,
    content,
    records: records.map((record, at) => ({ ...record, isInLastGroup: groups[at] === groups.at(-1) })),
    isSeal: (file, offset) => seals.has(`${file} ${offset}`),
  };
}

/** What a start makes of the log with such a byte: a refusal of the right place, the content, or what is wrong. */
function startWith(log: LogOnDisk, file: string, offset: number, mask: number): LogContent | CorruptLogError {
  return startAfter(log, (disk) => disk.flip(file, offset, mask));
}

function startAfter({ files }: LogOnDisk, damage: (disk: MemoryDisk) => void): LogContent | CorruptLogError {
  const disk = new MemoryDisk();
  for (const [name, bytes] of files) disk.overwrite(name, bytes);
  damage(disk);
  const opened = openNow(disk, limits);
  if (opened?.error instanceof CorruptLogError) return opened.error;
  if (!opened?.result) throw opened?.error ?? new Error('no answer');
  return contentNow(opened.result);
}

const many: LogBatch[] = [
  { hardState: hardState(1, 'a') },
  ...[1, 4, 7, 10].map((index) => ({
    entries: [
      entry(index, 1, 'x'.repeat(60)),
      entry(index + 1, 1, new Uint8Array(30)),
      // Sectors of the body that hold nothing, or a single bit.
      entry(index + 2, 1, new Uint8Array(index === 4 ? 1100 : 10).fill(1, 600, 601)),
    ],
  })),
  {
    entries: [
      entry(13, 1, 'in the last group'),
      entry(14, 1, new Uint8Array(1100).fill(1, 700, 701)),
      entry(15, 1, ''),
    ],
  },
];

describe.each([
  ['of several segments', many],
  ['of one record', many.slice(0, 1)],
  ['without records', []],
])('one byte of a log %s that changes later', (_name, batches) => {
  const log = logOf(batches, 'killed');
  const flips = log.records.flatMap((record) =>
    Array.from({ length: record.bytes }, (_, at) => {
      const offset = record.offset + at;
      return { record, offset, was: log.files.get(record.file)![offset]! };
    }),
  );

  it('has what the test needs', () => {
    expect(log.files.size).toBe(batches.length > 1 ? 4 : 1);
    expect(log.records.filter(({ isInLastGroup }) => isInLastGroup).length).toBe(batches.length > 1 ? 2 : 1);
  });

  it('is refused where its record is, in whatever record, unless the byte turns into zero', () => {
    const wrong: unknown[] = [];
    for (const { record, offset, was } of flips) {
      for (const mask of masksAt(offset)) {
        if ((was ^ mask) === 0) continue;
        const found = startWith(log, record.file, offset, mask);
        const isRefused =
          found instanceof CorruptLogError && found.file === record.file && found.offset === record.offset;
        if (!isRefused) wrong.push({ record, offset, was, mask, found });
      }
    }
    expect(wrong).toEqual([]);
  });

  it('is refused also when it turns into zero, if a later sync follows; else it may look like what a power loss tore off', () => {
    const wrong: unknown[] = [];
    let refused = 0;
    let cut = 0;
    for (const { record, offset, was } of flips) {
      if (was === 0) continue;
      const found = startWith(log, record.file, offset, was);
      if (found instanceof CorruptLogError) refused += 1;
      else if (record.isInLastGroup) cut += 1;
      else wrong.push({ record, offset, was, found });
    }
    expect(wrong).toEqual([]);
    expect(refused).toBeGreaterThan(batches.length > 1 ? 800 : 40);
    // The last byte of a header, the last byte of a record, the only byte that a sector holds: of each record of the last group.
    expect(cut).toBe(batches.length > 1 ? 5 : 2);
  });

  it('loses nothing behind the last record', () => {
    const wrong: unknown[] = [];
    for (const [file, bytes] of log.files) {
      const end = log.records.findLast((record) => record.file === file)!;
      for (let offset = end.offset + end.bytes; offset < bytes.length; offset += 1) {
        for (const mask of masksAt(offset)) {
          const found = startWith(log, file, offset, mask);
          const isSame = JSON.stringify(found) === JSON.stringify(log.content);
          if (!(found instanceof CorruptLogError) && !isSame) wrong.push({ file, offset, mask, found });
        }
      }
    }
    expect(wrong).toEqual([]);
  });
});

describe.each([
  ['of several segments', many],
  ['of one record', many.slice(0, 1)],
  ['whose last record ends a sector', [{ hardState: hardState(1, 'a'), entries: [entry(1, 1, new Uint8Array(231))] }]],
  ['without records', []],
])('a sealed log %s', (_name, batches) => {
  const log = logOf(batches, 'closed');
  const last = [...log.files.keys()].at(-1)!;
  const lastBytes = log.files.get(last)!;

  /** What a start says that is neither a refusal nor the whole log. */
  const lossIn = (found: LogContent | CorruptLogError): unknown =>
    found instanceof CorruptLogError || JSON.stringify(found) === JSON.stringify(log.content) ? undefined : found;

  it('loses nothing in silence to a byte that changes, whatever it becomes', () => {
    const wrong: unknown[] = [];
    let refused = 0;
    // What lies in earlier segments was proven before: of those the other tests speak.
    for (let offset = 0; offset < lastBytes.length; offset += 1) {
      for (const mask of [1, 2, 4, 8, 16, 32, 64, 128, 0xff, lastBytes[offset]!]) {
        if (mask === 0) continue;
        const found = startWith(log, last, offset, mask);
        if (lossIn(found)) wrong.push({ offset, mask, found });
        if (found instanceof CorruptLogError) refused += 1;
      }
    }
    expect(wrong).toEqual([]);
    expect(refused).toBeGreaterThan(400);
  });

  it('loses nothing in silence to zeros within any sector, or instead of all of it', () => {
    const wrong: unknown[] = [];
    for (const [file, bytes] of log.files) {
      for (let sector = 0; sector < bytes.length; sector += 512) {
        for (const [from, to] of [
          [0, 512],
          [0, 256],
          [0, 32],
          [256, 512],
          [480, 512],
        ] as const) {
          const found = startAfter(log, (disk) =>
            disk.overwrite(file, bytes.slice().fill(0, sector + from, sector + to)),
          );
          if (lossIn(found)) wrong.push({ file, sector, from, to, found });
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  it('is refused when its last record is gone, or the end of it', () => {
    const record = log.records.findLast(({ file, offset }) => file === last && !log.isSeal(file, offset))!;
    const end = record.offset + record.bytes;
    for (const from of [record.offset, record.offset + 31, end - 8, end - 1]) {
      const found = startAfter(log, (disk) => disk.overwrite(last, lastBytes.slice().fill(0, from, end)));
      expect(found).toMatchObject({ code: 'CORRUPT_LOG', file: last, offset: record.offset });
    }
  });
});
