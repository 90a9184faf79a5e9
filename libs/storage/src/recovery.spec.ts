import type { Entry } from '@app/raft';
import fc from 'fast-check';
import { CorruptLogError, ForeignLogError, LogFailedError } from './errors.js';
import { bodyStart, readFrame, sealFrame } from './frame.js';
import type { LogBatch } from './log-batch.js';
import { MemoryDisk } from './memory-disk.js';
import { segmentName } from './segment.js';
import { entry, hardState, identity } from './testing/open-log.js';
import { contentNow, mustOpen, openNow, outcomeOf, textOf, type LogContent } from './testing/sync-log.js';
import { WriteAheadLog } from './write-ahead-log.js';

const FIRST = segmentName(1);
const LAST = segmentName(2);
const small = { segmentBytesMax: 1000, preallocateBytes: 700 };

/** Twelve records of all kinds, each synced by itself, so that each but the last is proven durable by the next. */
const BATCHES: LogBatch[] = [
  { hardState: hardState(1, 'a') },
  { entries: [entry(1, 1, '')] },
  { entries: [entry(2, 1, new Uint8Array(120))] },
  { entries: [entry(3, 1, 'x'.repeat(150))] },
  { hardState: hardState(2, undefined, 1) },
  {
    entries: [
      entry(
        3,
        2,
        Uint8Array.from({ length: 200 }, (_, at) => at),
      ),
    ],
  },
  { entries: [entry(4, 2)] },
  { hardState: hardState(2, 'node-two', 3) },
  { entries: [entry(5, 2, new Uint8Array(90).fill(255))] },
  { entries: [entry(4, 2, 'replaced')] },
  { hardState: hardState(3, 'c', 3) },
  { entries: [entry(5, 3, 'the last one')] },
];

interface Stage {
  readonly content: LogContent;
  /** Where the record ends that led here; segment 1 ends before segment 2. */
  readonly segment: number;
  readonly end: number;
}

/** The small log, with everything it went through. */
function smallLog(): { disk: MemoryDisk; stages: Stage[] } {
  const disk = new MemoryDisk({ name: '/data/log' });
  const log = mustOpen(disk, small);
  const stages = [stageOf(disk, log)];
  for (const batch of BATCHES) {
    expect(outcomeOf((done) => log.append(batch, done))).toEqual({ result: undefined });
    stages.push(stageOf(disk, log));
  }
  // Not closed: nothing proves that the last record was durable.
  disk.kill();
  return { disk, stages };
}

function stageOf(disk: MemoryDisk, log: WriteAheadLog): Stage {
  const segment = disk.contentOf(LAST) ? 2 : 1;
  return { content: contentNow(log), segment, end: endOf(disk.contentOf(segmentName(segment))!) };
}

function endOf(bytes: Uint8Array): number {
  return bytes.findLastIndex((byte) => byte !== 0) + 1;
}

/** The same files on a disk of their own, one of them changed. */
function copyOf(disk: MemoryDisk, name: string, change: (bytes: Uint8Array) => Uint8Array): MemoryDisk {
  const copy = new MemoryDisk({ name: disk.name });
  for (const each of [FIRST, LAST]) {
    const bytes = disk.contentOf(each);
    if (bytes) copy.overwrite(each, each === name ? change(bytes) : bytes);
  }
  return copy;
}

function expectContent(disk: MemoryDisk, expected: LogContent): void {
  expect(contentNow(mustOpen(disk, small))).toEqual(expected);
}

const sameBytes = (one: Uint8Array | undefined, other: Uint8Array | undefined): boolean =>
  Buffer.compare(one ?? new Uint8Array(), other ?? new Uint8Array()) === 0;

/** The refusal, after which not a byte may differ; undefined if the log opens. */
function refusalOf(disk: MemoryDisk): CorruptLogError | undefined {
  const before = [FIRST, LAST].map((name) => disk.contentOf(name));
  const error = openNow(disk, small)?.error;
  if (!error) return undefined;
  if (!(error instanceof CorruptLogError)) throw error;
  const isUntouched = [FIRST, LAST].every((name, at) => sameBytes(disk.contentOf(name), before[at]));
  if (!isUntouched) throw new Error('a refused log was changed');
  return error;
}

function expectRefused(disk: MemoryDisk, file: string, offset: number): CorruptLogError {
  const error = refusalOf(disk);
  expect(error).toMatchObject({ code: 'CORRUPT_LOG', file, offset });
  expect(error!.message).toContain(`${file} at byte ${offset}`);
  return error!;
}

/** Where the records of a segment begin, and the end of the last one. */
function frameOffsets(bytes: Uint8Array): number[] {
  const offsets = [0];
  let salt = 0;
  for (let at = 0; ;) {
    const reading = readFrame(bytes, at, salt);
    if (reading.state !== 'whole') return offsets;
    if (at === 0) salt = reading.value.checksum;
    at += reading.value.frameBytes;
    offsets.push(at);
  }
}

describe('recovery of a small log of two segments', () => {
  const { disk, stages } = smallLog();
  const first = disk.contentOf(FIRST)!;
  const last = disk.contentOf(LAST)!;
  const full = stages.at(-1)!.content;

  it('has what the test needs: records in both segments, zeros behind the end', () => {
    expect(stages.filter(({ segment }) => segment === 1).length).toBeGreaterThan(4);
    expect(stages.filter(({ segment }) => segment === 2).length).toBeGreaterThan(4);
    expect(last.length).toBeGreaterThan(endOf(last) + 40);
    expectContent(
      copyOf(disk, FIRST, (bytes) => bytes),
      full,
    );
  });

  it.each(['zeros from there on', 'a shorter file'])(
    'finds exactly the longest complete prefix when the last segment is cut at any byte: %s',
    (kind) => {
      const wrong: unknown[] = [];
      const check = (cut: number, log: WriteAheadLog, expected: LogContent): void => {
        const content = contentNow(log);
        if (JSON.stringify(content) !== JSON.stringify(expected)) wrong.push({ cut, content, expected });
      };
      for (let cut = 0; cut <= last.length; cut += 1) {
        const torn = copyOf(disk, LAST, (bytes) =>
          kind === 'a shorter file' ? bytes.slice(0, cut) : bytes.fill(0, cut),
        );
        const { content } = stages.findLast(({ segment, end }) => segment === 1 || end <= cut)!;
        const log = mustOpen(torn, small);
        check(cut, log, content);
        // It goes on from there, and the record that was torn never comes back.
        const next = entry(log.lastIndex + 1, log.hardState.currentTerm, 'after the crash');
        log.append({ entries: [next] }, () => undefined);
        torn.crash({ keepUnsynced: 'none' });
        check(cut, mustOpen(torn, small), { ...content, entries: [...content.entries, textOf(next)] });
      }
      expect(wrong).toEqual([]);
    },
  );

  it('says what it cut, and cuts it for good before anything else is written', () => {
    const { end } = stages.at(-2)!;
    const torn = copyOf(disk, LAST, (bytes) => bytes.fill(0, end + 20));
    const log = mustOpen(torn, small);
    expect(log.recovery.cut).toEqual({
      file: LAST,
      offset: end,
      bytes: last.length - end,
      reason: 'the header of the record ends in zeros',
    });
    torn.crash({ keepUnsynced: 'none' });
    expect(torn.contentOf(LAST)!.length).toBe(end);
  });

  const flipped = (name: string, at: number, pattern: number): MemoryDisk =>
    copyOf(disk, name, (bytes) => {
      bytes[at]! ^= pattern;
      return bytes;
    });

  it.each([FIRST, LAST])('takes no flipped bit in %s for anything else: it refuses, naming file and offset', (name) => {
    const bytes = name === FIRST ? first : last;
    const end = endOf(bytes);
    const offsets = frameOffsets(bytes);
    const wrong: unknown[] = [];
    for (let at = 0; at < end; at += 1) {
      const offset = offsets.findLast((start) => start <= at)!;
      for (const pattern of [1, 4, 32, 128, 0xff]) {
        const refusal = refusalOf(flipped(name, at, pattern));
        if (refusal?.file !== name || refusal.offset !== offset) wrong.push({ at, pattern, refusal });
      }
    }
    expect(wrong).toEqual([]);
  });

  it.each([FIRST, LAST])('loses nothing to a flipped bit behind the end of %s', (name) => {
    const bytes = name === FIRST ? first : last;
    const end = endOf(bytes);
    const wrong: unknown[] = [];
    let opened = 0;
    for (let at = end; at < bytes.length; at += 1) {
      for (const pattern of [1, 128, 0xff]) {
        const damaged = flipped(name, at, pattern);
        const refusal = refusalOf(damaged);
        if (refusal) {
          if (refusal.file !== name || refusal.offset !== end) wrong.push({ at, pattern, refusal });
        } else {
          damaged.kill();
          const content = contentNow(mustOpen(damaged, small));
          if (JSON.stringify(content) !== JSON.stringify(full)) wrong.push({ at, pattern, content });
          opened += 1;
        }
      }
    }
    expect(wrong).toEqual([]);
    expect(opened).toBeGreaterThanOrEqual(name === LAST ? 50 : 0);
  });

  it('refuses when a record that a later one proves durable is gone, and cuts only the last, of which nothing is proven', () => {
    const offsets = frameOffsets(last);
    const outcomes: unknown[] = [];
    for (let at = 1; at < offsets.length - 1; at += 1) {
      const [from, to] = [offsets[at]!, offsets[at + 1]!];
      for (const [start, stop] of [
        [from, to],
        [from, from + 32],
        [to - 8, to],
      ] as const) {
        const refusal = refusalOf(copyOf(disk, LAST, (bytes) => bytes.fill(0, start, stop)));
        outcomes.push(refusal?.reason.includes('says that it was durable') ? refusal.offset : 'opened');
      }
    }
    const proven = offsets.slice(1, -2);
    expect(outcomes).toEqual([...proven.flatMap((start) => [start, start, start]), 'opened', 'opened', 'opened']);
    const lastIsGone = copyOf(disk, LAST, (bytes) => bytes.fill(0, offsets.at(-2)));
    expectContent(lastIsGone, stages.at(-2)!.content);
  });

  it('refuses any record gone from a segment that is not the last', () => {
    const offsets = frameOffsets(first);
    for (let at = 0; at < offsets.length - 1; at += 1) {
      const [from, to] = [offsets[at]!, offsets[at + 1]!];
      expectRefused(
        copyOf(disk, FIRST, (bytes) => bytes.fill(0, from, to)),
        FIRST,
        from,
      );
    }
  });

  it('refuses a torn header with records behind it', () => {
    const header = frameOffsets(last)[1]!;
    expectRefused(
      copyOf(disk, LAST, (bytes) => bytes.fill(0, 0, header)),
      LAST,
      0,
    );
    expectRefused(
      copyOf(disk, FIRST, (bytes) => bytes.fill(0)),
      FIRST,
      0,
    );
  });

  it('refuses a missing segment, one under a wrong name, and one of another log', () => {
    const missing = new MemoryDisk();
    missing.overwrite(FIRST, first);
    missing.overwrite(segmentName(3), last);
    const refused = openNow(missing, small)?.error;
    expect(refused).toMatchObject({ code: 'CORRUPT_LOG', file: `memory/${LAST}`, record: 'segment 2' });

    const renamed = new MemoryDisk();
    renamed.overwrite(segmentName(7), last);
    expect(openNow(renamed, small)?.error).toMatchObject({ code: 'CORRUPT_LOG', file: segmentName(7), offset: 0 });

    const other = new MemoryDisk();
    const log = mustOpen(other, { ...small, incarnation: 'another' });
    outcomeOf((done) => log.append({ hardState: hardState(1), entries: [entry(1, 1, 'x'.repeat(800))] }, done));
    outcomeOf((done) => log.append({ entries: [entry(2, 1, 'y'.repeat(800))] }, done));
    const stranger = copyOf(disk, LAST, () => other.contentOf(LAST)!);
    expect(openNow(stranger, small)?.error).toMatchObject({
      code: 'FOREIGN_LOG',
      field: 'incarnation',
      file: LAST,
      expected: 'first',
      found: 'another',
    });
  });

  it('names what is damaged, and what to do about it', () => {
    const disk = new MemoryDisk();
    const log = mustOpen(disk);
    outcomeOf((done) => log.append({ hardState: hardState(1, 'a') }, done));
    for (const index of [1, 2, 3]) outcomeOf((done) => log.append({ entries: [entry(index, 1)] }, done));
    outcomeOf((done) => log.append({ hardState: hardState(2, 'b'), entries: [entry(2, 2)] }, done));
    outcomeOf((done) => log.close(done));
    const offsets = frameOffsets(disk.contentOf(FIRST)!).slice(0, -1);
    // A byte behind the header of each record, and at last one of a header.
    const refusals = [...offsets.map((offset) => offset + 40), offsets.at(-1)! + 9].map((at) =>
      refusalOf(
        copyOf(disk, FIRST, (bytes) => {
          bytes[at]! ^= 64;
          return bytes;
        }),
      ),
    );
    expect(refusals.map((refusal) => refusal?.record)).toEqual([
      'the segment header',
      'the hard state behind entry 0',
      'entry 1',
      'entry 2',
      'entry 3',
      'the hard state behind entry 3',
      'an entry behind entry 3',
      'the seal behind entry 2',
      'the seal behind entry 2',
      'record 9, behind entry 2',
    ]);
    const { message } = new CorruptLogError('/data/n1/log/wal-1.log', 64, 'entry 17', 'why');
    expect(message).toContain('/data/n1/log/wal-1.log at byte 64, entry 17: why');
    expect(message).toContain('"raft-node --wipe --data-dir /data/n1"');
    expect(new ForeignLogError('/data/n1/log/wal-1.log', 'nodeId', 'a', 'b').message).toContain('--data-dir /data/n1"');
  });

  it('refuses a segment whose records were written in another order', () => {
    const offsets = frameOffsets(last);
    const [one, two, three] = offsets.slice(-3) as [number, number, number];
    const swapped = copyOf(disk, LAST, (bytes) => {
      bytes.set(last.subarray(two, three), one);
      bytes.set(last.subarray(one, two), one + three - two);
      return bytes;
    });
    expectRefused(swapped, LAST, one);
  });

  it.each([
    ['its number', { sequence: 1, previousChecksum: 0 }],
    ['the record that it follows', { sequence: 0, previousChecksum: 1 }],
  ])('refuses an intact record that does not belong where it is, by %s', (_name, wrong) => {
    const [salt, offset] = [readFrame(last, 0, 0), frameOffsets(last).at(-2)!];
    if (salt.state !== 'whole') throw new Error('no header');
    const stranger = copyOf(disk, LAST, (bytes) => {
      const reading = readFrame(last, offset, salt.value.checksum);
      if (reading.state !== 'whole') throw new Error('no record');
      const { body, type, sequence, syncedThrough, previousChecksum, frameBytes } = reading.value;
      bytes.fill(0, offset, offset + frameBytes).set(body, offset + bodyStart);
      sealFrame(bytes, offset, offset, salt.value.checksum, {
        type,
        bodyBytes: body.length,
        sequence: sequence + wrong.sequence,
        syncedThrough,
        previousChecksum: previousChecksum ^ wrong.previousChecksum,
      });
      return bytes;
    });
    expectRefused(stranger, LAST, offset);
  });

  it('refuses a format of later days without touching it', () => {
    const later = copyOf(disk, FIRST, (bytes) => {
      const reading = readFrame(bytes, 0, 0);
      if (reading.state !== 'whole') throw new Error('no header');
      const { body, type, sequence, syncedThrough, previousChecksum, frameBytes } = reading.value;
      body[4] = 2;
      bytes.fill(0, bodyStart + body.length, frameBytes);
      bytes.fill(0, 0, bodyStart);
      sealFrame(bytes, 0, 0, 0, { type, bodyBytes: body.length, sequence, syncedThrough, previousChecksum });
      return bytes;
    });
    const error = openNow(later, small)?.error;
    expect(error).toBeInstanceOf(ForeignLogError);
    expect(error).toMatchObject({ field: 'version', expected: '1', found: '2', file: FIRST });
  });

  it('finds out when the disk returns something else later', () => {
    const copy = copyOf(disk, LAST, (bytes) => bytes);
    const log = mustOpen(copy, small);
    const offset = frameOffsets(last).at(-2)!;
    copy.open(LAST, (_error, file) => file?.write(offset + 50, [Uint8Array.of(99)], () => undefined));
    const read = outcomeOf<readonly Entry[]>((done) => log.read(1, 3, 1 << 20, done));
    expect(read?.result?.map(textOf)).toEqual(full.entries.slice(0, 2));
    const refused = outcomeOf<readonly Entry[]>((done) => log.read(1, 6, 1 << 20, done));
    expect(refused?.error).toMatchObject({ code: 'CORRUPT_LOG', file: LAST, offset });
  });
});

describe('recovery of a new log', () => {
  const create = (): { disk: MemoryDisk; bytes: Uint8Array } => {
    const disk = new MemoryDisk();
    mustOpen(disk, small);
    disk.kill();
    return { disk, bytes: disk.contentOf(FIRST)! };
  };

  it('starts anew when the crash came while the first segment was being created', () => {
    const { bytes } = create();
    for (let cut = 0; cut < endOf(bytes); cut += 1) {
      const disk = new MemoryDisk();
      disk.overwrite(FIRST, bytes.slice().fill(0, cut));
      const log = mustOpen(disk, { ...small, incarnation: 'anew' });
      expect([cut, log.recovery.isNew, log.incarnation]).toEqual([cut, true, 'anew']);
    }
  });

  it('does not start anew in place of a log whose prefix was removed', () => {
    const { bytes } = create();
    const disk = new MemoryDisk();
    disk.overwrite(LAST, bytes.fill(0));
    expect(openNow(disk, small)?.error).toMatchObject({ code: 'CORRUPT_LOG', file: LAST, offset: 0 });
  });

  it('leaves files alone that are not its own', () => {
    const { disk } = create();
    disk.overwrite('notes.txt', Uint8Array.of(1));
    disk.overwrite('wal-12.log', Uint8Array.of(2));
    expect(mustOpen(disk, small).recovery.isNew).toBe(false);
    expect(disk.contentOf('notes.txt')).toEqual(Uint8Array.of(1));
    expect(disk.contentOf('wal-12.log')).toEqual(Uint8Array.of(2));
  });
});

describe('recovery after a power loss', () => {
  /** Bytes of all sorts, long runs of zeros among them: these look like what never arrived. */
  const data = fc
    .array(fc.tuple(fc.integer({ min: 0, max: 1800 }), fc.constantFrom(0, 0, 1, 0xa5)), { maxLength: 4 })
    .map((runs) => Uint8Array.from(runs.flatMap(([length, value]) => Array<number>(length).fill(value))));

  it('starts by itself whichever sectors of the last write arrived, with all that was synced and a prefix of the rest', () => {
    let cuts = 0;
    fc.assert(
      fc.property(
        fc.array(data, { maxLength: 4 }),
        fc.array(data, { minLength: 1, maxLength: 6 }),
        fc.infiniteStream(fc.boolean()),
        (synced, unsynced, kept) => {
          const disk = new MemoryDisk({ completions: 'queued' });
          let log: WriteAheadLog | undefined;
          openLogOn(disk, (opened) => (log = opened));
          disk.run();
          const entries = [...synced, ...unsynced].map((bytes, at) => entry(at + 1, 1, bytes));
          const acknowledged: number[] = [];
          const append = (each: Entry): void =>
            log!.append({ entries: [each] }, (error) => {
              if (!error) acknowledged.push(each.index);
            });
          log!.append({ hardState: hardState(1) }, () => undefined);
          disk.run();
          for (const each of entries.slice(0, synced.length)) {
            append(each);
            disk.run();
          }
          // The first goes out by itself, the rest as one group: its write is done, its sync is not.
          for (const each of entries.slice(synced.length)) append(each);
          while (disk.pending[0]?.kind !== 'write' || acknowledged.length < synced.length + 1) {
            if (disk.pending.length === 0) break;
            disk.step();
          }
          if (disk.pending.length > 0) disk.step();
          disk.crash({ keepUnsynced: ({ kind }) => kind !== 'sector' || kept.next().value === true });
          let again: WriteAheadLog | undefined;
          openLogOn(disk, (opened) => (again = opened));
          disk.run();
          let found: readonly Entry[] = [];
          if (again!.lastIndex > 0) {
            again!.read(1, again!.lastIndex + 1, 1 << 24, (error, result) => {
              if (error) throw error;
              found = result;
            });
            disk.run();
          }
          if (again!.recovery.cut) cuts += 1;
          expect(found.length).toBeGreaterThanOrEqual(acknowledged.length);
          expect(found.map(textOf)).toEqual(entries.slice(0, found.length).map(textOf));
        },
      ),
      { numRuns: 150 },
    );
    expect(cuts).toBeGreaterThan(25);
  });

  function openLogOn(disk: MemoryDisk, opened: (log: WriteAheadLog) => void): void {
    WriteAheadLog.open(disk, { ...identity, segmentBytesMax: 1 << 20, preallocateBytes: 4096 }, (error, log) => {
      if (error) throw error;
      opened(log);
    });
  }

  it('cuts a write that failed in the middle, wherever that was', () => {
    const wrong: unknown[] = [];
    const groupBytes = 3 * 40 + 24 + 24 + 704;
    for (let writtenBytes = 0; writtenBytes <= groupBytes; writtenBytes += 1) {
      let isFailing = false;
      const disk = new MemoryDisk({
        intercept: ({ kind }) =>
          isFailing && kind === 'write' ? { error: new Error('EIO'), writtenBytes } : undefined,
      });
      const log = mustOpen(disk, { segmentBytesMax: 4096, preallocateBytes: 100 });
      outcomeOf((done) => log.append({ hardState: hardState(1, 'me'), entries: [entry(1, 1)] }, done));
      isFailing = true;
      const batch = { entries: [entry(2, 1, ''), entry(3, 1, new Uint8Array(681).fill(1)), entry(4, 1, '')] };
      const failed = outcomeOf((done) => log.append(batch, done));
      isFailing = false;
      disk.kill();
      const again = mustOpen(disk);
      const entries = 1 + [64, 64 + 744, groupBytes].filter((end) => end <= writtenBytes).length;
      const isRight = failed?.error instanceof LogFailedError && again.lastIndex === entries;
      if (!isRight) wrong.push({ writtenBytes, found: again.lastIndex, entries });
    }
    expect(wrong).toEqual([]);
  });

  it('makes durable what it found: records that only the page cache had are not lost later', () => {
    const disk = new MemoryDisk({ completions: 'queued' });
    let log: WriteAheadLog | undefined;
    openLogOn(disk, (opened) => (log = opened));
    disk.run();
    let isAcknowledged = false;
    log!.append({ hardState: hardState(1, 'me'), entries: [entry(1, 1)] }, () => (isAcknowledged = true));
    while (disk.pending[0]?.kind !== 'sync') disk.step();
    disk.kill();
    openLogOn(disk, (opened) => (log = opened));
    disk.run();
    expect([isAcknowledged, log!.lastIndex, log!.hardState.votedFor]).toEqual([false, 1, 'me']);
    disk.crash({ keepUnsynced: 'none' });
    openLogOn(disk, (opened) => (log = opened));
    disk.run();
    expect([log!.lastIndex, log!.hardState.votedFor]).toEqual([1, 'me']);
  });

  it('writes again what a failed sync may have left in the page cache alone', () => {
    let isFailing = false;
    const disk = new MemoryDisk({
      intercept: ({ kind }) => (isFailing && kind === 'sync' ? new Error('EIO') : undefined),
    });
    const log = mustOpen(disk, small);
    outcomeOf((done) => log.append({ hardState: hardState(1, 'me'), entries: [entry(1, 1)] }, done));
    isFailing = true;
    const failed = outcomeOf((done) => log.append({ entries: [entry(2, 1)] }, done));
    expect(failed?.error).toMatchObject({ code: 'LOG_FAILED' });
    isFailing = false;
    disk.kill();
    expect(mustOpen(disk, small).lastIndex).toBe(2);
    disk.crash({ keepUnsynced: 'none' });
    expect(mustOpen(disk, small).lastIndex).toBe(2);
  });
});
