import { EventEmitter } from 'node:events';
import { status } from '@grpc/grpc-js';
import { RingraftError, SnapshotVerdict, type InstallSnapshotRequest } from '@app/rpc';
import type { StateRange, StateSnapshot } from '@app/storage';
import { until } from '../../../../libs/rpc/src/testing/loopback-server.js';
import { SendingStream, type SendingCall } from './sending-stream.js';
import { DEFAULT_SNAPSHOT_LIMITS } from './snapshot-limits.js';
import { Throttle } from './throttle.js';

const { COMPLETE, READY_EMPTY, READY_PARTIAL, STORED, UNSPECIFIED, WANTED } = SnapshotVerdict;
const RANGES = 6;

class FakeCall extends EventEmitter {
  readonly written: string[] = [];
  hasRoom = true;
  end = jest.fn();
  cancel = jest.fn();

  write({ header, range }: InstallSnapshotRequest): boolean {
    this.written.push(header ? 'header' : range ? `${range.sequence}${range.hasRows ? '+' : '?'}` : 'end');
    return this.hasRoom;
  }

  answer(verdict: SnapshotVerdict, sequence = 0): void {
    this.emit('data', { verdict, sequence, followerId: 'b' });
  }
}

/** A state of so many ranges, one row in each. */
const snapshot = {
  range: (from: Uint8Array): Promise<StateRange> => {
    const n = (from[0] ?? 0) + 1;
    const rows = [{ key: Uint8Array.of(n - 1), value: new Uint8Array(100) }];
    const digest = Uint8Array.of(n);
    return Promise.resolve({ from, to: n === RANGES ? undefined : Uint8Array.of(n), rows, digest });
  },
} as unknown as StateSnapshot;

describe('SendingStream', () => {
  function start(limits: Partial<typeof DEFAULT_SNAPSHOT_LIMITS> = {}, bytesPerSecond = 1e9) {
    const call = new FakeCall();
    const events = { stored: jest.fn(), skipped: jest.fn(), sending: jest.fn() };
    const all = { ...DEFAULT_SNAPSHOT_LIMITS, rangesInFlightMax: 3, ...limits };
    const throttle = new Throttle(bytesPerSecond);
    const stream = new SendingStream(call as unknown as SendingCall, snapshot, throttle, all, events);
    let outcome: string | undefined;
    const run = stream.run({ header: undefined }).then(
      () => (outcome = 'complete'),
      (error: Error) => (outcome = error.message),
    );
    call.written.length = 0;
    return { call, events, stream, run, outcome: () => outcome };
  }

  const written = (call: FakeCall, ...messages: string[]) => until(() => call.written.join() === messages.join());

  it('sends rows at once to a receiver that has none, a few ranges ahead of its answers', async () => {
    const { call, events, run } = start();
    call.answer(READY_EMPTY);
    await written(call, '1+', '2+', '3+');
    call.answer(STORED, 1);
    await written(call, '1+', '2+', '3+', '4+');
    for (const n of [2, 3, 4]) call.answer(STORED, n);
    await until(() => call.written.length === 6);
    call.answer(STORED, 6);
    expect(events.stored.mock.lastCall).toEqual([4]);
    call.answer(STORED, 5);
    await written(call, '1+', '2+', '3+', '4+', '5+', '6+', 'end');
    call.answer(COMPLETE);
    await run;
    expect(events.stored.mock.lastCall).toEqual([6]);
    expect(events.skipped).not.toHaveBeenCalled();
    expect(call.end).toHaveBeenCalledTimes(1);
    expect(call.cancel).not.toHaveBeenCalled();
  });

  it('asks a receiver that has something, and sends only what is wanted, that first', async () => {
    const { call, events, run } = start();
    call.answer(READY_PARTIAL);
    await written(call, '1?', '2?', '3?');
    call.answer(WANTED, 2);
    call.answer(STORED, 1);
    await written(call, '1?', '2?', '3?', '2+', '4?');
    for (const n of [2, 3, 4]) call.answer(STORED, n);
    await until(() => call.written.length === 7);
    call.answer(STORED, 5);
    call.answer(STORED, 6);
    await until(() => call.written.at(-1) === 'end');
    call.answer(COMPLETE);
    await run;
    expect(events.skipped).toHaveBeenCalledTimes(5);
    expect(events.sending).toHaveBeenCalledTimes(1);
  });

  it('sends nothing ahead of a large range', async () => {
    const { call, stream } = start({ bytesInFlightMax: 100 });
    call.answer(READY_EMPTY);
    await written(call, '1+');
    await new Promise((resolve) => setImmediate(resolve));
    expect(call.written).toEqual(['1+']);
    stream.fail(new RingraftError('OUTCOME_UNKNOWN', 'over'));
  });

  it('takes fewer bytes to a range when the rows are small, the same on each stream', async () => {
    const read = jest.spyOn(snapshot, 'range');
    const { call, stream } = start({ rangeBytes: 1_000, rangeRows: 2 });
    call.answer(READY_EMPTY);
    await written(call, '1+', '2+', '3+');
    // A row: 8 bytes for its lengths, 1 for the key, 100 for the value.
    expect(read.mock.calls.map(([, bytes]) => bytes)).toEqual([1_000, 218, 218]);
    stream.fail(new RingraftError('OUTCOME_UNKNOWN', 'over'));
    read.mockRestore();
  });

  it('waits until the stream takes more', async () => {
    const { call, stream } = start();
    call.hasRoom = false;
    call.answer(READY_EMPTY);
    await written(call, '1+');
    call.hasRoom = true;
    call.answer(STORED, 1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(call.written).toEqual(['1+']);
    call.emit('drain');
    await written(call, '1+', '2+', '3+', '4+');
    stream.fail(new RingraftError('OUTCOME_UNKNOWN', 'over'));
  });

  it('takes COMPLETE as the answer to the header', async () => {
    const { call, run } = start();
    call.answer(COMPLETE);
    await expect(run).resolves.toBe('complete');
    expect(call.written).toEqual([]);
  });

  it.each<[string, [SnapshotVerdict, number][]]>([
    ['says twice that it is ready', [[READY_EMPTY, 0], [READY_EMPTY, 0]]], // prettier-ignore
    ['has stored what was not sent', [[READY_EMPTY, 0], [STORED, 4]]], // prettier-ignore
    ['stores before it is ready', [[STORED, 1]]],
    ['stores a range twice', [[READY_EMPTY, 0], [STORED, 1], [STORED, 1]]], // prettier-ignore
    ['wants rows that it has been sent', [[READY_EMPTY, 0], [WANTED, 1]]], // prettier-ignore
    ['has stored what it wants', [[READY_PARTIAL, 0], [WANTED, 1], [STORED, 1]]], // prettier-ignore
    ['is complete before the end', [[READY_EMPTY, 0], [COMPLETE, 0]]], // prettier-ignore
    ['says nothing known', [[UNSPECIFIED, 0]]],
  ])('breaks with a receiver that %s', async (_what, answers) => {
    const { call, outcome } = start();
    for (const [verdict, sequence] of answers) {
      call.answer(verdict, sequence);
      if (verdict === READY_EMPTY || verdict === READY_PARTIAL) await until(() => call.written.length === 3);
    }
    await until(() => outcome() !== undefined);
    expect(outcome()).toMatch(/fits nothing that was sent/);
    expect(call.cancel).toHaveBeenCalledTimes(1);
  });

  it.each<[string, (call: FakeCall) => boolean, string]>([
    ['breaks', (call) => call.emit('error', Object.assign(new Error('x'), { code: status.UNAVAILABLE })), 'UNKNOWN'],
    ['is ended', (call) => call.emit('end'), 'the receiver ended the stream'],
  ])('ends when the stream %s, also in the middle of a wait for its turn', async (_how, end, reason) => {
    const { call, events, run } = start({}, 10);
    call.answer(READY_EMPTY);
    await until(() => events.sending.mock.calls.length === 1);
    end(call);
    await expect(run).resolves.toContain(reason);
    expect(call.written).toEqual(['1+']);
  });

  it('ends with the error of a state that cannot be read', async () => {
    const read = jest.spyOn(snapshot, 'range').mockRejectedValueOnce(new Error('the state is damaged'));
    const { call, run } = start();
    call.answer(READY_EMPTY);
    await expect(run).resolves.toBe('the state is damaged');
    expect(call.cancel).toHaveBeenCalledTimes(1);
    read.mockRestore();
  });

  it('does not call a receiver silent while the turn is the sender’s', async () => {
    // 100 bytes at 500 a second: 200 ms to wait for the second range.
    const { call, run, outcome } = start({ silenceMsMax: 60, bytesPerSecondMin: 1e9, rangesInFlightMax: 1 }, 500);
    call.answer(READY_EMPTY);
    await written(call, '1+');
    call.answer(STORED, 1);
    await written(call, '1+', '2+');
    expect(outcome()).toBeUndefined();
    await run;
    expect(Number(/no answer for (\d+) ms/.exec(outcome()!)![1])).toBeLessThan(150);
  });

  it('gives a receiver the time that a large range takes', async () => {
    // 100 bytes at 200 a second: half a second more.
    const { call, run } = start({ silenceMsMax: 10, bytesPerSecondMin: 200, rangesInFlightMax: 1 });
    const startMs = performance.now();
    call.answer(READY_EMPTY);
    await expect(run).resolves.toContain('no answer for');
    expect(performance.now() - startMs).toBeGreaterThan(500);
  });
});
