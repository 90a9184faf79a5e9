import type { CorruptLogError } from './errors.js';
import { MemoryDisk } from './memory-disk.js';
import { sealFrameSizes } from './seal.js';
import { segmentName } from './segment.js';
import { entry, hardState, identity } from './testing/open-log.js';
import { contentNow, mustOpen, openNow, outcomeOf } from './testing/sync-log.js';
import { WriteAheadLog } from './write-ahead-log.js';

const small = { segmentBytesMax: 4000, preallocateBytes: 1000 };

/** A log on a disk that counts its syncs. */
function counted(): { disk: MemoryDisk; syncs: () => number } {
  let count = 0;
  const disk = new MemoryDisk({
    intercept: ({ kind }) => {
      if (kind === 'sync') count += 1;
      return undefined;
    },
  });
  return {
    disk,
    syncs: () => {
      const before = count;
      count = 0;
      return before;
    },
  };
}

const append = (log: WriteAheadLog, index: number): void =>
  expect(outcomeOf((done) => log.append({ entries: [entry(index, 1)] }, done))).toEqual({ result: undefined });
function seal(log: WriteAheadLog): void {
  const outcome = outcomeOf((done) => log.seal(done));
  if (!outcome || outcome.error) throw outcome?.error ?? new Error('no answer');
}

describe('the size of a seal', () => {
  it('is that of the smallest frames of which the last begins a sector of its own', () => {
    for (let offset = 0; offset < 1536; offset += 8) {
      const sizes = sealFrameSizes(offset);
      const lastStart = offset + sizes.reduce((sum, size) => sum + size, 0) - sizes.at(-1)!;
      expect([offset, lastStart % 512, sizes.at(-1)]).toEqual([offset, 0, 48]);
      expect(sizes.length).toBe(offset % 512 === 0 ? 1 : 2);
      expect(lastStart - offset).toBeLessThan(560);
      expect(Math.min(...sizes)).toBeGreaterThanOrEqual(48);
    }
  });
});

describe('a seal', () => {
  it('costs one sync, and none when nothing was written since the last one', () => {
    const { disk, syncs } = counted();
    const observed: [number, number][] = [];
    const log = mustOpen(disk, { ...small, observer: { onSync: (...each) => observed.push(each) } });
    outcomeOf((done) => log.append({ hardState: hardState(1) }, done));
    syncs();
    const costs = [1, 2, 3].map(() => (seal(log), syncs()));
    expect(costs).toEqual([1, 0, 0]);
    expect(observed.at(-1)![0]).toBe(0);
    append(log, 1);
    expect(syncs()).toBe(1);
    seal(log);
    expect(syncs()).toBe(1);
    outcomeOf((done) => log.close(done));
    expect(syncs()).toBe(0);
    expect(log.pendingBytes).toBe(0);
  });

  it('is written again when the log has begun anew since the last one', () => {
    const { disk, syncs } = counted();
    const log = mustOpen(disk, small);
    outcomeOf((done) => log.append({ hardState: hardState(1) }, done));
    seal(log);
    outcomeOf((done) => log.reset({ index: 5, term: 1 }, undefined, done));
    syncs();
    seal(log);
    expect(syncs()).toBe(1);
    disk.kill();
    expect(mustOpen(disk, small).recovery.isSealed).toBe(true);
  });

  it('is no entry: what is appended behind it follows the entry before it, also after a start', () => {
    const disk = new MemoryDisk();
    let log = mustOpen(disk, small);
    outcomeOf((done) => log.append({ hardState: hardState(1, 'a') }, done));
    const found: boolean[] = [];
    for (let index = 1; index <= 60; index += 1) {
      append(log, index);
      if (index % 3 === 0) seal(log);
      if (index % 20 > 0) continue;
      disk.crash({ keepUnsynced: 'none' });
      log = mustOpen(disk, small);
      found.push(log.recovery.isSealed);
    }
    expect(found).toEqual([false, false, true]);
    expect(log.recovery.segments).toBeGreaterThan(2);
    const content = contentNow(log);
    expect(content.entries.map((text) => text.split('/')[0])).toEqual(
      Array.from({ length: 60 }, (_, at) => String(at + 1)),
    );
    expect(content.hardState).toEqual(hardState(1, 'a'));
  });

  it('is there after a close, also of a log in which nothing was ever written', () => {
    for (const count of [0, 1, 9]) {
      const disk = new MemoryDisk();
      const log = mustOpen(disk, small);
      outcomeOf((done) => log.append({ hardState: hardState(1) }, done));
      for (let index = 1; index <= count; index += 1) append(log, index);
      expect(outcomeOf((done) => log.close(done))).toEqual({ result: undefined });
      const again = mustOpen(disk, small);
      expect([again.recovery.isSealed, again.recovery.cut, again.lastIndex]).toEqual([true, undefined, count]);
    }
  });

  it('is left out while something is under way, which it would not prove', () => {
    const disk = new MemoryDisk({ completions: 'queued' });
    const log = openQueued(disk);
    log.append({ hardState: hardState(1), entries: [entry(1, 1)] }, () => undefined);
    let outcome: unknown = 'none';
    log.seal((error) => (outcome = error));
    expect(outcome).toBeUndefined();
    expect(disk.pending.map(({ kind }) => kind)).toEqual(['write']);
    disk.run();
    const before = disk.contentOf(segmentName(1))!;
    log.seal((error) => (outcome = error ?? 'sealed'));
    // What is appended meanwhile comes behind it.
    const order: string[] = [];
    log.append({ entries: [entry(2, 1)] }, () => order.push(String(outcome)));
    disk.run();
    expect(order).toEqual(['sealed']);
    expect(disk.contentOf(segmentName(1))!.subarray(0, 100)).toEqual(before.subarray(0, 100));
    expect(log.lastIndex).toBe(2);
  });

  it('that was torn is cut, and whole logs are found however much of it arrived', () => {
    const disk = new MemoryDisk();
    const log = mustOpen(disk, small);
    outcomeOf((done) => log.append({ hardState: hardState(1, 'a'), entries: [entry(1, 1)] }, done));
    const content = contentNow(log);
    const before = disk.contentOf(segmentName(1))!;
    const end = before.findLastIndex((byte) => byte !== 0) + 1;
    seal(log);
    const sealed = disk.contentOf(segmentName(1))!;
    const sealedEnd = sealed.findLastIndex((byte) => byte !== 0) + 1;
    const states = new Set<boolean>();
    for (let cut = end; cut <= sealedEnd; cut += 1) {
      const torn = new MemoryDisk();
      torn.overwrite(segmentName(1), sealed.slice().fill(0, cut));
      const again = mustOpen(torn, small);
      expect(contentNow(again)).toEqual(content);
      expect(again.recovery.isSealed).toBe(cut === sealedEnd);
      states.add(again.recovery.cut !== undefined);
      seal(again);
      torn.crash({ keepUnsynced: 'none' });
      expect(mustOpen(torn, small).recovery.isSealed).toBe(true);
    }
    expect(states.size).toBe(2);
  });

  it('that fails fails the log', () => {
    let isFailing = false;
    const disk = new MemoryDisk({
      intercept: ({ kind }) => (isFailing && kind === 'sync' ? new Error('EIO') : undefined),
    });
    const log = mustOpen(disk, small);
    outcomeOf((done) => log.append({ hardState: hardState(1) }, done));
    isFailing = true;
    expect(outcomeOf((done) => log.seal(done))?.error).toMatchObject({ code: 'LOG_FAILED' });
    expect(outcomeOf((done) => log.seal(done))?.error).toBe(log.failure);
    expect(outcomeOf((done) => log.close(done))).toEqual({ result: undefined });
    expect(outcomeOf((done) => log.seal(done))?.error).toMatchObject({ code: 'LOG_CLOSED' });
  });

  it.each([
    ['is taken for the old one without its header', false],
    ['is refused then if it is sealed', true],
  ])('proves that a log has begun anew, before its old segments are gone: it %s', (_name, isSealed) => {
    const disk = new MemoryDisk({ completions: 'queued' });
    const log = openQueued(disk);
    log.append({ hardState: hardState(1), entries: [entry(1, 1)] }, () => undefined);
    let isReset = false;
    log.reset({ index: 9, term: 1 }, undefined, () => (isReset = true));
    const isRemoval = (kind: string): boolean => kind === 'remove';
    const stepOthers = (): void => {
      for (let at = 0; at >= 0; at = disk.pending.findIndex(({ kind }) => !isRemoval(kind))) disk.step(at);
    };
    stepOthers();
    expect([isReset, disk.pending.map(({ kind }) => kind)]).toEqual([true, ['remove']]);
    let sealed = false;
    if (isSealed) {
      log.seal(() => (sealed = true));
      disk.step(1);
      disk.step(1);
    }
    expect(sealed).toBe(isSealed);
    disk.kill(() => false);
    const left = new MemoryDisk();
    const name = segmentName(2);
    left.overwrite(segmentName(1), disk.contentOf(segmentName(1))!);
    left.overwrite(name, disk.contentOf(name)!.fill(0, 0, 512));
    const opened = openNow(left, small);
    expect((opened?.error as CorruptLogError | undefined)?.file).toBe(isSealed ? name : undefined);
    expect(opened?.result?.lastIndex).toBe(isSealed ? undefined : 1);
  });
});

function openQueued(disk: MemoryDisk): WriteAheadLog {
  let opened: WriteAheadLog | undefined;
  WriteAheadLog.open(disk, { ...identity, ...small }, (error, log) => {
    if (error) throw error;
    opened = log;
  });
  disk.run();
  return opened!;
}
