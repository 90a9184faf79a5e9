import { EventEmitter } from 'node:events';
import { EntryType, type AppendEntries } from '@app/raft';
import type { Channel } from '@app/rpc';
import { PeerStream } from './peer-stream.js';

const REOPEN_DELAY_MS = 150;

const append = (entryCount: number): AppendEntries => ({
  type: 'AppendEntries',
  from: 'me',
  to: 'peer',
  term: 1,
  prevLogIndex: 0,
  prevLogTerm: 0,
  entries: Array.from({ length: entryCount }, (_, i) => ({
    index: i + 1,
    term: 1,
    type: EntryType.Normal,
    data: Uint8Array.of(1),
  })),
  leaderCommit: 0,
  readContext: 0,
});

class FakeCall extends EventEmitter {
  readonly written: unknown[] = [];
  isFull = false;
  isCancelled = false;

  write(message: unknown): boolean {
    this.written.push(message);
    return !this.isFull;
  }

  cancel(): void {
    this.isCancelled = true;
  }
}

function open() {
  const calls: FakeCall[] = [];
  const events: string[] = [];
  const appendEntries = () => {
    const call = new FakeCall();
    calls.push(call);
    return call;
  };
  const channel = { client: () => ({ appendEntries }) } as unknown as Channel;
  const stream = new PeerStream('c1', 'me', 'disk of me', 'peer', () => 'disk of peer', channel, REOPEN_DELAY_MS, {
    received: () => events.push('received'),
    unreachable: () => events.push('unreachable'),
    opened: () => events.push('opened'),
    broken: (_id, reason) => events.push(`broken: ${reason}`),
  });
  return { stream, calls, events };
}

const pause = () => new Promise((resolve) => setTimeout(resolve, 2 * REOPEN_DELAY_MS));

describe('PeerStream', () => {
  afterEach(() => jest.restoreAllMocks());

  it('drops what the writer has no room for, and reports it unless it was a heartbeat', () => {
    const { stream, calls, events } = open();
    stream.send(append(1));
    calls[0]!.isFull = true;
    for (let i = 0; i < 100; i++) stream.send(append(1));
    stream.send(append(0));
    expect(calls[0]!.written).toHaveLength(2);
    expect(events).toEqual(Array.from({ length: 99 }, () => 'unreachable'));
    calls[0]!.isFull = false;
    calls[0]!.emit('drain');
    stream.send(append(0));
    expect(calls[0]!.written).toHaveLength(3);
  });

  it('opens again after it broke, not at once, and tells of an outage once', async () => {
    const { stream, calls, events } = open();
    stream.send(append(1));
    calls[0]!.emit('error', new Error('gone'));
    stream.send(append(0));
    expect({ calls: calls.length, isCancelled: calls[0]!.isCancelled }).toEqual({ calls: 1, isCancelled: true });
    await pause();
    stream.send(append(0));
    calls[1]!.emit('end');
    await pause();
    stream.send(append(0));
    expect(calls).toHaveLength(3);
    expect(events).toEqual(['unreachable', 'broken: gone', 'unreachable']);
  });

  it('opens again when the wall clock was set back meanwhile', async () => {
    const { stream, calls } = open();
    stream.send(append(1));
    const hourBefore = Date.now() - 3_600_000;
    jest.spyOn(Date, 'now').mockReturnValue(hourBefore);
    calls[0]!.emit('error', new Error('gone'));
    await pause();
    stream.send(append(1));
    expect(calls).toHaveLength(2);
  });

  it('opens nothing once it is closed', async () => {
    const { stream, calls } = open();
    stream.send(append(1));
    stream.close();
    calls[0]!.emit('error', new Error('cancelled'));
    await pause();
    stream.send(append(1));
    expect(calls).toHaveLength(1);
  });
});
