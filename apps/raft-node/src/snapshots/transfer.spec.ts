import { SnapshotVerdict, type InstallSnapshotRequest, type InstallSnapshotResponse } from '@app/rpc';
import { until } from '../../../../libs/rpc/src/testing/loopback-server.js';
import { TransferBed, someRows, type Tap } from './testing/transfer-bed.js';

/** A few rows to a range, so that a small state has many ranges. */
const SMALL_RANGES = { rangeBytes: 1_000, rangesInFlightMax: 4, retryDelayMs: 5, retryDelayMsMax: 20 };
const ROW_COUNT = 200;

describe('the transfer of a state', () => {
  let bed: TransferBed;

  afterEach(() => bed.close());

  const open = async (...args: Parameters<typeof TransferBed.open>) => (bed = await TransferBed.open(...args));
  const verdicts = () => bed.answers.map(({ verdict }) => SnapshotVerdict[verdict]);
  const askedRanges = () => bed.requests.filter(({ range }) => range && !range.hasRows).length;

  it('brings all rows and what they stand for to the driver of the receiver, and tells that of the sender', async () => {
    await open(SMALL_RANGES);
    const rows = someRows(ROW_COUNT, 100);
    const snapshot = await bed.snapshotOf(rows);
    await expect(bed.send(snapshot)).resolves.toBe(true);
    expect(bed.received).toMatchObject([{ message: bed.messageOf(snapshot), incarnation: 'data-of-a' }]);
    await bed.install();
    await expect(bed.targetRows()).resolves.toEqual(rows);
    expect(bed.rowsSent).toBe(ROW_COUNT);
    expect(askedRanges()).toBe(0);
    expect(bed.answers.length).toBeGreaterThan(20);
    expect(bed.snapshotsClosed).toEqual([snapshot.description.index]);
    await expect(bed.metric('ringraft_snapshot_receive_total', { result: 'complete' })).resolves.toBe(1);
    await expect(bed.metric('ringraft_snapshot_in_progress', { direction: 'receive' })).resolves.toBe(0);
    const begin = { level: 'info', peer: 'b', term: 3, index: snapshot.description.index };
    expect(bed.sent.lines).toMatchObject([begin, { ...begin, result: 'complete', skippedRanges: 0, streams: 1 }]);
  });

  it('brings an empty state, too: it replaces all that is there', async () => {
    await open();
    await bed.send(await bed.snapshotOf(someRows(3, 10)));
    await bed.install();
    await expect(bed.send(await bed.snapshotOf(new Map()))).resolves.toBe(true);
    await bed.install();
    await expect(bed.targetRows()).resolves.toEqual(new Map());
  });

  it('carries values of the largest size, one to a range', async () => {
    await open();
    const rows = new Map([
      ['a', 'x'],
      ['b', 'y'.repeat(8 * 1024 * 1024)],
      ['c', 'z'.repeat(8 * 1024 * 1024)],
      ['d', ''],
    ]);
    await expect(bed.send(await bed.snapshotOf(rows))).resolves.toBe(true);
    await bed.install();
    await expect(bed.targetRows()).resolves.toEqual(rows);
  });

  it('leaves nothing of an earlier transfer behind that the state does not have', async () => {
    await open({ ...SMALL_RANGES, stallMsMax: 1 });
    bed.tap.answering = ({ sequence }) => (sequence === 15 ? (bed.link.cut(), false) : undefined);
    await expect(bed.send(await bed.snapshotOf(someRows(ROW_COUNT, 100)))).resolves.toBe(false);
    bed.tap = {};
    const others = new Map([
      ['aaa', 'before all others'],
      ['key-000050x', 'between'],
      ['zzz', 'behind'],
    ]);
    await expect(bed.send(await bed.snapshotOf(others))).resolves.toBe(true);
    await bed.install();
    await expect(bed.targetRows()).resolves.toEqual(others);
  });

  describe('over a stream that breaks', () => {
    const nth = (range: number) => (request: InstallSnapshotRequest) => request.range?.sequence === range;
    const verdict =
      (wanted: SnapshotVerdict, sequence = 0) =>
      (answer: InstallSnapshotResponse) =>
        answer.verdict === wanted && answer.sequence === sequence;

    /** Cuts the link once, when a message fits. What has arrived counts as arrived, or is lost, too. */
    const cutOnce = (side: keyof Tap, fits: (message: never) => boolean, isLost: boolean): Tap => {
      let isCut = false;
      return {
        [side]: (message: never) => {
          if (isCut || !fits(message)) return true;
          isCut = true;
          bed.link.cut();
          return !isLost;
        },
      };
    };

    it.each<[string, () => Tap]>([
      ['before the header arrives', () => cutOnce('arrived', ({ header }) => header !== undefined, true)],
      ['when the header has arrived', () => cutOnce('arrived', ({ header }) => header !== undefined, false)],
      ['before it answers the header', () => cutOnce('answering', verdict(SnapshotVerdict.READY_EMPTY), true)],
      ['before the first range arrives', () => cutOnce('arrived', nth(1), true)],
      ['when a range in the middle has arrived', () => cutOnce('arrived', nth(12), false)],
      ['before a range is acknowledged', () => cutOnce('answering', verdict(SnapshotVerdict.STORED, 12), true)],
      ['before the end arrives', () => cutOnce('arrived', ({ end }) => end !== undefined, true)],
      ['when the end has arrived', () => cutOnce('arrived', ({ end }) => end !== undefined, false)],
      ['before it says that all is there', () => cutOnce('answering', verdict(SnapshotVerdict.COMPLETE), true)],
    ])('%s, goes on with what is missing', async (_when, tap) => {
      await open(SMALL_RANGES);
      bed.tap = tap();
      const rows = someRows(ROW_COUNT, 100);
      await expect(bed.send(await bed.snapshotOf(rows))).resolves.toBe(true);
      // At most what was on its way is sent twice.
      expect(bed.rowsSent).toBeLessThanOrEqual(ROW_COUNT + 4 * 10);
      expect(bed.link.connections).toBe(2);
      expect(bed.sent.lines).toMatchObject([{}, { level: 'warn', retryInMs: 5 }, { result: 'complete', streams: 2 }]);
      expect(bed.received).toHaveLength(1);
      await bed.install();
      await expect(bed.targetRows()).resolves.toEqual(rows);
      expect(bed.snapshotsClosed).toHaveLength(1);
    });

    it('is told to have the state when the receiver has installed it meanwhile', async () => {
      await open({ ...SMALL_RANGES, retryDelayMs: 200, retryDelayMsMax: 200 });
      bed.tap = cutOnce('answering', verdict(SnapshotVerdict.COMPLETE), true);
      const outcome = bed.send(await bed.snapshotOf(someRows(ROW_COUNT, 100)));
      await until(() => bed.received.length > 0);
      await bed.install();
      await expect(outcome).resolves.toBe(true);
      expect(bed.rowsSent).toBe(ROW_COUNT);
    });

    it('waits no longer before the next stream as long as it gets on', async () => {
      await open(SMALL_RANGES);
      // When a range arrives, the sender has heard that all are stored but those in flight: it has got on since the last cut.
      const rangesBetweenCuts = SMALL_RANGES.rangesInFlightMax + 2;
      let cuts = 0;
      bed.tap.arrived = ({ range }) => {
        if (cuts === 3 || (range?.sequence ?? 0) < (cuts + 1) * rangesBetweenCuts) return true;
        cuts += 1;
        bed.link.cut();
        return false;
      };
      const outcome = bed.send(await bed.snapshotOf(someRows(ROW_COUNT, 100)));
      await expect(outcome).resolves.toBe(true);
      expect(bed.sent.lines.filter(({ level }) => level === 'warn')).toMatchObject([
        { retryInMs: 5 },
        { retryInMs: 5 },
        { retryInMs: 5 },
      ]);
    });
  });

  it('goes on after a restart of the receiver with the rows that it has kept', async () => {
    await open(SMALL_RANGES);
    const rows = someRows(ROW_COUNT, 100);
    let restarted: Promise<void> | undefined;
    bed.tap.answering = ({ sequence }) => {
      if (sequence === 12) restarted ??= bed.restartReceiver();
    };
    await expect(bed.send(await bed.snapshotOf(rows))).resolves.toBe(true);
    await restarted;
    expect(bed.rowsSent).toBeLessThanOrEqual(ROW_COUNT + 4 * 10);
    expect(askedRanges()).toBeGreaterThan(15);
    await bed.install();
    await expect(bed.targetRows()).resolves.toEqual(rows);
  });

  it('sends another leader’s later state without what has not changed since', async () => {
    await open(SMALL_RANGES);
    const rows = someRows(ROW_COUNT, 100);
    bed.tap.answering = ({ sequence }) => {
      if (sequence === 12) bed.senders.cancelAll();
    };
    await expect(bed.send(await bed.snapshotOf(rows))).resolves.toBe(false);
    bed.tap = {};
    const sentBefore = bed.rowsSent;
    bed.openSender(SMALL_RANGES);
    rows.set('key-000003', 'changed');
    rows.delete('key-000017');
    await expect(bed.send(await bed.snapshotOf(rows), 4)).resolves.toBe(true);
    // 12 of about 23 ranges were there, of which 2 have changed.
    expect(bed.rowsSent - sentBefore).toBeLessThan(150);
    expect(verdicts()).toContain('WANTED');
    expect(bed.sent.lines.at(-1)).toMatchObject({ result: 'complete', skippedRanges: expect.any(Number) as number });
    expect(bed.sent.lines.at(-1)!.skippedRanges).toBeGreaterThan(5);
    await bed.install();
    await expect(bed.targetRows()).resolves.toEqual(rows);
  });

  it('notices a flipped bit in a range, names it, keeps nothing of it, and sends it again', async () => {
    await open(SMALL_RANGES);
    const rows = someRows(ROW_COUNT, 100);
    let isFlipped = false;
    bed.tap.arrived = ({ range }) => {
      if (range?.sequence !== 7 || isFlipped) return;
      isFlipped = true;
      range.rows[2]!.value[50]! ^= 1;
    };
    await expect(bed.send(await bed.snapshotOf(rows))).resolves.toBe(true);
    const complaint = expect.stringMatching(/range 7, keys 0x6b65[0-9a-f]+ to 0x6b65[0-9a-f]+: .*digest/) as string;
    expect(bed.sent.lines).toContainEqual(expect.objectContaining({ level: 'warn', reason: complaint }));
    expect(bed.got.lines).toContainEqual(
      expect.objectContaining({ level: 'error', err: expect.objectContaining({ message: complaint }) as object }),
    );
    expect(bed.rowsSent).toBeLessThanOrEqual(ROW_COUNT + 4 * 10);
    await bed.install();
    await expect(bed.targetRows()).resolves.toEqual(rows);
  });

  it('gives up on a range that arrives damaged each time', async () => {
    await open({ ...SMALL_RANGES, stallMsMax: 1_000 });
    bed.tap.arrived = ({ range }) => {
      if (range?.sequence === 7 && range.hasRows) range.rows[0]!.key[3]! ^= 1;
    };
    const snapshot = await bed.snapshotOf(someRows(ROW_COUNT, 100));
    await expect(bed.send(snapshot)).resolves.toBe(false);
    expect(bed.received).toEqual([]);
    expect(bed.sent.lines.at(-1)).toMatchObject({ result: 'failed', ranges: 6 });
    const pausesMs = bed.sent.lines.flatMap(({ retryInMs }) => retryInMs ?? []);
    expect(pausesMs.slice(0, 4)).toEqual([5, 10, 20, 20]);
    expect(bed.snapshotsClosed).toHaveLength(1);
  });

  it('holds a few ranges in memory, however slow the receiver is', async () => {
    await open(SMALL_RANGES);
    let [readRanges, most] = [0, 0];
    let free = () => undefined as void;
    bed.wrapStaged = (staged) => {
      const put = staged.put.bind(staged);
      staged.put = async (range) => {
        await new Promise<void>((resolve) => (free = resolve));
        return put(range);
      };
      return staged;
    };
    const snapshot = await bed.snapshotOf(someRows(ROW_COUNT, 100));
    const read = snapshot.range.bind(snapshot);
    snapshot.range = (...args) => {
      readRanges += 1;
      most = Math.max(most, readRanges - bed.answers.length);
      return read(...args);
    };
    let isDone = false;
    const outcome = bed.send(snapshot).finally(() => (isDone = true));
    const pump = setInterval(() => free(), 1);
    await until(() => isDone);
    clearInterval(pump);
    await expect(outcome).resolves.toBe(true);
    // One more than are in flight: READY is an answer, too.
    expect(most).toBeLessThanOrEqual(4);
    expect(readRanges).toBeGreaterThan(20);
  });

  it('keeps to its share of the bandwidth', async () => {
    const bytesPerSecond = 100_000;
    await open(SMALL_RANGES, bytesPerSecond);
    const arrivedAtMs: number[] = [];
    bed.tap.arrived = ({ range }) => {
      if (range) arrivedAtMs.push(performance.now());
    };
    await bed.send(await bed.snapshotOf(someRows(ROW_COUNT, 200)));
    // 40,000 bytes take 400 ms, of which the first 50 may come at once; and no long silence lies between.
    const gaps = arrivedAtMs.slice(1).map((at, i) => at - arrivedAtMs[i]!);
    expect(arrivedAtMs.at(-1)! - arrivedAtMs[0]!).toBeGreaterThan(320);
    expect(gaps.sort((a, b) => a - b)[gaps.length >> 1]).toBeLessThan(40);
  });

  it('ends when it is cancelled, once, with the snapshot closed', async () => {
    await open(SMALL_RANGES, 20_000);
    let ends = 0;
    const snapshot = await bed.snapshotOf(someRows(ROW_COUNT, 100));
    bed.senders.send(bed.messageOf(snapshot), snapshot, () => (ends += 1));
    await until(() => bed.requests.length > 3);
    expect(ends).toBe(0);
    bed.senders.cancelAll();
    bed.senders.cancelAll();
    await until(() => ends > 0);
    await bed.senders.beforeApplicationShutdown();
    expect({ ends, closed: bed.snapshotsClosed.length }).toEqual({ ends: 1, closed: 1 });
    expect(bed.sent.lines.at(-1)).toMatchObject({ result: 'cancelled' });
    expect(bed.received).toEqual([]);
  });

  it('makes way for a later one to the same member', async () => {
    await open(SMALL_RANGES, 100_000);
    const rows = someRows(ROW_COUNT, 100);
    const first = bed.send(await bed.snapshotOf(rows));
    await until(() => bed.requests.length > 3);
    rows.set('later', 'x');
    const second = bed.send(await bed.snapshotOf(rows));
    await expect(Promise.all([first, second])).resolves.toEqual([false, true]);
    await bed.install();
    await expect(bed.targetRows()).resolves.toEqual(rows);
    expect(bed.snapshotsClosed).toHaveLength(2);
  });

  it('sends nothing to whom nobody knows, and nothing after the shutdown has begun', async () => {
    await open();
    const snapshot = await bed.snapshotOf(someRows(1, 1));
    const toStranger = { ...bed.messageOf(snapshot), to: 'x' };
    await expect(new Promise((resolve) => bed.senders.send(toStranger, snapshot, resolve))).resolves.toBe(false);
    await bed.senders.beforeApplicationShutdown();
    await expect(bed.send(await bed.snapshotOf(someRows(2, 1)))).resolves.toBe(false);
    expect(bed.snapshotsClosed).toHaveLength(2);
    expect(bed.requests).toEqual([]);
  });

  it.each([
    ['before the first answer', 0],
    ['in the middle', 10],
    ['before the last answer', -1],
  ])('does not wait for ever for a receiver that falls silent %s', async (_when, sequence) => {
    await open({ ...SMALL_RANGES, silenceMsMax: 100, stallMsMax: 300 });
    const fits = ({ header, range, end }: InstallSnapshotRequest) =>
      sequence === 0 ? header !== undefined : sequence < 0 ? end !== undefined : range?.sequence === sequence;
    bed.tap.arrived = (request) => (fits(request) ? bed.link.freeze() : undefined);
    const start = performance.now();
    await expect(bed.send(await bed.snapshotOf(someRows(ROW_COUNT, 100)))).resolves.toBe(false);
    expect(performance.now() - start).toBeLessThan(3_000);
    expect(bed.sent.lines).toContainEqual(
      expect.objectContaining({ reason: expect.stringContaining('no answer for') as string }),
    );
    expect(bed.snapshotsClosed).toHaveLength(1);
  });

  it('survives a receiver that was silent for a while', async () => {
    await open({ ...SMALL_RANGES, silenceMsMax: 500 });
    let isFrozen = false;
    bed.tap.arrived = ({ range }) => {
      if (range?.sequence !== 10 || isFrozen) return;
      isFrozen = true;
      bed.link.freeze();
    };
    const outcome = bed.send(await bed.snapshotOf(someRows(ROW_COUNT, 100)));
    await until(() => bed.sent.lines.some(({ level }) => level === 'warn'));
    bed.link.thaw();
    await expect(outcome).resolves.toBe(true);
  });
});
