import { createHash } from 'node:crypto';
import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js';
import { simpleConfiguration, encodeConfiguration } from '@app/raft';
import {
  Channel,
  SnapshotVerdict,
  SnapshotsClient,
  fromServiceError,
  type InstallSnapshotRequest,
  type InstallSnapshotResponse,
  type SnapshotHeader,
} from '@app/rpc';
import { CorruptStateError, StateFullError, type StateRange } from '@app/storage';
import { until } from '../../../../libs/rpc/src/testing/loopback-server.js';
import { digestOfRows, endRequest, rangeRequest } from './snapshot-wire.js';
import { TransferBed, bytes, metaRow, someRows } from './testing/transfer-bed.js';

const HEADER: SnapshotHeader = {
  clusterId: 'c1',
  leaderId: 'a',
  recipientId: 'b',
  term: 3,
  incarnation: 'data-of-a',
  lastIncludedIndex: 10,
  lastIncludedTerm: 2,
  configurationIndex: 1,
  configuration: Buffer.from(encodeConfiguration(simpleConfiguration(['a', 'b', 'c']))),
  recipientIncarnation: '',
};

/** The first one says what the state is: it has a row more than there are keys. */
function range(from: string, to: string | undefined, ...keys: string[]): StateRange {
  return rangeOfState(10, from, to, ...keys);
}

function rangeOfState(index: number, from: string, to: string | undefined, ...keys: string[]): StateRange {
  const rows = keys.map((key) => ({ key: bytes(key), value: bytes(`value of ${key}`) }));
  if (from === '') rows.unshift(metaRow(index));
  return { from: bytes(from), to: to === undefined ? undefined : bytes(to), rows, digest: digestOfRows(rows) };
}

/** A whole state. */
function rangeOfRows(rows: StateRange['rows']): StateRange {
  return { from: bytes(''), to: undefined, rows, digest: digestOfRows(rows) };
}

/** Of ranges that are announced in this order. */
function digestOf(...ranges: StateRange[]): Uint8Array {
  const hash = createHash('sha256');
  for (const { digest } of ranges) hash.update(digest);
  return hash.digest();
}

/** A sender that says what a test wants it to say. */
class HandMadeSender {
  readonly verdicts: string[] = [];
  outcome: string | undefined;
  private readonly call: ClientDuplexStream<InstallSnapshotRequest, InstallSnapshotResponse>;

  constructor(private readonly channel: Channel) {
    this.call = channel.client(SnapshotsClient).installSnapshot();
    this.call.on('data', ({ verdict, sequence }: InstallSnapshotResponse) =>
      this.verdicts.push(`${SnapshotVerdict[verdict]} ${sequence}`),
    );
    this.call.on('error', (error: ServiceError) => (this.outcome ??= fromServiceError(error).message));
    this.call.on('end', () => (this.outcome ??= 'ended'));
  }

  header(changes: Partial<SnapshotHeader> = {}): this {
    return this.say({ header: { ...HEADER, ...changes } });
  }

  range(sequence: number, range: StateRange, hasRows = true): this {
    return this.say(rangeRequest(sequence, range, hasRows));
  }

  end(ranges: number, rows: number, digest: Uint8Array): this {
    return this.say(endRequest(ranges, rows, digest));
  }

  say(request: InstallSnapshotRequest): this {
    this.call.write(request);
    return this;
  }

  /** The status of the stream, once it has ended. */
  async ended(): Promise<string> {
    await until(() => this.outcome !== undefined);
    return this.outcome!;
  }

  async said(verdict: string): Promise<void> {
    await until(() => this.verdicts.includes(verdict) || this.outcome !== undefined);
    if (!this.verdicts.includes(verdict)) throw new Error(`${this.outcome} instead of ${verdict}`);
  }

  close(): void {
    this.channel.close();
  }
}

describe('SnapshotReceiver', () => {
  let bed: TransferBed;
  const senders: HandMadeSender[] = [];

  beforeEach(async () => {
    bed = await TransferBed.open();
  });

  afterEach(async () => {
    for (const sender of senders.splice(0)) sender.close();
    await bed.close();
  });

  function sender(): HandMadeSender {
    const made = new HandMadeSender(
      new Channel(bed.link.address, { options: { 'grpc.use_local_subchannel_pool': 1 } }),
    );
    senders.push(made);
    return made;
  }

  const wholeState = async (made: HandMadeSender, changes: Partial<SnapshotHeader> = {}) => {
    const all = rangeOfState(changes.lastIncludedIndex ?? 10, '', undefined, 'k');
    made.header(changes).range(1, all).end(1, 2, digestOf(all));
    await made.said('COMPLETE 0');
  };

  it('answers each range when it is durable, and the end when the driver has it', async () => {
    const made = sender();
    const [one, two] = [range('', 'c', 'a', 'b'), range('c', undefined, 'c')];
    made.header().range(1, one).range(2, two);
    await made.said('STORED 2');
    expect(bed.received).toEqual([]);
    made.end(2, 4, digestOf(one, two));
    await expect(made.ended()).resolves.toBe('ended');
    expect(made.verdicts).toEqual(['READY_EMPTY 0', 'STORED 1', 'STORED 2', 'COMPLETE 0']);
    expect(bed.received).toMatchObject([{ incarnation: 'data-of-a', message: { from: 'a', to: 'b', term: 3 } }]);
  });

  it.each<[string, Partial<SnapshotHeader>, string]>([
    ['of another cluster', { clusterId: 'c2' }, 'WRONG_CLUSTER'],
    ['for another node', { recipientId: 'c' }, 'WRONG_CLUSTER'],
    ['of a stranger', { leaderId: 'x' }, 'WRONG_CLUSTER'],
    ['of no entry', { lastIncludedIndex: 0 }, 'INVALID_REQUEST: a state of no entry'],
    ['of no term', { lastIncludedTerm: 0 }, 'INVALID_REQUEST: entry 10 has the impossible term 0'],
    ['of a later term than its leader', { lastIncludedTerm: 4 }, 'INVALID_REQUEST: entry 10 has the impossible term 4'],
    ['of a later configuration', { configurationIndex: 11 }, 'INVALID_REQUEST: the configuration of entry 11'],
    ['of no configuration', { configuration: Buffer.from('x') }, 'INVALID_REQUEST: the configuration'],
    [
      'without voters',
      { configuration: Buffer.from(encodeConfiguration(simpleConfiguration([]))) },
      'INVALID_REQUEST: the configuration',
    ],
  ])('refuses a state %s', async (_what, changes, error) => {
    await expect(sender().header(changes).ended()).resolves.toContain(error);
  });

  it('refuses a stream that does not begin with a header', async () => {
    const outcome = sender().range(1, range('', undefined)).ended();
    await expect(outcome).resolves.toContain('INVALID_REQUEST: the first message of the stream is no header');
  });

  const first = range('', 'c', 'a', 'b');
  const flipped = { ...range('c', 'e', 'd'), digest: first.digest };
  it.each<[string, (made: HandMadeSender) => HandMadeSender, string]>([
    [
      'a number is left out',
      (made) => made.range(3, range('c', 'e', 'd')),
      'range 3, keys 0x63 to 0x65: range 2 belongs',
    ],
    ['a range comes twice', (made) => made.range(1, first), 'range 1, keys 0x to 0x63: range 2 belongs here'],
    ['there is a gap', (made) => made.range(2, range('d', 'e', 'd')), 'range 2, keys 0x64 to 0x65: it does not begin'],
    ['ranges overlap', (made) => made.range(2, range('b', 'e', 'd')), 'range 2, keys 0x62 to 0x65: it does not begin'],
    ['a range is empty', (made) => made.range(2, range('c', 'c')), 'range 2, keys 0x63 to 0x63: it ends before'],
    ['a range goes back', (made) => made.range(2, range('c', 'b')), 'range 2, keys 0x63 to 0x62: it ends before'],
    ['rows are out of order', (made) => made.range(2, range('c', 'f', 'e', 'd')), 'its rows are not in order'],
    ['a row comes twice', (made) => made.range(2, range('c', 'f', 'e', 'e')), 'its rows are not in order'],
    ['a row lies before its range', (made) => made.range(2, range('c', 'f', 'b')), 'its rows are not in order'],
    ['a row lies behind its range', (made) => made.range(2, range('c', 'f', 'f')), 'a row lies behind it'],
    ['rows do not match', (made) => made.range(2, flipped), 'range 2, keys 0x63 to 0x65: its rows do not match'],
    ['a digest is none', (made) => made.range(2, { ...flipped, digest: bytes('x') }), 'its digest is none'],
    [
      'rows come with a question for them',
      (made) => {
        const request = rangeRequest(2, range('c', 'e', 'd'), true);
        request.range!.hasRows = false;
        return made.say(request);
      },
      'it has rows and says that it has none',
    ],
    ['the end comes early', (made) => made.end(1, 2, digestOf(first)), 'the end comes behind range 1'],
    ['a second header comes', (made) => made.header(), 'neither a range nor the end'],
    [
      'something follows the last',
      (made) => made.range(2, range('c', undefined)).range(3, range('', undefined)),
      'the last range came before it',
    ],
  ])('ends the stream when %s, and keeps what came before', async (_what, wrong, error) => {
    const made = sender();
    wrong(made.header().range(1, first));
    await expect(made.ended()).resolves.toMatch(/^INVALID_REQUEST: /);
    expect(made.outcome).toContain(error);
    expect(made.verdicts.slice(0, 2)).toEqual(['READY_EMPTY 0', 'STORED 1']);
    expect(bed.got.lines).toContainEqual(
      expect.objectContaining({
        level: 'error',
        peer: 'a',
        err: expect.objectContaining({ message: expect.stringContaining(error) as string }) as object,
      }),
    );
    const again = sender()
      .header()
      .range(1, first, false)
      .range(2, range('c', 'e', 'd'), false);
    await again.said('WANTED 2');
    expect(again.verdicts).toEqual(['READY_PARTIAL 0', 'STORED 1', 'WANTED 2']);
  });

  const last = range('c', undefined, 'd');
  it.each<[string, [number, number, Uint8Array], string]>([
    ['ranges', [3, 4, digestOf(first, last)], 'the end speaks of 3 ranges, 2 arrived'],
    ['rows', [2, 5, digestOf(first, last)], 'the end speaks of 5 rows, 4 arrived'],
    ['digest', [2, 4, digestOf(last, first)], 'the digest of all ranges does not match'],
  ])('takes no end with a wrong number of %s', async (_what, end, error) => {
    const made = sender()
      .header()
      .range(1, first)
      .range(2, last)
      .end(...end);
    await expect(made.ended()).resolves.toContain(error);
    expect(bed.received).toEqual([]);
  });

  it('takes wanted rows in any order, but no others, and no end before them', async () => {
    const earlier = sender()
      .header()
      .range(1, range('', 'b', 'a'));
    await earlier.said('STORED 1');
    const made = sender().header().range(1, first, false).range(2, last, false);
    await made.said('WANTED 2');
    made.range(2, last).range(1, first).end(2, 4, digestOf(first, last));
    await made.said('COMPLETE 0');
    await bed.install();
    await expect(bed.targetRows()).resolves.toEqual(new Map(['a', 'b', 'd'].map((key) => [key, `value of ${key}`])));
  });

  it.each<[string, (made: HandMadeSender) => HandMadeSender, string]>([
    ['asks again instead', (made) => made.range(1, first, false), 'it is not the range that was asked about'],
    ['sends another', (made) => made.range(1, range('', 'd', 'a')), 'it is not the range that was asked about'],
    [
      'ends',
      (made) => made.range(2, last).end(2, 3, digestOf(first, last)),
      'the end comes before the rows of 1 ranges',
    ],
  ])('ends the stream when a sender whose rows are wanted %s', async (_what, wrong, error) => {
    await sender()
      .header()
      .range(1, range('', 'b', 'a'))
      .said('STORED 1');
    const made = sender().header().range(1, first, false);
    await made.said('WANTED 1');
    await expect(wrong(made).ended()).resolves.toContain(error);
  });

  it('lays down what has arrived meanwhile with one sync, and of that nothing behind a damaged range', async () => {
    const puts: string[] = [];
    let free = () => {};
    bed.wrapStaged = (staged) => {
      const put = staged.put.bind(staged);
      staged.put = async (part) => {
        puts.push(part.rows.map(({ key }) => Buffer.from(key).toString().replace('\u0001', '')).join(''));
        if (puts.length === 1) await new Promise<void>((resolve) => (free = resolve));
        return put(part);
      };
      return staged;
    };
    const arrivals = () => bed.requests.length;
    const made = sender().header();
    await made.said('READY_EMPTY 0');
    made.range(1, range('', 'b', 'a'));
    await until(() => puts.length === 1);
    made.range(2, range('b', 'c', 'b')).range(3, range('c', 'd', 'c'));
    made.range(4, { ...range('d', 'e', 'd'), digest: first.digest }).range(5, range('e', undefined, 'e'));
    await until(() => arrivals() === 6);
    expect(made.verdicts).toEqual(['READY_EMPTY 0']);
    free();
    await expect(made.ended()).resolves.toContain('range 4, keys 0x64 to 0x65: its rows do not match');
    expect(puts).toEqual(['a', 'bc']);
    expect(made.verdicts).toEqual(['READY_EMPTY 0', 'STORED 1', 'STORED 2', 'STORED 3']);
  });

  it('reads no further ahead than a few ranges, however fast they come', async () => {
    let isHeld = true;
    bed.wrapStaged = (staged) => {
      const put = staged.put.bind(staged);
      staged.put = async (part) => {
        await until(() => !isHeld);
        return put(part);
      };
      return staged;
    };
    const made = sender().header();
    await made.said('READY_EMPTY 0');
    const keys = Array.from({ length: 200 }, (_, i) => String(i).padStart(3, '0'));
    const all = keys.map((key, i) => range(i === 0 ? '' : key, keys[i + 1], key));
    all.forEach((each, i) => made.range(i + 1, each));
    made.end(all.length, all.length + 1, digestOf(...all));
    let arrived = -1;
    // No more come within 50 turns.
    for (let still = 0; still < 50; still = arrived === bed.requests.length ? still + 1 : 0) {
      arrived = bed.requests.length;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(arrived).toBeGreaterThan(2);
    expect(arrived).toBeLessThan(40);
    isHeld = false;
    await expect(made.ended()).resolves.toBe('ended');
    await bed.install();
    await expect(bed.targetRows()).resolves.toHaveProperty('size', 200);
  });

  it('gives its turn to a newer stream of the same leader, and of a later one', async () => {
    const [one, two, three] = [sender(), sender(), sender()];
    await one.header().said('READY_EMPTY 0');
    await two.header().range(1, first).said('STORED 1');
    await expect(one.ended()).resolves.toContain('OVERLOADED: a newer stream');
    await three.header({ term: 4 }).said('READY_PARTIAL 0');
    await expect(two.ended()).resolves.toContain('OVERLOADED: a newer stream');
  });

  it('refuses an earlier leader, also when the later one has gone', async () => {
    await sender().header({ term: 5 }).said('READY_EMPTY 0');
    const outcome = sender().header({ term: 4, lastIncludedTerm: 4 }).ended();
    await expect(outcome).resolves.toContain('NOT_LEADER: a leads in term 4, a leader of term 5 was here');
    bed.link.cut();
    await until(() => bed.got.lines.some(({ result }) => result === 'failed'));
    await expect(sender().header({ term: 4 }).ended()).resolves.toContain('NOT_LEADER');
  });

  it('refuses all others while a state waits to be installed, and says COMPLETE again for that one', async () => {
    await wholeState(sender());
    await expect(sender().header({ lastIncludedIndex: 20 }).ended()).resolves.toContain(
      'OVERLOADED: the state of index 10',
    );
    await expect(sender().header({ term: 4 }).ended()).resolves.toContain('OVERLOADED');
    const same = sender().header();
    await expect(same.ended()).resolves.toBe('ended');
    expect(same.verdicts).toEqual(['COMPLETE 0']);
    expect(bed.received).toHaveLength(1);

    await bed.install();
    await sender().header({ lastIncludedIndex: 20 }).said('READY_EMPTY 0');
  });

  it('needs no state of what it has applied', async () => {
    await wholeState(sender());
    await bed.install();
    const made = sender().header({ lastIncludedIndex: 9, term: 8 });
    await expect(made.ended()).resolves.toBe('ended');
    expect(made.verdicts).toEqual(['COMPLETE 0']);
  });

  it('keeps a whole state for the next leader when the driver does not want it', async () => {
    await wholeState(sender());
    const { staged, release } = bed.received[0]!;
    await staged.close();
    release();
    const made = sender()
      .header({ term: 4, lastIncludedIndex: 30 })
      .range(1, range('', undefined, 'k'), false);
    await made.said('STORED 1');
    expect(made.verdicts).toEqual(['READY_PARTIAL 0', 'STORED 1']);
  });

  it('keeps a whole state when nobody reads the inbox', async () => {
    bed.inbox.readBy(undefined);
    const all = range('', undefined, 'k');
    const made = sender().header().range(1, all).end(1, 2, digestOf(all));
    await expect(made.ended()).resolves.toContain('SHUTTING_DOWN');
    bed.readInbox();
    await sender().header().range(1, all, false).said('STORED 1');
  });

  it('ends streams at shutdown, and takes none after it', async () => {
    const made = sender().header();
    await made.said('READY_EMPTY 0');
    await bed.receiver.beforeApplicationShutdown();
    await expect(made.ended()).resolves.toContain('SHUTTING_DOWN');
    await expect(sender().header().ended()).resolves.toContain('SHUTTING_DOWN');
    // The directory of the staged state is free.
    await (await bed.target.stage()).close();
  });

  it('says when there is no space, and goes on from there later', async () => {
    let isFull = true;
    bed.wrapStaged = (staged) => {
      const put = staged.put.bind(staged);
      staged.put = (part) =>
        isFull && part.to === undefined ? Promise.reject(new StateFullError('x', 'y')) : put(part);
      return staged;
    };
    const made = sender().header().range(1, first);
    await made.said('STORED 1');
    await expect(made.range(2, last).ended()).resolves.toContain('STORAGE_FULL');
    isFull = false;
    const again = sender().header().range(1, first, false);
    await again.said('STORED 1');
  });

  it('throws away what is damaged on its own disk', async () => {
    bed.wrapStaged = (staged) => {
      staged.digestOf = () => Promise.reject(new CorruptStateError('x', 'y'));
      return staged;
    };
    await sender().header().range(1, first).said('STORED 1');
    await expect(sender().header().range(1, first, false).ended()).resolves.toContain('INTERNAL');
    await sender().header().said('READY_EMPTY 0');
  });

  describe('a state that is not what it says of itself', () => {
    const whole = range('', undefined, 'k');
    const contradictory: StateRange = rangeOfRows([
      whole.rows[0]!,
      { key: Uint8Array.of(0x10, 1), value: bytes('x') },
      ...whole.rows.slice(1),
    ]);

    it('is refused, named in the log and thrown away: a record more than it was written with', async () => {
      const made = sender().header().range(1, contradictory).end(1, 3, digestOf(contradictory));
      await expect(made.ended()).resolves.toMatch(
        /^INVALID_REQUEST: the state contradicts itself.*after entry 10 .* written with 0000000000000000$/,
      );
      expect(bed.received).toEqual([]);
      const message = expect.stringContaining('the state contradicts itself') as string;
      expect(bed.got.lines).toContainEqual(
        expect.objectContaining({ level: 'error', err: expect.objectContaining({ message }) as object }),
      );
      await sender().header().said('READY_EMPTY 0');
    });

    it('is refused also when its rows came with an earlier stream', async () => {
      await sender().header().range(1, contradictory).said('STORED 1');
      const made = sender().header().range(1, contradictory, false).end(1, 3, digestOf(contradictory));
      await expect(made.ended()).resolves.toContain('the state contradicts itself');
      expect(made.verdicts).toEqual(['READY_PARTIAL 0', 'STORED 1']);
      expect(bed.received).toEqual([]);
    });

    it('is refused: of another entry', async () => {
      const made = sender().header({ lastIncludedIndex: 11 }).range(1, whole).end(1, 2, digestOf(whole));
      await expect(made.ended()).resolves.toContain('said to be of entry 11, and says of itself to be of 10');
    });

    it('is refused: without a word about itself', async () => {
      const mute = rangeOfRows(whole.rows.slice(1));
      await expect(sender().header().range(1, mute).end(1, 1, digestOf(mute)).ended()).resolves.toContain(
        'what it says of itself cannot be read: meta row',
      );
    });

    it('is named in the log of the sender, which gives up', async () => {
      await bed.senders.beforeApplicationShutdown();
      bed.openSender({ retryDelayMs: 5, retryDelayMsMax: 20, stallMsMax: 300 });
      const rows = new Map([['\u0010record', 'of nobody']]);
      await expect(bed.send(await bed.snapshotOf(rows))).resolves.toBe(false);
      const message = expect.stringContaining('the state contradicts itself') as string;
      expect(bed.sent.lines).toContainEqual(
        expect.objectContaining({ level: 'error', err: expect.objectContaining({ message }) as object }),
      );
    });
  });

  describe('on a disk that is full', () => {
    it('takes no rows, says why, and goes on from there when there is room again', async () => {
      const made = sender().header().range(1, first);
      await made.said('STORED 1');
      bed.condition.raise('storage_full', 'only 5 bytes are free');
      await expect(made.range(2, last).ended()).resolves.toContain(
        'STORAGE_FULL: there is no space for the state: only 5',
      );
      expect(bed.got.lines).toContainEqual(
        expect.objectContaining({ reason: expect.stringContaining('only 5 bytes are free') as string }),
      );
      bed.condition.clear('storage_full');
      await sender().header().range(1, first, false).said('STORED 1');
    });

    it('gives back the space of what has arrived when not even the log has any', async () => {
      const made = sender().header().range(1, first);
      await made.said('STORED 1');
      bed.condition.raise('storage_full', 'full');
      bed.condition.raise('storage_exhausted', 'nothing is free');
      await expect(made.ended()).resolves.toContain('STORAGE_FULL');
      await until(() => !bed.target.hasStaged);
    });

    it.each<'storage_full' | 'storage_exhausted'>(['storage_full', 'storage_exhausted'])(
      'throws away at %s what an earlier stream has left',
      async (trouble) => {
        await leftByEarlierStream();
        bed.condition.raise(trouble, 'full');
        await until(() => bed.got.lines.at(-1)!.level === 'warn');
        expect(bed.got.lines.at(-1)).toMatchObject({ reason: 'the disk is full' });
        expect(bed.target.hasStaged).toBe(false);
      },
    );

    it('keeps a state that is being installed', async () => {
      await wholeState(sender());
      bed.condition.raise('storage_exhausted', 'full');
      await bed.install();
      await expect(bed.targetRows()).resolves.toHaveProperty('size', 1);
    });
  });

  describe('what an unfinished transfer has left', () => {
    const laterMs = (minutes: number) => performance.now() + minutes * 60_000;
    const follow = () => {
      bed.target.write([], 1);
    };

    it('goes when the node has followed by the log for ten minutes', async () => {
      await leftByEarlierStream();
      follow();
      await bed.receiver.discardUnwanted(laterMs(9));
      expect(bed.target.hasStaged).toBe(true);
      await bed.receiver.discardUnwanted(laterMs(11));
      expect(bed.target.hasStaged).toBe(false);
    });

    it('stays as long as the node gets no further, and while a stream goes on with it', async () => {
      await leftByEarlierStream();
      await bed.receiver.discardUnwanted(laterMs(11));
      expect(bed.target.hasStaged).toBe(true);
      const made = sender().header();
      await made.said('READY_PARTIAL 0');
      follow();
      await bed.receiver.discardUnwanted(laterMs(11));
      await made.range(1, first, false).said('STORED 1');
    });
  });

  async function leftByEarlierStream(): Promise<void> {
    const made = sender().header().range(1, first);
    await made.said('STORED 1');
    made.say({});
    await made.ended();
    await until(() => bed.got.lines.some(({ result }) => result === 'failed'));
    await new Promise((resolve) => setImmediate(resolve));
  }

  it('does not tell a stranger what went wrong inside', async () => {
    bed.wrapStaged = () => {
      throw new Error('/secret/path');
    };
    await expect(sender().header().ended()).resolves.toBe('INTERNAL: unexpected error');
    expect(JSON.stringify(bed.got.lines)).toContain('/secret/path');
  });

  it('serves the real sender after all of that', async () => {
    const rows = someRows(10, 10);
    await wholeState(sender(), { lastIncludedIndex: 5 });
    await bed.install();
    await expect(bed.send(await bed.snapshotOf(rows))).resolves.toBe(true);
    await bed.install();
    await expect(bed.targetRows()).resolves.toEqual(rows);
  });
});
