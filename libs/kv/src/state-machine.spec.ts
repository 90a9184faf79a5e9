import { decodeAnswer } from './answer-codec.js';
import { encodeBatch } from './command-batch.js';
import { encodeCommand } from './command-codec.js';
import type { Condition, IncrementCommand, SetCommand } from './commands.js';
import { UnsupportedVersionError } from './decode-error.js';
import { MemoryKeySpace } from './memory-key-space.js';
import { decodeExpiryRow, expiryRange, metaRowKey } from './rows.js';
import { StateMachine } from './state-machine.js';
import { ascii, fromHex, text } from './testing/bytes.js';
import { Replica, restoreRows } from './testing/replica.js';

const NOW = 1_790_000_000_000;
const NOT_FOUND = { kind: 'get', found: false };

function set(key: string, value = 'v', options: Partial<SetCommand> = {}): SetCommand {
  return { kind: 'set', key: ascii(key), value: ascii(value), contentType: '', ttlMs: 0, ...options };
}

function del(key: string, condition?: Condition) {
  return { kind: 'delete' as const, key: ascii(key), condition };
}

function increment(key: string, delta: bigint, condition?: Condition): IncrementCommand {
  return { kind: 'increment', key: ascii(key), delta, condition };
}

function expire(...keys: string[]) {
  return { kind: 'expire' as const, keys: keys.map(ascii) };
}

function found(value: string, revision: number, contentType = '') {
  return { kind: 'get', found: true, record: { value: ascii(value), contentType, revision } };
}

function dueKeys(replica: Replica, nowMs: number): string[] {
  const { from, to } = expiryRange(nowMs);
  let keys: string[] = [];
  replica.space.scan(from, to, 1_000, (_, rows) => (keys = rows.map((row) => text(decodeExpiryRow(row).key))));
  return keys;
}

describe('StateMachine', () => {
  let replica: Replica;

  beforeEach(() => {
    replica = new Replica();
  });

  describe('records', () => {
    it('is empty at revision 0', () => {
      expect(replica.read('k')).toEqual(NOT_FOUND);
      const { appliedIndex, revision, logTimeMs, sessionCount } = replica.machine;
      expect({ appliedIndex, revision, logTimeMs, sessionCount }).toEqual({
        appliedIndex: 0,
        revision: 0,
        logTimeMs: 0,
        sessionCount: 0,
      });
    });

    it('sets, replaces and deletes, one revision each', () => {
      expect(replica.doAt(NOW, set('k', 'one', { contentType: 'text/plain' }))).toEqual({
        kind: 'set',
        created: true,
        revision: 1,
      });
      expect(replica.read('k')).toEqual(found('one', 1, 'text/plain'));
      expect(replica.doAt(NOW, set('k', 'two'))).toEqual({ kind: 'set', created: false, revision: 2 });
      expect(replica.read('k')).toEqual(found('two', 2));
      expect(replica.doAt(NOW, del('k'))).toEqual({ kind: 'delete', deleted: true, revision: 3 });
      expect(replica.read('k')).toEqual(NOT_FOUND);
      expect(replica.machine.revision).toBe(3);
    });

    it('does not advance the revision for the delete of nothing', () => {
      replica.doAt(NOW, set('other'));
      expect(replica.doAt(NOW, del('k'))).toEqual({ kind: 'delete', deleted: false, revision: 1 });
      expect(replica.machine.revision).toBe(1);
    });

    it('lets a command see the earlier ones of its own entry and call', () => {
      const data = (...commands: Parameters<typeof encodeCommand>[0][]) =>
        encodeBatch(NOW, commands.map(encodeCommand));
      const answers = replica.machine.apply([
        { index: 1, data: data(set('k', '5'), increment('k', 1n)) },
        { index: 2, data: data(increment('k', 1n), del('k'), increment('k', 1n)) },
        { index: 3, data: data(set('k', 'x', { condition: { kind: 'ifRevision', revision: 5 } }), set('l')) },
      ]);
      expect(answers.map((each) => each.length)).toEqual([2, 3, 2]);
      expect(replica.read('k')).toEqual(found('x', 6));
      expect(replica.read('l')).toEqual(found('v', 7));
      expect(replica.machine.appliedIndex).toBe(3);
    });

    it('keeps keys and values of any bytes, the empty value too', () => {
      const key = Uint8Array.from({ length: 5_000 }, (_, i) => i & 0xff);
      const value = Uint8Array.from({ length: 256 }, (_, i) => 255 - i);
      replica.doAt(NOW, { ...set('k'), key, value });
      replica.doAt(NOW, set('empty', ''));
      expect(replica.machine.read({ kind: 'get', key })).toMatchObject({ found: true, record: { value } });
      expect(replica.machine.read({ kind: 'get', key: key.subarray(0, 4_999) })).toEqual(NOT_FOUND);
      expect(replica.read('empty')).toEqual(found('', 2));
    });

    it('does not share memory with the log entry', () => {
      const data = encodeBatch(NOW, [encodeCommand(set('key', 'value'))]);
      replica.machine.apply([{ index: 1, data }]);
      data.fill(0);
      expect(replica.read('key')).toEqual(found('value', 1));
    });
  });

  describe('conditions', () => {
    const REVISION_1: Condition = { kind: 'ifRevision', revision: 1 };
    const REVISION_9: Condition = { kind: 'ifRevision', revision: 9 };
    const ABSENT: Condition = { kind: 'ifAbsent' };
    const PRESENT: Condition = { kind: 'ifPresent' };

    it.each([
      ['there', REVISION_1, true],
      ['there', REVISION_9, false],
      ['there', ABSENT, false],
      ['there', PRESENT, true],
      ['absent', REVISION_1, false],
      ['absent', { kind: 'ifRevision', revision: 0 } as const, false],
      ['absent', ABSENT, true],
      ['absent', PRESENT, false],
      ['expired', { kind: 'ifRevision', revision: 2 } as const, false],
      ['expired', ABSENT, true],
      ['expired', PRESENT, false],
    ])('asks of a key that is %s: %j -> %s', (key, condition, holds) => {
      for (const command of [set(key, '1', { condition }), del(key, condition), increment(key, 1n, condition)]) {
        replica = new Replica();
        replica.applyAt(NOW, set('there', '7'), set('expired', '7', { ttlMs: 10 }));
        const changes = holds && !(command.kind === 'delete' && key !== 'there');
        const answer = replica.doAt(NOW + 10, command);
        const revision = key === 'there' ? 1 : 0;
        const failure = { kind: 'failure', code: 'PRECONDITION_FAILED', revision };
        expect(answer).toMatchObject(holds ? { kind: command.kind } : failure);
        expect(replica.machine.revision > 2).toBe(changes);
      }
    });
  });

  describe('increments', () => {
    const TEXT = 'text/plain; charset=utf-8';

    it('count from 0, and keep the sum as decimal text', () => {
      expect(replica.doAt(NOW, increment('n', 5n))).toEqual({ kind: 'increment', value: 5n, revision: 1 });
      expect(replica.doAt(NOW, increment('n', -47n))).toEqual({ kind: 'increment', value: -42n, revision: 2 });
      expect(replica.read('n')).toEqual(found('-42', 2, TEXT));
    });

    it('take an ordinary value that is an integer, and refuse any other', () => {
      replica.applyAt(NOW, set('n', '41', { contentType: 'application/json' }), set('word', '41 '));
      expect(replica.doAt(NOW, increment('n', 1n))).toEqual({ kind: 'increment', value: 42n, revision: 3 });
      expect(replica.read('n')).toEqual(found('42', 3, TEXT));
      expect(replica.doAt(NOW, increment('word', 1n))).toEqual({ kind: 'failure', code: 'NOT_AN_INTEGER' });
      expect(replica.read('word')).toEqual(found('41 ', 2));
      expect(replica.machine.revision).toBe(3);
    });

    it.each([
      [2n ** 63n - 1n, 1n],
      [-(2n ** 63n), -1n],
      [2n ** 63n - 1n, 2n ** 63n - 1n],
    ])('do not pass 64 bits: %s + %s', (start, delta) => {
      replica.doAt(NOW, increment('n', start));
      expect(replica.doAt(NOW, increment('n', delta))).toEqual({ kind: 'failure', code: 'OVERFLOW' });
      expect(replica.read('n')).toEqual(found(`${start}`, 1, TEXT));
    });

    it('reach both ends of 64 bits', () => {
      replica.doAt(NOW, increment('n', 2n ** 63n - 1n));
      replica.doAt(NOW, increment('n', -(2n ** 63n)));
      expect(replica.read('n')).toEqual(found('-1', 2, TEXT));
      expect(replica.doAt(NOW, increment('n', -(2n ** 63n) + 1n))).toMatchObject({ value: -(2n ** 63n) });
    });

    it('keep the time to live', () => {
      replica.applyAt(NOW, set('n', '1', { ttlMs: 100 }), increment('n', 1n));
      expect(dueKeys(replica, NOW + 100)).toEqual(['n']);
      replica.applyAt(NOW + 99);
      expect(replica.read('n')).toEqual(found('2', 2, TEXT));
      replica.applyAt(NOW + 100);
      expect(replica.read('n')).toEqual(NOT_FOUND);
    });

    it('count from 0 again, and for ever, after the key has expired', () => {
      replica.doAt(NOW, set('n', '41', { ttlMs: 100 }));
      expect(replica.doAt(NOW + 100, increment('n', 1n))).toEqual({ kind: 'increment', value: 1n, revision: 2 });
      expect(dueKeys(replica, Number.MAX_SAFE_INTEGER)).toEqual([]);
    });
  });

  describe('log time and expiry', () => {
    it('takes the highest stamp so far, and moves on without commands too', () => {
      replica.applyAt(NOW);
      expect(replica.machine.logTimeMs).toBe(NOW);
      replica.applyAt(NOW - 5_000);
      expect(replica.machine.logTimeMs).toBe(NOW);
      replica.applyAt(NOW + 1);
      expect(replica.machine.logTimeMs).toBe(NOW + 1);
    });

    it('expires a key when log time reaches its end', () => {
      replica.doAt(NOW, set('k', 'v', { ttlMs: 1_000 }));
      replica.applyAt(NOW + 999);
      expect(replica.read('k')).toEqual(found('v', 1));
      replica.applyAt(NOW + 1_000);
      expect(replica.read('k')).toEqual(NOT_FOUND);
    });

    it('never lets a key come back to life when the next leader has a slower clock', () => {
      replica.doAt(NOW, set('k', 'v', { ttlMs: 1_000 }));
      replica.applyAt(NOW + 1_000);
      replica.applyAt(NOW + 10);
      expect(replica.read('k')).toEqual(NOT_FOUND);
      expect(replica.doAt(NOW + 20, del('k', { kind: 'ifPresent' }))).toMatchObject({ code: 'PRECONDITION_FAILED' });
      expect(replica.doAt(NOW + 30, increment('k', 1n))).toMatchObject({ value: 1n });
    });

    it('counts a time to live from log time, not from a stamp that lags behind it', () => {
      replica.applyAt(NOW);
      replica.doAt(NOW - 900, set('k', 'v', { ttlMs: 1_000 }));
      replica.applyAt(NOW + 999);
      expect(replica.read('k')).toEqual(found('v', 1));
    });

    it('takes an expired key as absent: set creates, delete finds nothing', () => {
      replica.applyAt(NOW, set('k', 'v', { ttlMs: 1 }), set('l', 'v', { ttlMs: 1 }));
      expect(replica.doAt(NOW + 1, set('k', 'w'))).toEqual({ kind: 'set', created: true, revision: 3 });
      expect(replica.doAt(NOW + 1, del('l'))).toEqual({ kind: 'delete', deleted: false, revision: 3 });
    });

    it('removes exactly the expired ones of the keys that it is told, one revision each', () => {
      replica.applyAt(
        NOW,
        set('a', 'v', { ttlMs: 10 }),
        set('b', 'v', { ttlMs: 11 }),
        set('c', 'v', { ttlMs: 5 }),
        set('for ever'),
      );
      const command = expire('a', 'b', 'c', 'c', 'for ever', 'absent');
      expect(replica.doAt(NOW + 10, command)).toEqual({ kind: 'expire', removed: 2, revision: 6 });
      expect(replica.machine.revision).toBe(6);
      expect(dueKeys(replica, Number.MAX_SAFE_INTEGER)).toEqual(['b']);
      expect(replica.read('b')).toEqual(found('v', 2));
      expect(replica.read('for ever')).toEqual(found('v', 4));
      expect(replica.doAt(NOW + 10, command)).toEqual({ kind: 'expire', removed: 0, revision: 6 });
    });

    it('does not expire a key that was set again before the sweeper came', () => {
      replica.doAt(NOW, set('k', 'v', { ttlMs: 10 }));
      replica.doAt(NOW + 10, set('k', 'again', { ttlMs: 10 }));
      expect(replica.doAt(NOW + 11, expire('k'))).toMatchObject({ removed: 0 });
      expect(replica.read('k')).toEqual(found('again', 2));
    });

    it('keeps one index row for each key that can expire, sorted by time', () => {
      replica.applyAt(NOW, set('late', 'v', { ttlMs: 300 }), set('soon', 'v', { ttlMs: 100 }), set('never'));
      expect(dueKeys(replica, NOW + 300)).toEqual(['soon', 'late']);
      expect(dueKeys(replica, NOW + 299)).toEqual(['soon']);
      expect(dueKeys(replica, NOW + 99)).toEqual([]);
      // The same time, another time, no time, gone.
      replica.applyAt(
        NOW,
        set('late', 'w', { ttlMs: 300 }),
        set('soon', 'w', { ttlMs: 400 }),
        set('soon', 'x', { ttlMs: 500 }),
      );
      expect(dueKeys(replica, NOW + 1_000)).toEqual(['late', 'soon']);
      replica.applyAt(NOW, set('late', 'forever'));
      expect(dueKeys(replica, NOW + 1_000)).toEqual(['soon']);
      replica.applyAt(NOW, del('soon'));
      expect(dueKeys(replica, Number.MAX_SAFE_INTEGER)).toEqual([]);
    });

    it('takes a time to live beyond all counting as very long', () => {
      replica.doAt(NOW, set('k', 'v', { ttlMs: Number.MAX_SAFE_INTEGER }));
      replica.applyAt(Number.MAX_SAFE_INTEGER - 1);
      expect(replica.read('k')).toEqual(found('v', 1));
      expect(dueKeys(replica, Number.MAX_SAFE_INTEGER)).toEqual(['k']);
    });
  });

  describe('entries', () => {
    it('refuses an entry that was applied before, or that leaves a gap, and is none the worse for it', () => {
      const data = encodeBatch(NOW, [encodeCommand(increment('n', 1n))]);
      replica.machine.apply([{ index: 1, data }]);
      const before = replica.rows();
      for (const indexes of [[1], [0], [3], [2, 2], [2, 4], [3, 2], [NaN]]) {
        expect(() => replica.machine.apply(indexes.map((index) => ({ index, data })))).toThrow(RangeError);
      }
      expect(replica.rows()).toEqual(before);
      expect(replica.machine.appliedIndex).toBe(1);
      replica.machine.apply([{ index: 2, data }]);
      expect(replica.read('n')).toMatchObject({ record: { value: ascii('2') } });
    });

    it('moves the applied index over entries that carry nothing', () => {
      const nothing = new Uint8Array(0);
      expect(replica.machine.apply([])).toEqual([]);
      expect(replica.machine.apply([{ index: 1, data: nothing }])).toEqual([[]]);
      expect(replica.machine.appliedIndex).toBe(1);
      const data = encodeBatch(NOW, [encodeCommand(set('k'))]);
      const answers = replica.machine.apply([
        { index: 2, data: nothing },
        { index: 3, data },
        { index: 4, data: nothing },
      ]);
      expect(answers.map((each) => each.length)).toEqual([0, 1, 0]);
      expect(replica.machine.appliedIndex).toBe(4);
    });

    it('writes once for each call, with the index of the last entry', () => {
      const space = new MemoryKeySpace();
      const write = jest.spyOn(space, 'write');
      const machine = new StateMachine(space);
      const data = encodeBatch(NOW, [encodeCommand(set('k'))]);
      machine.apply([1, 2, 3].map((index) => ({ index, data })));
      machine.apply([{ index: 4, data: new Uint8Array(0) }]);
      expect(write.mock.calls.map(([, index]) => index)).toEqual([3, 4]);
      // The history went on.
      expect(write.mock.calls[1]![0].map(({ key }) => key)).toEqual([metaRowKey()]);
    });

    it('answers a command that cannot be read, or is none for the log, and applies the others', () => {
      const good = encodeCommand(set('k'));
      const answers = replica.applyBytes(
        NOW,
        good.subarray(0, 5),
        encodeCommand({ kind: 'get', key: ascii('k') }),
        good,
      );
      expect(replica.machine.revision).toBe(1);
      expect(answers.map(decodeAnswer)).toEqual([
        { kind: 'failure', code: 'INVALID_COMMAND', field: 'contentType', reason: expect.any(String) as string },
        { kind: 'failure', code: 'INVALID_COMMAND', field: 'kind', reason: expect.any(String) as string },
        { kind: 'set', created: true, revision: 1 },
      ]);
      expect(replica.read('k')).toEqual(found('v', 1));
    });

    it.each([
      ['a batch of a newer version', fromHex('02 00 00')],
      ['a command of a newer version', encodeBatch(NOW, [encodeCommand(set('k')), fromHex('0201')])],
      ['a command of a newer kind', encodeBatch(NOW, [encodeCommand(set('k')), fromHex('0107')])],
    ])('stops at %s, writes nothing, and goes on only after a restore', (_, data) => {
      replica.doAt(NOW, set('a'));
      const before = replica.rows();
      const good = encodeBatch(NOW + 1, [encodeCommand(set('b'))]);
      const entries = [
        { index: 2, data: good },
        { index: 3, data },
      ];
      expect(() => replica.machine.apply(entries)).toThrow(UnsupportedVersionError);
      expect(replica.rows()).toEqual(before);
      expect(replica.machine.appliedIndex).toBe(1);
      expect(() => replica.machine.apply(entries.slice(0, 1))).toThrow('broken');
      expect(() => replica.read('a')).toThrow('broken');
      replica.machine.restore(restoreRows(replica.space));
      expect(replica.machine.logTimeMs).toBe(NOW);
      expect(replica.machine.revision).toBe(1);
      replica.machine.apply(entries.slice(0, 1));
      expect(replica.read('b')).toEqual(found('v', 2));
    });

    it('refuses to work over a space that holds something until it is restored', () => {
      replica.doAt(NOW, set('k'));
      const machine = new StateMachine(replica.space);
      expect(() => machine.apply([{ index: 2, data: new Uint8Array(0) }])).toThrow('not restored');
      expect(() => machine.read({ kind: 'get', key: ascii('k') })).toThrow('not restored');
    });

    it('refuses to restore rows that are not in the ranges', () => {
      replica.doAt(NOW, set('k'));
      expect(() => new StateMachine(replica.space).restore(replica.space.rows())).toThrow('prefix 16');
    });

    it('has its counters again after a restart', () => {
      replica.applyAt(NOW, set('k'), set('l'));
      replica.openSession(NOW + 7);
      const { machine } = replica.restarted();
      expect([machine.appliedIndex, machine.revision, machine.logTimeMs, machine.sessionCount]).toEqual([
        2,
        2,
        NOW + 7,
        1,
      ]);
    });
  });
});
