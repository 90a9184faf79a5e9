import type { Entry, HardState } from '@app/raft';
import { promised } from '../completion.js';
import type { Disk } from '../disk.js';
import { IndexCompactedError, LogClosedError } from '../errors.js';
import type { LogPosition } from '../record.js';
import { segmentNumber } from '../segment.js';
import type { WriteAheadLog } from '../write-ahead-log.js';
import { appendTo, closeLog, contentOf, entry, hardState, openLog, readAll } from './open-log.js';

const list = (disk: Disk): Promise<readonly string[]> => promised<readonly string[]>((done) => disk.list(done));
const removePrefix = (log: WriteAheadLog, through: number): Promise<void> =>
  promised((done) => log.removePrefix(through, done));
const reset = (log: WriteAheadLog, base: LogPosition, state: HardState | undefined): Promise<void> =>
  promised((done) => log.reset(base, state, done));
const read = (log: WriteAheadLog, from: number, to: number, bytesMax: number): Promise<readonly Entry[]> =>
  promised<readonly Entry[]>((done) => log.read(from, to, bytesMax, done));

const small = { segmentBytesMax: 2048, preallocateBytes: 512 };
const range = (from: number, to: number, term: number): Entry[] =>
  Array.from({ length: to - from + 1 }, (_, at) => entry(from + at, term));

/** What the log must do on any disk, seen without crashes. */
export function describeLogContract(name: string, makeDisk: () => Promise<Disk>): void {
  describe(`a write-ahead log on ${name}`, () => {
    let disk: Disk;

    beforeEach(async () => {
      disk = await makeDisk();
    });

    it('starts empty, and keeps that over a restart', async () => {
      const log = await openLog(disk);
      expect(log.recovery).toEqual({ isNew: true, segments: 1, records: 0, cut: undefined, isSealed: false });
      expect(await contentOf(log)).toEqual({ base: { index: 0, term: 0 }, hardState: hardState(0), entries: [] });
      await closeLog(log);
      const again = await openLog(disk, { incarnation: 'second' });
      expect(again.recovery).toMatchObject({ isNew: false, segments: 1, cut: undefined });
      expect(again.incarnation).toBe('first');
      expect(await contentOf(again)).toEqual({ base: { index: 0, term: 0 }, hardState: hardState(0), entries: [] });
      await closeLog(again);
    });

    it('gives back entries of all sizes and bytes, and the hard state, after a restart', async () => {
      const log = await openLog(disk);
      const everyByte = Uint8Array.from({ length: 256 }, (_, at) => at);
      const large = new Uint8Array(1_500_000).fill(7, 1_000_000);
      const noData = { ...entry(4, 3, ''), type: 2 as const };
      await appendTo(log, {
        hardState: hardState(3, 'node-é', 2),
        entries: [entry(1, 1), entry(2, 3, everyByte), entry(3, 3, large), noData],
      });
      const before = await contentOf(log);
      expect(before.entries.length).toBe(4);
      await closeLog(log);
      const again = await openLog(disk);
      expect(await contentOf(again)).toEqual(before);
      expect(again.hardState).toEqual(hardState(3, 'node-é', 2));
      expect((await readAll(again))[3]).toEqual(noData);
      expect([0, 1, 2, 3, 4, 5].map((index) => again.termAt(index))).toEqual([0, 1, 3, 3, 3, undefined]);
      await closeLog(again);
    });

    it('fills segments in turn, with a larger one for a larger record, and reads across them', async () => {
      const log = await openLog(disk, small);
      for (let index = 1; index <= 60; index += 4) {
        await appendTo(log, {
          hardState: hardState(index, undefined, index - 1),
          entries: range(index, index + 3, index),
        });
      }
      await appendTo(log, { entries: [entry(61, 57, new Uint8Array(10_000).fill(1))] });
      await appendTo(log, { entries: [entry(62, 57)] });
      const names = (await list(disk)).filter((file) => segmentNumber(file) !== undefined);
      expect(names.length).toBeGreaterThan(4);
      expect(names[0]).toBe('wal-0000000000000001.log');
      const before = await contentOf(log);
      expect(before.entries.length).toBe(62);
      await closeLog(log);
      const again = await openLog(disk, small);
      expect(again.recovery.segments).toBe(names.length);
      expect(await contentOf(again)).toEqual(before);
      await closeLog(again);
    });

    it('replaces a suffix, in the same segment and across segments', async () => {
      const log = await openLog(disk, small);
      await appendTo(log, { hardState: hardState(9), entries: range(1, 50, 1) });
      await appendTo(log, { entries: range(45, 47, 2) });
      expect(log.lastIndex).toBe(47);
      await appendTo(log, { entries: range(3, 5, 3) });
      await appendTo(log, { entries: range(6, 60, 4) });
      await appendTo(log, { entries: range(20, 20, 9) });
      const expected = [...range(1, 2, 1), ...range(3, 5, 3), ...range(6, 19, 4), entry(20, 9)];
      expect(await readAll(log)).toEqual(expected);
      await closeLog(log);
      const again = await openLog(disk, small);
      expect(await readAll(again)).toEqual(expected);
      expect(again.termAt(20)).toBe(9);
      expect(again.termAt(21)).toBeUndefined();
      await closeLog(again);
    });

    it('reads at least one entry and then no more than was asked for', async () => {
      const log = await openLog(disk, small);
      await appendTo(log, { hardState: hardState(1), entries: range(1, 40, 1) });
      expect(await read(log, 7, 41, 1)).toEqual([entry(7, 1)]);
      expect(await read(log, 7, 9, 1 << 20)).toEqual(range(7, 8, 1));
      const some = await read(log, 7, 41, 400);
      expect(some.length).toBeGreaterThan(1);
      expect(some.length).toBeLessThan(8);
      expect(() => log.read(40, 42, 1, () => undefined)).toThrow(RangeError);
      expect(() => log.read(5, 5, 1, () => undefined)).toThrow(RangeError);
      await closeLog(log);
    });

    it('reads what is on its way to the disk as soon as it is there', async () => {
      const log = await openLog(disk, small);
      const written = appendTo(log, { hardState: hardState(1), entries: range(1, 9, 1) });
      const entries = await read(log, 1, 10, 1 << 20);
      expect(entries[0]).toEqual(entry(1, 1));
      await written;
      await closeLog(log);
    });

    it('removes whole segments below an index, keeps the rest and the hard state, and knows its base', async () => {
      const log = await openLog(disk, small);
      for (let index = 1; index <= 60; index += 1) {
        await appendTo(log, { hardState: hardState(index), entries: [entry(index, index)] });
      }
      const sizeBefore = log.sizeBytes;
      await removePrefix(log, 30);
      const { base } = log;
      expect(base.index).toBeGreaterThan(10);
      expect(base.index).toBeLessThanOrEqual(30);
      expect(base.term).toBe(base.index);
      expect(log.termAt(base.index)).toBe(base.index);
      expect(log.termAt(base.index - 1)).toBeUndefined();
      expect(log.sizeBytes).toBeLessThan(sizeBefore);
      await expect(read(log, base.index, 61, 1)).rejects.toBeInstanceOf(IndexCompactedError);
      const before = await contentOf(log);
      await removePrefix(log, 10);
      await removePrefix(log, 30);
      expect(await contentOf(log)).toEqual(before);
      await closeLog(log);
      const again = await openLog(disk, small);
      expect(await contentOf(again)).toEqual(before);
      await removePrefix(again, 1000);
      expect((await list(disk)).length).toBe(1);
      expect(again.hardState).toEqual(hardState(60));
      await appendTo(again, { entries: [entry(61, 60)] });
      await closeLog(again);
    });

    it('finds its base though the oldest segment left holds only entries that were replaced', async () => {
      const log = await openLog(disk, small);
      await appendTo(log, { hardState: hardState(2), entries: range(1, 60, 1) });
      await appendTo(log, { entries: range(12, 13, 2) });
      await removePrefix(log, 11);
      const before = await contentOf(log);
      await closeLog(log);
      const again = await openLog(disk, small);
      expect(await contentOf(again)).toEqual(before);
      await closeLog(again);
    });

    it('completes in order, with one sync for all that queued up', async () => {
      const syncs: number[] = [];
      const log = await openLog(disk, { observer: { onSync: (records) => syncs.push(records) } });
      const order: number[] = [];
      await appendTo(log, { hardState: hardState(1) });
      await Promise.all(
        range(1, 50, 1).map(async (each) => {
          await appendTo(log, { entries: [each] });
          order.push(each.index);
        }),
      );
      await appendTo(log, {});
      expect(order).toEqual(range(1, 50, 1).map(({ index }) => index));
      expect(syncs.reduce((sum, records) => sum + records)).toBe(51);
      expect(log.pendingBytes).toBe(0);
      await closeLog(log);
    });

    it('takes nothing of a batch that breaks a rule of Raft', async () => {
      const log = await openLog(disk);
      await appendTo(log, { hardState: hardState(5, 'a', 2), entries: range(1, 4, 4) });
      const refused = [
        { entries: [entry(6, 5)] },
        { entries: [entry(0, 5)] },
        { entries: [entry(2, 5)] },
        { entries: [entry(5, 3)] },
        { entries: [entry(5, 6)] },
        { entries: [entry(5, 5), entry(7, 5)] },
        { entries: [entry(5, 5), entry(6, 4)] },
        { entries: [entry(5, 5, new Uint8Array(16 * 1024 * 1024))] },
        { hardState: hardState(4, 'a', 2) },
        { hardState: hardState(5, 'b', 2) },
        { hardState: hardState(5, undefined, 2) },
        { hardState: hardState(5, 'a', 1) },
      ];
      for (const batch of refused) expect(() => log.append(batch, () => undefined)).toThrow(RangeError);
      expect(log.hardState).toEqual(hardState(5, 'a', 2));
      await appendTo(log, { hardState: hardState(6, 'b', 3), entries: range(5, 5, 6) });
      expect(await readAll(log)).toEqual([...range(1, 4, 4), entry(5, 6)]);
      await closeLog(log);
    });

    it('begins anew behind a base: ahead of the log, within it, and with what is appended in the same breath', async () => {
      const log = await openLog(disk, small);
      await appendTo(log, { hardState: hardState(3, 'a', 5), entries: range(1, 60, 3) });
      const appended = appendTo(log, { entries: range(61, 70, 3) });
      const begun = reset(log, { index: 200, term: 4 }, hardState(5, 'b', 7));
      const behind = appendTo(log, { entries: range(201, 230, 5) });
      expect([log.base, log.lastIndex, log.hardState]).toEqual([{ index: 200, term: 4 }, 230, hardState(5, 'b', 200)]);
      await expect(read(log, 70, 71, 1)).rejects.toBeInstanceOf(IndexCompactedError);
      await Promise.all([appended, begun, behind]);
      expect(await readAll(log)).toEqual(range(201, 230, 5));
      const before = await contentOf(log);
      await closeLog(log);
      const segments = (await list(disk)).filter((file) => segmentNumber(file) !== undefined);
      const again = await openLog(disk, small);
      expect(again.recovery.segments).toBe(segments.length);
      expect(await contentOf(again)).toEqual(before);
      expect([199, 200, 201].map((index) => again.termAt(index))).toEqual([undefined, 4, 5]);
      // Entries above the base are gone too, although it is one that the log has.
      await reset(again, { index: 210, term: 5 }, undefined);
      expect([again.base.index, again.lastIndex, again.hardState]).toEqual([210, 210, hardState(5, 'b', 210)]);
      expect(() => again.read(211, 212, 1, () => undefined)).toThrow(RangeError);
      await appendTo(again, { entries: range(211, 212, 5) });
      const last = await contentOf(again);
      await closeLog(again);
      const third = await openLog(disk, small);
      expect(await contentOf(third)).toEqual(last);
      await closeLog(third);
    });

    it('frees the space of the log that it forgot', async () => {
      const log = await openLog(disk, small);
      await appendTo(log, { hardState: hardState(1), entries: range(1, 200, 1) });
      await reset(log, { index: 150, term: 1 }, undefined);
      await closeLog(log);
      expect((await list(disk)).length).toBe(1);
      // The seal has made the file grow once.
      expect(log.sizeBytes).toBe(512 + 48 + 512);
    });

    it('refuses to begin anew where that would lose or contradict what is committed', async () => {
      const log = await openLog(disk);
      await appendTo(log, { hardState: hardState(5, 'a', 3), entries: [...range(1, 3, 2), ...range(4, 6, 5)] });
      const refused: [number, number, HardState?][] = [
        [2, 2],
        [3, 3],
        [3, 1],
        [4, 1],
        [4, 6],
        [4.5, 5],
        [4, NaN],
        [8, 5, hardState(4, 'a', 3)],
        [8, 5, hardState(5, 'b', 3)],
        [8, 5, hardState(5, 'a', 2)],
        [8, 5, hardState(5, 'a', 9)],
      ];
      for (const [index, term, state] of refused) {
        expect(() => log.reset({ index, term }, state, () => undefined)).toThrow(RangeError);
      }
      expect([log.lastIndex, log.hardState]).toEqual([6, hardState(5, 'a', 3)]);
      // The terms of entries that are not committed bind nobody.
      await reset(log, { index: 6, term: 3 }, undefined);
      expect(() => log.append({ entries: [entry(6, 5)] }, () => undefined)).toThrow(RangeError);
      await appendTo(log, { entries: [entry(7, 5)] });
      expect(() => log.reset({ index: 5, term: 3 }, undefined, () => undefined)).toThrow(RangeError);
      expect(await readAll(log)).toEqual([entry(7, 5)]);
      await closeLog(log);
    });

    it('knows the configurations that it holds, also after a restart, with bytes of their own', async () => {
      const log = await openLog(disk, small);
      const configuration = (index: number, term: number): Entry => ({ ...entry(index, term), type: 3 });
      await appendTo(log, { hardState: hardState(9, undefined, 3), entries: range(1, 3, 1) });
      expect(log.configurationEntries).toEqual([]);
      const data = Uint8Array.of(1, 2, 3);
      await appendTo(log, { entries: [{ ...configuration(4, 1), data }, configuration(5, 1), ...range(6, 60, 1)] });
      data.fill(9);
      const first = { ...configuration(4, 1), data: Uint8Array.of(1, 2, 3) };
      const list = log.configurationEntries;
      expect(list).toEqual([first, configuration(5, 1)]);
      await appendTo(log, { entries: [entry(5, 2), configuration(6, 2), ...range(7, 90, 2)] });
      expect(list).toEqual([first, configuration(5, 1)]);
      expect(log.configurationEntries).toEqual([first, configuration(6, 2)]);
      await closeLog(log);
      const again = await openLog(disk, small);
      expect(again.configurationEntries).toEqual([first, configuration(6, 2)]);
      for (const { data: own } of again.configurationEntries) expect(own.buffer.byteLength).toBe(own.length);
      await removePrefix(again, 70);
      expect(again.base.index).toBeGreaterThan(6);
      expect(again.configurationEntries).toEqual([]);
      await appendTo(again, { entries: [configuration(91, 9)] });
      await reset(again, { index: 95, term: 9 }, undefined);
      expect(again.configurationEntries).toEqual([]);
      await closeLog(again);
    });

    it('completes what was queued before it closes, and nothing after', async () => {
      const log = await openLog(disk);
      const appended = appendTo(log, { hardState: hardState(1), entries: range(1, 5, 1) });
      const closed = closeLog(log);
      await expect(appendTo(log, { entries: [entry(6, 1)] })).rejects.toBeInstanceOf(LogClosedError);
      await appended;
      await closed;
      await expect(read(log, 1, 2, 1)).rejects.toBeInstanceOf(LogClosedError);
      await expect(removePrefix(log, 1)).rejects.toBeInstanceOf(LogClosedError);
      await expect(reset(log, { index: 9, term: 1 }, undefined)).rejects.toBeInstanceOf(LogClosedError);
      await expect(closeLog(log)).rejects.toBeInstanceOf(LogClosedError);
      const again = await openLog(disk);
      expect(await readAll(again)).toEqual(range(1, 5, 1));
      await closeLog(again);
    });

    it('is opened by one at a time', async () => {
      const log = await openLog(disk);
      await expect(openLog(disk)).rejects.toMatchObject({ code: 'DIRECTORY_LOCKED', directory: disk.name });
      await closeLog(log);
      await closeLog(await openLog(disk));
    });

    it('refuses the log of another node or cluster, and is free again then', async () => {
      await closeLog(await openLog(disk));
      for (const [field, value] of [
        ['clusterId', 'cluster-2'],
        ['nodeId', 'node-2'],
      ] as const) {
        await expect(openLog(disk, { [field]: value })).rejects.toMatchObject({
          code: 'FOREIGN_LOG',
          field,
          expected: value,
          file: expect.stringContaining('wal-0000000000000001.log') as string,
        });
      }
      await closeLog(await openLog(disk));
    });
  });
}
