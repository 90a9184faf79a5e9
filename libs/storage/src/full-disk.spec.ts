import type { Entry } from '@app/raft';
import type { DoneWith } from './completion.js';
import type { Disk, DiskFile } from './disk.js';
import { DiskError, LogFailedError } from './errors.js';
import { MemoryDisk, type DiskOperation, type TornWrite } from './memory-disk.js';
import { segmentName } from './segment.js';
import { accidents, scenarioOf, take, withConfigurations, wrongIn, type Scenario } from './testing/log-scenario.js';
import { entry, hardState, identity } from './testing/open-log.js';
import { contentNow, mustOpen, openNow, outcomeOf } from './testing/sync-log.js';
import { WriteAheadLog } from './write-ahead-log.js';

const small = { segmentBytesMax: 1000, preallocateBytes: 700 };

const noSpace = (code = 'ENOSPC'): Error => Object.assign(new Error(`${code}: no space`), { code });

/** What the owner of a log is told. */
function recorder(): { told: string[]; observer: object } {
  const told: string[] = [];
  return {
    told,
    observer: {
      onWriteStart: () => told.push('start'),
      onWriteEnd: (isDurable: boolean) => told.push(isDurable ? 'durable' : 'not durable'),
      onFull: (isFull: boolean) => told.push(isFull ? 'full' : 'not full'),
    },
  };
}

/** A log with entries up to some index, on a disk that is now full, and one entry more that waits. */
function fullLog(capacityBytes: number, observer = {}): { disk: MemoryDisk; log: WriteAheadLog; outcomes: unknown[] } {
  const disk = new MemoryDisk();
  const log = mustOpen(disk, { ...small, observer });
  outcomeOf((done) => log.append({ hardState: hardState(1, 'me') }, done));
  disk.capacityBytes = capacityBytes;
  const outcomes: unknown[] = [];
  while (!log.isFull && !log.failure) {
    const { lastIndex } = log;
    log.append({ entries: [entry(lastIndex + 1, 1, 'x'.repeat(90))] }, (error) =>
      outcomes.push(error ?? lastIndex + 1),
    );
  }
  return { disk, log, outcomes };
}

/** The same disk with other files. */
function withFiles(disk: MemoryDisk, wrap: (file: DiskFile) => DiskFile): Disk {
  const target: Disk = disk;
  const wrapped =
    (done: DoneWith<DiskFile>): DoneWith<DiskFile> =>
    (error, file) =>
      error ? done(error, undefined) : done(undefined, wrap(file));
  return {
    name: disk.name,
    list: (done) => target.list(done),
    create: (name, sizeBytes, done) => target.create(name, sizeBytes, wrapped(done)),
    open: (name, done) => target.open(name, wrapped(done)),
    rename: (from, to, done) => target.rename(from, to, done),
    remove: (name, done) => target.remove(name, done),
    syncDirectory: (done) => target.syncDirectory(done),
    lock: (done) => target.lock(done),
  };
}

/** What is written to its files is noted. */
function recordingWrites(disk: MemoryDisk, writes: [number, Uint8Array][]): Disk {
  return withFiles(disk, (file) => ({
    ...file,
    write: (offset, buffers, done) => {
      writes.push([offset, Buffer.concat(buffers)]);
      file.write(offset, buffers, done);
    },
  }));
}

/** Its writes are synced, as with `O_DSYNC`: why the sync in it failed is told as the write's reason. */
function syncingWrites(disk: MemoryDisk): Disk {
  return withFiles(disk, (file) => ({
    ...file,
    writeDurably: (offset, buffers, done) =>
      file.write(offset, buffers, (error) => {
        if (error) return done(error);
        file.sync((syncError) => done(syncError && new DiskError('write', file.name, syncError.cause as Error)));
      }),
  }));
}

describe('a log whose disk is full', () => {
  it('waits, and goes on in order when there is space and it is told to try, wherever the space ended', () => {
    for (let capacityBytes = 700; capacityBytes < 4000; capacityBytes += 37) {
      const { told, observer } = recorder();
      const { disk, log, outcomes } = fullLog(capacityBytes, observer);
      const stored = log.lastIndex - 1;
      expect(outcomes.length).toBe(stored);
      expect(told.slice(-3)).toEqual(['start', 'not durable', 'full']);
      told.length = 0;
      for (const index of [1, 2, 3]) {
        log.append({ entries: [entry(stored + 1 + index, 1)] }, (error) => outcomes.push(error ?? stored + 1 + index));
      }
      log.retry();
      log.retry();
      expect([log.isFull, outcomes.length, log.failure]).toEqual([true, stored, undefined]);
      expect(told).toEqual(['start', 'not durable', 'start', 'not durable']);
      expect(contentNow(log, stored).entries.length).toBe(stored);
      disk.capacityBytes = Infinity;
      log.retry();
      expect(outcomes).toEqual(Array.from({ length: stored + 4 }, (_, at) => at + 1));
      expect([log.isFull, log.pendingBytes]).toEqual([false, 0]);
      expect(told.filter((each) => each === 'not full' || each === 'full')).toEqual(['not full']);
      log.retry();
      const content = contentNow(log);
      expect(content.entries.length).toBe(stored + 4);
      disk.crash({ keepUnsynced: 'none' });
      expect(contentNow(mustOpen(disk, small))).toEqual(content);
    }
  });

  it('removes what it is told to, and that may be the space that it waits for', () => {
    const { disk, log, outcomes } = fullLog(3000);
    const stored = outcomes.length;
    expect(log.recovery.segments).toBe(1);
    expect(outcomeOf((done) => log.removePrefix(stored, done))).toEqual({ result: undefined });
    expect(log.base.index).toBeGreaterThan(0);
    log.retry();
    expect([log.isFull, outcomes.length]).toEqual([false, stored + 1]);
    expect(disk.usedBytes).toBeLessThanOrEqual(3000);
  });

  it('starts again while it is still full', () => {
    for (let capacityBytes = 700; capacityBytes < 4000; capacityBytes += 37) {
      const { disk, outcomes } = fullLog(capacityBytes);
      disk.kill();
      const log = mustOpen(disk, small);
      expect([outcomes.length, outcomes.length + 1]).toContain(log.lastIndex);
      disk.capacityBytes = Infinity;
      const next = entry(log.lastIndex + 1, 1);
      expect(outcomeOf((done) => log.append({ entries: [next] }, done))).toEqual({ result: undefined });
    }
  });

  it('ends when it is closed: what waits fails, and what was stored is there', () => {
    const { disk, log, outcomes } = fullLog(3000);
    const stored = outcomes.length;
    const waiting = outcomeOf<readonly Entry[]>((done) => log.read(stored + 1, stored + 2, 1, done));
    expect(waiting).toBeUndefined();
    log.append({ entries: [entry(stored + 2, 1)] }, (error) => outcomes.push(error));
    expect(outcomeOf((done) => log.close(done))).toEqual({ result: undefined });
    expect(outcomes.length).toBe(stored + 2);
    for (const error of outcomes.slice(stored)) {
      expect(error).toBeInstanceOf(LogFailedError);
      expect((error as LogFailedError).cause).toMatchObject({ systemCode: 'ENOSPC' });
    }
    expect(log.isFull).toBe(false);
    log.retry();
    expect([stored, stored + 1]).toContain(mustOpen(disk, small).lastIndex);
  });

  it('ends when it was closed before it became full, and when there is no space for the seal', () => {
    const disk = new MemoryDisk({ completions: 'queued' });
    let log: WriteAheadLog | undefined;
    const open = (): void => {
      WriteAheadLog.open(disk, { ...identity, ...small }, (error, opened) => {
        if (error) throw error;
        log = opened;
      });
      disk.run();
    };
    open();
    const outcomes: unknown[] = [];
    log!.append({ hardState: hardState(1), entries: [entry(1, 1, 'x'.repeat(900))] }, (error) => outcomes.push(error));
    log!.close((error) => outcomes.push(error ?? 'closed'));
    disk.capacityBytes = disk.usedBytes;
    disk.run();
    expect(outcomes).toEqual([expect.objectContaining({ code: 'LOG_FAILED' }), 'closed']);
    disk.capacityBytes = Infinity;
    open();
    log!.append({ hardState: hardState(1), entries: [entry(1, 1, 'x'.repeat(560))] }, (error) => outcomes.push(error));
    disk.run();
    disk.capacityBytes = disk.usedBytes;
    log!.close((error) => outcomes.push(error ?? 'closed again'));
    disk.run();
    expect(outcomes.slice(2)).toEqual([undefined, 'closed again']);
    open();
    expect(log!.lastIndex).toBe(1);
  });

  it.each(['ENOSPC', 'EDQUOT'])('takes %s of a write and of a create for that', (code) => {
    for (const kind of ['write', 'create']) {
      let isFailing = false;
      const disk = new MemoryDisk({
        intercept: (operation) => (isFailing && operation.kind === kind ? noSpace(code) : undefined),
      });
      const log = mustOpen(disk, small);
      outcomeOf((done) => log.append({ hardState: hardState(1) }, done));
      isFailing = true;
      const size = kind === 'write' ? 10 : 900;
      let outcome: unknown = 'none';
      log.append({ entries: [entry(1, 1, new Uint8Array(size)), entry(2, 1, new Uint8Array(size))] }, (error) => {
        outcome = error;
      });
      expect([log.isFull, outcome]).toEqual([true, 'none']);
      isFailing = false;
      log.retry();
      expect([log.isFull, outcome]).toEqual([false, undefined]);
    }
  });

  it.each(['sync', 'syncDirectory', 'remove'])('has failed for good when a %s finds no space', (kind) => {
    let isFailing = false;
    const disk = new MemoryDisk({
      intercept: (operation) => (isFailing && operation.kind === kind ? noSpace() : undefined),
    });
    const log = mustOpen(disk, small);
    outcomeOf((done) => log.append({ hardState: hardState(1) }, done));
    const entries = [1, 2, 3].map((index) => entry(index, 1, new Uint8Array(600)));
    if (kind === 'remove') outcomeOf((done) => log.append({ entries }, done));
    isFailing = true;
    const outcome =
      kind === 'remove'
        ? outcomeOf((done) => log.removePrefix(2, done))
        : outcomeOf((done) => log.append({ entries }, done));
    expect(outcome?.error).toMatchObject({ code: 'LOG_FAILED' });
    isFailing = false;
    log.retry();
    expect([log.isFull, log.failure]).toEqual([false, outcome?.error]);
  });

  it('writes the same bytes at the same place again, whatever was appended meanwhile', () => {
    const writes: [number, Uint8Array][] = [];
    const disk = new MemoryDisk();
    const log = mustOpen(recordingWrites(disk, writes), small);
    outcomeOf((done) => log.append({ hardState: hardState(1) }, done));
    disk.capacityBytes = disk.usedBytes;
    log.append({ entries: [entry(1, 1, 'y'.repeat(700))] }, () => undefined);
    const first = writes.at(-1)!;
    log.append({ hardState: hardState(2), entries: [entry(1, 2, 'other')] }, () => undefined);
    log.retry();
    const second = writes.at(-1)!;
    expect(second[0]).toBe(first[0]);
    expect(Buffer.compare(second[1], first[1])).toBe(0);
    expect(writes.length).toBe(4);
  });

  it('removes a segment that it could not finish, and creates it again', () => {
    let fault: Error | TornWrite | undefined;
    let isCreated = false;
    const disk: MemoryDisk = new MemoryDisk({
      intercept: (operation: DiskOperation) => {
        if (operation.kind === 'create') isCreated = true;
        return isCreated && operation.kind === 'write' ? fault : undefined;
      },
    });
    const log = mustOpen(disk, small);
    outcomeOf((done) => log.append({ hardState: hardState(1) }, done));
    isCreated = false;
    for (const writtenBytes of [0, 1, 40, 100]) {
      fault = { error: noSpace(), writtenBytes };
      if (log.isFull) log.retry();
      else log.append({ entries: [entry(1, 1, 'z'.repeat(800)), entry(2, 1, 'z'.repeat(800))] }, () => undefined);
      expect(log.isFull).toBe(true);
      expect([disk.contentOf(segmentName(2)), disk.contentOf(segmentName(3))]).toContain(undefined);
    }
    const files = (): string[] => [1, 2, 3, 4].map(segmentName).filter((name) => disk.contentOf(name) !== undefined);
    const before = files().length;
    fault = undefined;
    log.retry();
    expect([log.isFull, log.pendingBytes]).toEqual([false, 0]);
    expect(files().length).toBe(before + 2);
    disk.crash({ keepUnsynced: 'none' });
    expect(mustOpen(disk, small).lastIndex).toBe(2);
  });

  it('lets a reset wait, too', () => {
    const { disk, log, outcomes } = fullLog(3000);
    const stored = outcomes.length;
    log.reset({ index: 100, term: 1 }, hardState(2, 'b', 0), (error) => outcomes.push(error ?? 'reset'));
    log.removePrefix(stored, (error) => outcomes.push(error ?? 'removed'));
    log.append({ entries: [entry(101, 2)] }, (error) => outcomes.push(error ?? 'appended'));
    expect(outcomes.length).toBe(stored);
    disk.capacityBytes = Infinity;
    log.retry();
    expect(outcomes.slice(stored + 1).sort()).toEqual(['appended', 'removed', 'reset']);
    disk.crash({ keepUnsynced: 'none' });
    const again = mustOpen(disk, small);
    expect([again.base.index, again.lastIndex, again.hardState]).toEqual([100, 101, hardState(2, 'b', 100)]);
  });

  it('takes a failure of something else as the end, and is full no more', () => {
    let isFailing = false;
    const disk = new MemoryDisk({
      intercept: ({ kind }) => (isFailing && kind === 'remove' ? new Error('EIO') : undefined),
    });
    const log = mustOpen(disk, small);
    outcomeOf((done) => log.append({ hardState: hardState(1) }, done));
    outcomeOf((done) => log.append({ entries: [1, 2, 3].map((index) => entry(index, 1, new Uint8Array(600))) }, done));
    disk.capacityBytes = disk.usedBytes;
    let outcome: unknown = 'none';
    log.append({ entries: [entry(4, 1, new Uint8Array(600))] }, (error) => (outcome = error));
    expect([log.isFull, outcome]).toEqual([true, 'none']);
    isFailing = true;
    outcomeOf((done) => log.removePrefix(2, done));
    expect([log.isFull, outcome]).toEqual([false, log.failure]);
    expect(log.failure).toBeInstanceOf(LogFailedError);
    log.retry();
    expect(outcomeOf((done) => log.close(done))).toEqual({ result: undefined });
  });
});

describe('a file system that notices the lack of space only as it writes back, under writes that are synced', () => {
  const fill = (log: WriteAheadLog, upTo: number): void => {
    for (let index = log.lastIndex + 1; index <= upTo; index += 1) {
      outcomeOf((done) => log.append({ entries: [entry(index, 1, 'x'.repeat(90))] }, done));
    }
  };

  /** Entries 1 to 3 are durable; entry 4 was written, and its pages were dropped. */
  function refusedAfterTheWrite(): {
    disk: MemoryDisk;
    log: WriteAheadLog;
    outcomes: unknown[];
    makeSpace: () => void;
  } {
    let isFull = false;
    const disk = new MemoryDisk({
      intercept: ({ kind }) => (isFull && kind === 'sync' ? noSpace() : undefined),
    });
    const log = openNow(syncingWrites(disk), small)!.result!;
    outcomeOf((done) => log.append({ hardState: hardState(1, 'me') }, done));
    fill(log, 3);
    isFull = true;
    const outcomes: unknown[] = [];
    log.append({ entries: [entry(4, 1, 'y'.repeat(90))] }, (error) => outcomes.push(error ?? 'stored'));
    expect([log.isFull, outcomes]).toEqual([true, []]);
    return { disk, log, outcomes, makeSpace: () => (isFull = false) };
  }

  it('has it written once more, and only that makes it durable', () => {
    const { disk, log, outcomes, makeSpace } = refusedAfterTheWrite();
    log.retry();
    expect([log.isFull, outcomes]).toEqual([true, []]);
    makeSpace();
    log.retry();
    expect([log.isFull, outcomes]).toEqual([false, ['stored']]);
    fill(log, 6);
    disk.crash({ keepUnsynced: 'none' });
    expect(mustOpen(disk, small).lastIndex).toBe(6);
  });

  it.each([0, 1, 2, 3])('loses nothing that was acknowledged if the power fails instead (case %i)', (kept) => {
    const { disk, log, makeSpace } = refusedAfterTheWrite();
    if (kept % 2 === 1) log.retry();
    let sector = 0;
    disk.crash({ keepUnsynced: () => (sector++ + kept) % 4 < 2 });
    makeSpace();
    const again = mustOpen(disk, small);
    expect(again.lastIndex).toBeGreaterThanOrEqual(3);
    expect(again.lastIndex).toBeLessThanOrEqual(4);
    fill(again, 5);
    disk.crash({ keepUnsynced: 'none' });
    expect(mustOpen(disk, small).lastIndex).toBe(5);
  });
});

describe('at any operation of a disk that is full, or was', () => {
  const limits = { segmentBytesMax: 900, preallocateBytes: 300, groupBytesMax: 4096 };
  const scenario = scenarioOf(
    [
      { hardState: hardState(1, 'a') },
      ...[1, 2, 3, 4].map((index) => ({ entries: [entry(index, 1, 'x'.repeat(index * 90))] })),
      { hardState: hardState(2, 'b', 2), entries: [entry(3, 2, 'replaced'), entry(4, 2, 'y'.repeat(700))] },
      { removeThrough: 2 },
      { entries: [5, 6, 7].map((index) => entry(index, 2, 'z'.repeat(250))) },
      { reset: { index: 9, term: 2 }, hardState: hardState(3, 'c', 2) },
      { entries: [entry(10, 3, 'new'), entry(11, 3, 'new')] },
    ].map(withConfigurations),
  );

  /**
   * Goes through the scenario on a disk that becomes full at one operation and dies at another; in between there is space again if
   * `isFreed`. How many steps were acknowledged, or undefined if it did not come to the crash.
   */
  function run(
    disk: MemoryDisk,
    isDead: () => boolean,
    isFreed: boolean,
    { steps }: Scenario,
  ): { acknowledged: number; wasFull: boolean } | undefined {
    const opened = openNow(disk, limits);
    if (isDead()) return { acknowledged: 0, wasFull: false };
    // Not even the first segment found its place.
    if (!opened?.result) return undefined;
    const log = opened.result;
    let wasFull = false;
    for (const [position, step] of steps.entries()) {
      let isDone = false;
      take(log, step, (error) => {
        if (error) throw error;
        isDone = true;
      });
      if (log.isFull && !isDead()) {
        wasFull = true;
        log.retry();
        if (isFreed) disk.capacityBytes = Infinity;
        log.retry();
      }
      if (isDead()) return { acknowledged: isDone ? position + 1 : position, wasFull };
      if (!isDone) return undefined;
    }
    return undefined;
  }

  it.each(accidents.flatMap(([name, accident]) => [true, false].map((isFreed) => ({ name, accident, isFreed }))))(
    'a $name takes nothing that was acknowledged (space again: $isFreed)',
    ({ accident, isFreed }) => {
      const wrong: string[] = [];
      let crashes = 0;
      let crashesWhileFull = 0;
      for (let fullAt = 1, operations = Infinity; fullAt <= operations; fullAt += 1) {
        for (let later = 1; later <= 12; later += 1) {
          let count = 0;
          let isDead = false;
          const disk: MemoryDisk = new MemoryDisk({
            intercept: () => {
              count += 1;
              if (count === fullAt) disk.capacityBytes = disk.usedBytes + (fullAt % 3) * 60;
              if (count === fullAt + later && !isDead) {
                isDead = true;
                accident(fullAt * 100 + later)(disk);
              }
              return undefined;
            },
          });
          const result = run(disk, () => isDead, isFreed, scenario);
          if (!isDead && count < fullAt) operations = count;
          if (!result) continue;
          crashes += 1;
          if (result.wasFull) crashesWhileFull += 1;
          const problem = inspect(disk, result.acknowledged);
          if (problem) wrong.push(`full at ${fullAt}, dead ${later} later: ${problem}`);
        }
      }
      expect(wrong).toEqual([]);
      expect(crashes).toBeGreaterThan(100);
      expect(crashesWhileFull).toBeGreaterThan(30);
    },
  );

  /** The start after it, on the disk as it is: full or not. */
  function inspect(disk: MemoryDisk, acknowledged: number): string | undefined {
    const opened = openNow(disk, limits);
    // A log of which nothing was ever durable can only begin where there is space.
    if (opened?.error && acknowledged === 0 && disk.usedBytes === 0) return undefined;
    if (!opened?.result) return opened?.error?.message ?? 'no answer';
    const content = contentNow(opened.result);
    const problem = wrongIn(content, acknowledged, scenario);
    if (problem) return problem;
    disk.capacityBytes = Infinity;
    disk.crash({ keepUnsynced: 'none' });
    const later = mustOpen(disk, limits);
    if (JSON.stringify(contentNow(later)) !== JSON.stringify(content)) return 'the next start found something else';
    const next = entry(later.lastIndex + 1, Math.max(1, later.hardState.currentTerm));
    const outcome = outcomeOf((done) =>
      later.append({ hardState: hardState(9, 'z', later.hardState.commitIndex), entries: [next] }, done),
    );
    return outcome?.error ? outcome.error.message : undefined;
  }
});
