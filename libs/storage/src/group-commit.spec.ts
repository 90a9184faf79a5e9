import { LogFailedError } from './errors.js';
import { MemoryDisk, type DiskOperation } from './memory-disk.js';
import { segmentName } from './segment.js';
import { entry, hardState, identity } from './testing/open-log.js';
import { WriteAheadLog, type WriteAheadLogOptions } from './write-ahead-log.js';

function openQueued(disk: MemoryDisk, options: Partial<WriteAheadLogOptions> = {}): WriteAheadLog {
  let opened: WriteAheadLog | undefined;
  WriteAheadLog.open(disk, { ...identity, ...options }, (error, log) => {
    if (error) throw error;
    opened = log;
  });
  disk.run();
  return opened!;
}

const kinds = (disk: MemoryDisk): string[] => disk.pending.map(({ kind }) => kind);

describe('group commit', () => {
  it('puts everything that queued up during one write and sync into the next, and completes only after the sync', () => {
    const disk = new MemoryDisk({ completions: 'queued' });
    const syncs: [number, number][] = [];
    const log = openQueued(disk, { observer: { onSync: (records, bytes) => syncs.push([records, bytes]) } });
    const completed: number[] = [];
    const append = (index: number): void => log.append({ entries: [entry(index, 1)] }, () => completed.push(index));
    log.append({ hardState: hardState(1) }, () => completed.push(0));
    for (let index = 1; index <= 20; index += 1) append(index);
    expect(kinds(disk)).toEqual(['write']);
    disk.step();
    expect(kinds(disk)).toEqual(['sync']);
    expect(completed).toEqual([]);
    disk.step();
    expect(completed).toEqual([0]);
    expect(kinds(disk)).toEqual(['write']);
    disk.step();
    append(21);
    expect(completed).toEqual([0]);
    expect(log.pendingBytes).toBeGreaterThan(21 * 40);
    disk.step();
    expect(completed).toEqual(Array.from({ length: 21 }, (_, at) => at));
    disk.run();
    expect(completed.at(-1)).toBe(21);
    expect(syncs.map(([records]) => records)).toEqual([1, 20, 1]);
    expect(log.pendingBytes).toBe(0);
  });

  it('says when a write with its sync, or a new segment, begins and ends: one at a time, also when it fails', () => {
    const told: string[] = [];
    let isFailing = false;
    const disk = new MemoryDisk({
      completions: 'queued',
      intercept: ({ kind }) => (isFailing && kind === 'sync' ? new Error('EIO') : undefined),
    });
    const observer = {
      onWriteStart: () => told.push('start'),
      onWriteEnd: (isDurable: boolean) => told.push(isDurable ? 'end' : 'failed'),
      onSync: () => told.push('sync'),
      onSegments: () => told.push('segments'),
    };
    const log = openQueued(disk, { segmentBytesMax: 600, preallocateBytes: 100, observer });
    const append = (index: number): void =>
      log.append({ hardState: hardState(1), entries: [entry(index, 1, new Uint8Array(300))] }, () => told.push('done'));
    append(1);
    expect(told).toEqual(['start']);
    disk.step();
    expect(told.splice(0)).toEqual(['start']);
    disk.run();
    expect(told.splice(0)).toEqual(['end', 'sync', 'done']);
    append(2);
    disk.run();
    const written = ['start', 'end', 'sync'];
    expect(told.splice(0)).toEqual(['start', 'end', 'segments', ...written, 'done']);
    log.seal(() => told.push('sealed'));
    disk.run();
    expect(told.splice(0)).toEqual([...written, 'sealed']);
    isFailing = true;
    append(3);
    disk.run();
    expect(told.slice(-3)).toEqual(['start', 'failed', 'done']);
  });

  it('gathers what completions append into one group', () => {
    const disk = new MemoryDisk({ completions: 'queued' });
    const syncs: number[] = [];
    const log = openQueued(disk, { observer: { onSync: (records) => syncs.push(records) } });
    log.append({ hardState: hardState(1) }, () => undefined);
    let next = 3;
    for (const index of [1, 2]) {
      log.append({ entries: [entry(index, 1)] }, () => {
        log.append({ entries: [entry(next, 1)] }, () => undefined);
        next += 1;
      });
    }
    disk.run();
    expect(syncs).toEqual([1, 2, 2]);
    expect(log.lastIndex).toBe(4);
  });

  it('bounds a group by bytes, and completes an empty batch with the one before it', () => {
    const disk = new MemoryDisk({ completions: 'queued' });
    const syncs: number[] = [];
    const log = openQueued(disk, { groupBytesMax: 1000, observer: { onSync: (records) => syncs.push(records) } });
    const completed: string[] = [];
    log.append({ hardState: hardState(1) }, () => undefined);
    const entries = Array.from({ length: 10 }, (_, at) => entry(at + 1, 1, new Uint8Array(300)));
    log.append({ entries }, () => completed.push('entries'));
    log.append({}, () => completed.push('empty'));
    disk.run();
    expect(syncs).toEqual([1, 2, 2, 2, 2, 2]);
    expect(completed).toEqual(['entries', 'empty']);
    log.append({}, () => completed.push('nothing to wait for'));
    expect(completed.at(-1)).toBe('nothing to wait for');
  });

  it('reads only what is durable, and lets the rest wait', () => {
    const disk = new MemoryDisk({ completions: 'queued' });
    const log = openQueued(disk);
    log.append({ hardState: hardState(1), entries: [entry(1, 1), entry(2, 1)] }, () => undefined);
    disk.run();
    log.append({ entries: [entry(3, 1)] }, () => undefined);
    const read: string[] = [];
    const note = (from: number, to: number): void =>
      log.read(from, to, 1 << 20, (error, entries) => {
        read.push(error ? error.message : entries.map(({ index, term }) => `${index}/${term}`).join(' '));
      });
    note(1, 4);
    note(3, 4);
    while (kinds(disk).includes('read')) disk.step(kinds(disk).indexOf('read'));
    expect(read).toEqual(['1/1 2/1']);
    disk.run();
    expect(read).toEqual(['1/1 2/1', '3/1']);
    // What waits to be replaced is not read any more; what takes its place is.
    log.append({ hardState: hardState(2), entries: [entry(2, 2)] }, () => undefined);
    note(2, 3);
    disk.run();
    expect(read.at(-1)).toBe('2/2');
  });

  it('leaves nothing of an earlier write in a later one', () => {
    const disk = new MemoryDisk();
    const log = openQueued(disk, { preallocateBytes: 4096 });
    log.append({ hardState: hardState(1), entries: [entry(1, 1, new Uint8Array(500).fill(0xee))] }, () => undefined);
    log.append({ entries: [entry(2, 1, ''), entry(3, 1, 'abc')] }, () => undefined);
    disk.run();
    const bytes = disk.contentOf(segmentName(1))!;
    const end = bytes.findLastIndex((byte) => byte !== 0) + 1;
    // The last three bytes of data, the padding of the body, and then the trailer.
    expect([...bytes.subarray(end - 15, end - 8)]).toEqual([...Buffer.from('abc'), 0, 0, 0, 0]);
  });

  it('keeps a segment readable for a read that began before it was removed', () => {
    const disk = new MemoryDisk({ completions: 'queued' });
    const log = openQueued(disk, { segmentBytesMax: 400, preallocateBytes: 100 });
    log.append({ hardState: hardState(1) }, () => undefined);
    const entries = Array.from({ length: 10 }, (_, at) => entry(at + 1, 1, new Uint8Array(100)));
    log.append({ entries }, () => undefined);
    disk.run();
    let found: number | undefined;
    log.read(1, 2, 1, (error, some) => {
      found = error ? -1 : some[0]!.index;
    });
    log.removePrefix(8, () => undefined);
    const position = kinds(disk).indexOf('read');
    while (disk.pending.length > position + 1) disk.step(position + 1);
    while (log.base.index === 0) disk.step(1);
    expect(found).toBeUndefined();
    disk.run();
    expect(found).toBe(1);
    expect(log.base.index).toBeGreaterThan(3);
  });
});

describe('a reset', () => {
  const tiny = { segmentBytesMax: 400, preallocateBytes: 100 };
  const large = (index: number, term: number): ReturnType<typeof entry> => entry(index, term, new Uint8Array(100));

  /** Ten entries in several segments, durable. */
  function filled(disk: MemoryDisk, options = tiny): WriteAheadLog {
    const log = openQueued(disk, options);
    log.append({ hardState: hardState(1, 'a') }, () => undefined);
    log.append({ entries: Array.from({ length: 10 }, (_, at) => large(at + 1, 1)) }, () => undefined);
    log.append({ hardState: hardState(1, 'a', 4) }, () => undefined);
    disk.run();
    return log;
  }

  it('completes after all that was appended before, and before all that was appended behind it', () => {
    const disk = new MemoryDisk({ completions: 'queued' });
    const log = filled(disk);
    const completed: string[] = [];
    const note = (name: string) => (error: Error | undefined) =>
      completed.push(error ? `${name}: ${error.message}` : name);
    log.append({ entries: [large(11, 1), large(12, 1), large(13, 1)] }, note('before'));
    log.reset({ index: 50, term: 2 }, hardState(2, 'b', 4), note('reset'));
    log.append({ entries: [large(51, 2), large(52, 2)] }, note('behind'));
    log.reset({ index: 52, term: 2 }, undefined, note('again'));
    log.append({ entries: [large(53, 2)] }, note('last'));
    log.close(note('closed'));
    disk.run();
    expect(completed).toEqual(['before', 'reset', 'behind', 'again', 'last', 'closed']);
    const reopened = openQueued(disk, tiny);
    expect([reopened.base, reopened.lastIndex, reopened.hardState]).toEqual([
      { index: 52, term: 2 },
      53,
      hardState(2, 'b', 52),
    ]);
  });

  it('lets a read wait for the new entry, ends one that waits for an old one, and completes one that began before', () => {
    const disk = new MemoryDisk({ completions: 'queued' });
    const log = filled(disk);
    const read: string[] = [];
    const note = (name: string, from: number): void =>
      log.read(from, from + 1, 1, (error, entries) => {
        read.push(`${name} ${error ? error.name : entries.map(({ index, term }) => `${index}/${term}`).join()}`);
      });
    log.append({ entries: [large(11, 1), large(12, 1)] }, () => undefined);
    note('began', 3);
    note('waits', 11);
    note('waits above', 12);
    log.reset({ index: 11, term: 1 }, undefined, () => undefined);
    note('after', 11);
    log.append({ entries: [large(12, 1), large(13, 1)] }, () => undefined);
    note('new', 13);
    const isChange = (kind: string): boolean => kind !== 'read';
    while (kinds(disk).some(isChange)) disk.step(kinds(disk).findIndex(isChange));
    expect(read).not.toContain('began 3/1');
    disk.run();
    expect(read.sort()).toEqual([
      'after IndexCompactedError',
      'began 3/1',
      'new 13/1',
      'waits IndexCompactedError',
      'waits above 12/1',
    ]);
  });

  it('holds removals back: under way, waiting, and called while it waits itself', () => {
    const disk = new MemoryDisk({ completions: 'queued' });
    const log = filled(disk);
    const completed: string[] = [];
    const note = (name: string) => (error: Error | undefined) => completed.push(error ? error.name : name);
    log.removePrefix(3, note('under way'));
    log.removePrefix(4, note('waiting'));
    log.reset({ index: 8, term: 1 }, undefined, note('reset'));
    log.append({ entries: [large(9, 1), large(10, 1), large(11, 1), large(12, 1)] }, note('append'));
    log.removePrefix(10, note('later'));
    expect(log.base.index).toBe(8);
    disk.run();
    expect(completed.length).toBe(5);
    expect(completed.slice(0, 1)).toEqual(['reset']);
    expect(completed.filter((name) => name !== 'reset' && name !== 'append')).toEqual([
      'under way',
      'waiting',
      'later',
    ]);
    expect(log.base.index).toBe(10);
    expect(log.lastIndex).toBe(12);
    expect(log.sizeBytes).toBeLessThan(1000);
  });

  it('has the last word over a removal that is under way', () => {
    const disk = new MemoryDisk({ completions: 'queued' });
    const log = filled(disk, { segmentBytesMax: 1200, preallocateBytes: 100 });
    log.removePrefix(9, () => undefined);
    expect(kinds(disk)).toEqual(['remove']);
    log.reset({ index: 5, term: 1 }, undefined, () => undefined);
    disk.run();
    expect([log.base, log.lastIndex]).toEqual([{ index: 5, term: 1 }, 5]);
  });

  it.each(['create', 'write', 'sync', 'syncDirectory', 'remove'] as const)(
    'that fails in a %s fails the log, and everything that waits',
    (kind) => {
      let isFailing = false;
      const disk: MemoryDisk = new MemoryDisk({
        completions: 'queued',
        intercept: (operation) => (isFailing && operation.kind === kind ? new Error('EIO') : undefined),
      });
      const log = filled(disk);
      isFailing = true;
      const outcomes: (string | undefined)[] = [];
      const note = (error: Error | undefined): void => void outcomes.push(error?.name);
      log.reset({ index: 20, term: 1 }, hardState(2, 'b', 20), note);
      log.append({ entries: [large(21, 2)] }, note);
      log.removePrefix(20, note);
      log.close(note);
      disk.run();
      isFailing = false;
      expect(outcomes.length).toBe(4);
      expect(outcomes[0]).toBe(kind === 'remove' ? undefined : 'LogFailedError');
      expect(outcomes).toContain('LogFailedError');
      disk.kill();
      const { base, lastIndex, hardState: found } = openQueued(disk, tiny);
      const isNew = base.index === 20;
      expect([base.index, lastIndex >= 20]).toEqual(isNew ? [20, true] : [0, false]);
      expect([1, 2].slice(isNew ? 1 : 0)).toContain(found.currentTerm);
      expect(found.votedFor).toBe(found.currentTerm === 1 ? 'a' : 'b');
      expect(found.commitIndex).toBe(isNew ? 20 : 4);
    },
  );
});

describe('a removal', () => {
  it('may be called by the completion of another', () => {
    const disk = new MemoryDisk({ completions: 'queued' });
    const log = openQueued(disk, { segmentBytesMax: 400, preallocateBytes: 100 });
    log.append({ hardState: hardState(1) }, () => undefined);
    const entries = Array.from({ length: 10 }, (_, at) => entry(at + 1, 1, new Uint8Array(100)));
    log.append({ entries }, () => undefined);
    disk.run();
    const outcomes: unknown[] = [];
    log.removePrefix(3, (first) => {
      log.removePrefix(6, (second) => outcomes.push(first, second));
    });
    disk.run();
    expect(outcomes).toEqual([undefined, undefined]);
    expect(log.base.index).toBeGreaterThan(3);
    expect(log.failure).toBeUndefined();
  });
});

describe('after the first failure', () => {
  it.each(['write', 'sync', 'create', 'syncDirectory'] as const)(
    'of a %s the log takes no more, whatever works later',
    (kind) => {
      let isFailing = false;
      const disk: MemoryDisk = new MemoryDisk({
        completions: 'queued',
        intercept: (operation: DiskOperation) => (isFailing && operation.kind === kind ? new Error('EIO') : undefined),
      });
      const log = openQueued(disk, { segmentBytesMax: 2000, preallocateBytes: 500 });
      const outcomes: (string | undefined)[] = [];
      const note = (error: Error | undefined): void => {
        outcomes.push(error && (error as LogFailedError).code);
      };
      log.append({ hardState: hardState(1), entries: [entry(1, 1)] }, note);
      disk.run();
      isFailing = true;
      for (const index of [2, 3, 4]) log.append({ entries: [entry(index, 1, new Uint8Array(1500))] }, note);
      disk.run();
      isFailing = false;
      const failedAt = outcomes.indexOf('LOG_FAILED');
      expect(outcomes.slice(0, failedAt).every((code) => code === undefined)).toBe(true);
      expect(outcomes.length).toBe(4);
      expect(outcomes.slice(failedAt)).toEqual(Array(4 - failedAt).fill('LOG_FAILED'));
      expect(log.failure).toBeInstanceOf(LogFailedError);
      log.append({ entries: [entry(5, 1)] }, note);
      log.read(1, 2, 1, (error, _entries) => note(error));
      log.removePrefix(1, note);
      expect(outcomes.slice(-3)).toEqual(['LOG_FAILED', 'LOG_FAILED', 'LOG_FAILED']);
      let isClosed = false;
      log.close((error) => {
        isClosed = !error;
      });
      disk.run();
      expect(isClosed).toBe(true);
      const again = openQueued(disk);
      expect(again.lastIndex).toBeGreaterThanOrEqual(1);
    },
  );

  it('of a removal, too', () => {
    let isFailing = false;
    const disk: MemoryDisk = new MemoryDisk({
      completions: 'queued',
      intercept: ({ kind }) => (isFailing && kind === 'remove' ? new Error('EIO') : undefined),
    });
    const log = openQueued(disk, { segmentBytesMax: 400, preallocateBytes: 100 });
    log.append({ hardState: hardState(1) }, () => undefined);
    log.append({ entries: [1, 2, 3, 4].map((index) => entry(index, 1, new Uint8Array(300))) }, () => undefined);
    disk.run();
    isFailing = true;
    const outcomes: unknown[] = [];
    log.removePrefix(3, (error) => outcomes.push(error));
    log.removePrefix(3, (error) => outcomes.push(error));
    log.append({ entries: [entry(5, 1)] }, (error) => outcomes.push(error));
    disk.run();
    expect(outcomes.length).toBe(3);
    expect(new Set(outcomes)).toEqual(new Set([log.failure]));
  });
});
