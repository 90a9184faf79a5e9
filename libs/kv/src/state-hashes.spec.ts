import { encodeBatch } from './command-batch.js';
import { encodeCommand } from './command-codec.js';
import type { Command } from './commands.js';
import { DecodeError, UnsupportedVersionError } from './decode-error.js';
import { HASH_TRAIL_ENTRIES } from './hash-trail.js';
import type { Row } from './key-space.js';
import { metaRowKey, userRowKey } from './rows.js';
import { StateCheck } from './state-check.js';
import { StateMachine } from './state-machine.js';
import { ascii } from './testing/bytes.js';
import { Replica, restoreRows } from './testing/replica.js';

const NOW = 1_790_000_000_000;
const EMPTY_CONTENT = '0000000000000000';

function set(key: string, value: string, ttlMs = 0): Command {
  return { kind: 'set', key: ascii(key), value: ascii(value), contentType: '', ttlMs };
}

function del(key: string): Command {
  return { kind: 'delete', key: ascii(key) };
}

function increment(key: string): Command {
  return { kind: 'increment', key: ascii(key), delta: 1n };
}

function expire(...keys: string[]): Command {
  return { kind: 'expire', keys: keys.map(ascii) };
}

function check(rows: Iterable<Row>) {
  const found = new StateCheck();
  for (const row of rows) found.add(row);
  return found.verdict();
}

/** As a disk would: behind the back of everyone. */
function flipLastBit(replica: Replica, key: string): void {
  const stored = replica.space.get(userRowKey(ascii(key)))!;
  stored[stored.length - 1]! ^= 1;
}

describe('the hashes of a state', () => {
  let replica: Replica;

  function content(): string {
    const { hashes } = replica.machine;
    expect(check(replica.space.rows())).toEqual({
      appliedIndex: replica.machine.appliedIndex,
      recorded: hashes,
      content: hashes.content,
      isSound: true,
    });
    return hashes.content;
  }

  beforeEach(() => {
    replica = new Replica();
  });

  describe('content', () => {
    it('is that of the rows after every kind of change', () => {
      const seen = [replica.machine.hashes.content];
      const commands: Command[][] = [
        [set('k', 'one')],
        [set('k', 'two')],
        [set('l', 'one', 100)],
        [increment('n'), increment('n')],
        [set('k', 'three'), set('k', 'four'), increment('n'), del('n'), set('n', '8')],
        [del('k')],
      ];
      for (const each of commands) {
        replica.applyAt(NOW, ...each);
        seen.push(content());
      }
      replica.applyAt(NOW + 100, expire('l', 'n'));
      seen.push(content());
      expect(new Set(seen).size).toBe(seen.length);
    });

    it('is 0 when everything is gone: deleted, or expired and swept', () => {
      replica.applyAt(NOW, set('a', '1'), set('b', '2', 10), increment('c'));
      replica.applyAt(NOW, del('a'), set('c', 'text'), del('c'));
      expect(content()).not.toBe(EMPTY_CONTENT);
      replica.applyAt(NOW + 10, expire('b'));
      expect(content()).toBe(EMPTY_CONTENT);
    });

    it('does not change when nothing does: refusals, keys that are not there, time that passes', () => {
      replica.applyAt(NOW, set('k', 'word'), set('l', 'v', 10));
      const before = content();
      replica.applyAt(NOW + 10, del('absent'), increment('k'), expire('k'), del('l'));
      replica.openSession(NOW + 11);
      expect(content()).toBe(before);
    });

    it('follows a key that has expired and is set again before it was swept', () => {
      replica.applyAt(NOW, set('k', 'old', 10));
      replica.applyAt(NOW + 10, set('k', 'new'));
      content();
      replica.applyAt(NOW + 10, del('k'));
      expect(content()).toBe(EMPTY_CONTENT);
    });

    it('depends on the rows, not on how they came about', () => {
      const other = new Replica();
      replica.applyAt(NOW, set('a', '1'), set('b', '2'));
      other.applyAt(NOW - 1, set('a', '1'));
      other.applyAt(NOW, set('b', '2'));
      expect(other.machine.hashes.content).toBe(content());
      expect(other.machine.hashes.history).not.toBe(replica.machine.hashes.history);
    });
  });

  describe('history', () => {
    it('advances with each entry, the empty ones too', () => {
      const seen = [replica.machine.hashes.history];
      const nothing = new Uint8Array(0);
      for (const data of [nothing, encodeBatch(NOW, []), nothing, encodeBatch(NOW, [encodeCommand(del('k'))])]) {
        replica.machine.apply([{ index: replica.machine.appliedIndex + 1, data }]);
        seen.push(replica.machine.hashes.history);
      }
      expect(new Set(seen).size).toBe(seen.length);
      expect(replica.machine.hashes.content).toBe(EMPTY_CONTENT);
    });

    it('contains the log time, even where nothing shows it', () => {
      const other = new Replica();
      replica.applyAt(NOW);
      other.applyAt(NOW + 1);
      expect(other.machine.hashes.history).not.toBe(replica.machine.hashes.history);
    });
  });

  describe('of a replica with a damaged row', () => {
    let damaged: Replica;

    beforeEach(() => {
      damaged = new Replica();
      for (const each of [replica, damaged]) each.applyAt(NOW, set('n', '40'), set('other', 'x'));
      flipLastBit(damaged, 'n');
    });

    it('tell nothing while nobody has touched it, but the check of the rows does', () => {
      for (const each of [replica, damaged]) each.applyAt(NOW, set('other', 'y'));
      expect(damaged.machine.hashes).toEqual(replica.machine.hashes);
      expect(check(replica.space.rows()).isSound).toBe(true);
      const verdict = check(damaged.space.rows());
      expect(verdict.isSound).toBe(false);
      expect(verdict.recorded).toEqual(replica.machine.hashes);
      expect(verdict.content).not.toBe(replica.machine.hashes.content);
    });

    it('differ in history and content from the entry on that is answered differently', () => {
      for (const each of [replica, damaged]) {
        const datas = [[set('m', '1')], [increment('n')], [set('m', '2')]];
        each.machine.apply(
          datas.map((commands, i) => ({ index: i + 2, data: encodeBatch(NOW, commands.map(encodeCommand)) })),
        );
      }
      const [sound, other] = [replica, damaged].map(({ machine }) => machine.hashTrail);
      expect(other!.at(2)).toEqual(sound!.at(2));
      for (const index of [3, 4]) {
        expect(other!.at(index)!.history).not.toBe(sound!.at(index)!.history);
        expect(other!.at(index)!.content).not.toBe(sound!.at(index)!.content);
      }
    });

    it('differ in content for ever, even if the row is replaced or deleted and every answer is the same', () => {
      for (const command of [set('n', '7'), del('n'), set('n', '8')]) {
        const answers = [replica, damaged].map((each) => each.doAt(NOW, command));
        expect(answers[1]).toEqual(answers[0]);
        expect(damaged.machine.hashes.history).toBe(replica.machine.hashes.history);
        expect(damaged.machine.hashes.content).not.toBe(replica.machine.hashes.content);
        expect(check(damaged.space.rows()).isSound).toBe(false);
      }
    });
  });

  describe('across a restart', () => {
    beforeEach(() => {
      replica.applyAt(NOW, set('k', 'one'), set('l', 'two', 50), increment('n'));
      replica.openSession(NOW + 1);
    });

    it('are the same, and go on as if there had been none', () => {
      const restarted = clone(replica);
      expect(restarted.machine.hashes).toEqual(replica.machine.hashes);
      const data = encodeBatch(NOW + 60, [expire('l', 'k'), del('k'), increment('n')].map(encodeCommand));
      for (const { machine } of [replica, restarted]) machine.apply([{ index: 3, data }]);
      expect(restarted.machine.hashes).toEqual(replica.machine.hashes);
      expect(restarted.machine.hashes.content).not.toBe(restarted.machine.hashTrail.at(2)!.content);
      expect(restarted.rows()).toEqual(replica.rows());
    });

    it('have a trail that begins there', () => {
      const { machine } = replica.restarted();
      const { hashTrail } = machine;
      expect([hashTrail.firstIndex, hashTrail.lastIndex, hashTrail.at(1)]).toEqual([2, 2, undefined]);
      expect(hashTrail.at(2)).toEqual(replica.machine.hashes);
      machine.apply([{ index: 3, data: new Uint8Array(0) }]);
      expect([hashTrail.firstIndex, hashTrail.lastIndex]).toEqual([2, 3]);
      expect(hashTrail.at(3)).toEqual(machine.hashes);
    });

    it('are those of the rows when other rows take their place', () => {
      const { machine } = replica;
      const other = new Replica();
      other.applyAt(NOW, set('x', '1'));
      other.applyAt(NOW);
      machine.restore(restoreRows(other.space));
      expect(machine.hashes).toEqual(other.machine.hashes);
    });

    it('must be there, and be those of the applied index', () => {
      const rows = restoreRows(replica.space);
      const withoutMeta = rows.filter(({ key }) => key[0] !== metaRowKey()[0]);
      const { machine } = replica;
      expect(() => machine.restore(withoutMeta)).toThrow(
        new DecodeError('appliedIndex', 'the rows are those of 0, not of 2'),
      );
      expect(() => machine.apply([{ index: 3, data: new Uint8Array(0) }])).toThrow('broken');
      replica.space.write([], 3);
      expect(() => machine.restore(rows)).toThrow(new DecodeError('appliedIndex', 'the rows are those of 2, not of 3'));
    });

    it('are not read from a row of another version', () => {
      const [meta, ...others] = restoreRows(replica.space);
      const other = { key: meta!.key, value: Uint8Array.of(1, ...meta!.value.subarray(1)) };
      expect(() => replica.machine.restore([other, ...others])).toThrow(UnsupportedVersionError);
    });
  });

  it('are those of nothing again when the very first call has failed half way', () => {
    const data = encodeBatch(NOW, [encodeCommand(set('k', 'v'))]);
    const entries = [
      { index: 1, data },
      { index: 2, data: Uint8Array.of(9) },
    ];
    const { machine } = replica;
    expect(() => machine.apply(entries)).toThrow(UnsupportedVersionError);
    machine.restore([]);
    const fresh = new Replica().machine;
    expect(machine.hashes).toEqual(fresh.hashes);
    expect(machine.hashTrail.lastIndex).toBe(0);
    for (const each of [machine, fresh]) each.apply(entries.slice(0, 1));
    expect(machine.hashTrail.at(1)).toEqual(fresh.hashTrail.at(1));
  });

  describe('trail', () => {
    it('begins with the empty state', () => {
      const { hashTrail, hashes } = new StateMachine(new Replica().space);
      expect([hashTrail.firstIndex, hashTrail.lastIndex, hashTrail.at(0)]).toEqual([0, 0, hashes]);
    });

    it('has the hashes after each entry of a call, back to a bound', () => {
      const count = HASH_TRAIL_ENTRIES + 100;
      const data = encodeBatch(NOW, [encodeCommand(increment('n'))]);
      replica.machine.apply(Array.from({ length: count }, (_, i) => ({ index: i + 1, data })));
      const { hashTrail, hashes } = replica.machine;
      expect([hashTrail.firstIndex, hashTrail.lastIndex]).toEqual([101, count]);
      expect(hashTrail.at(100)).toBeUndefined();
      const single = new Replica();
      for (let index = 1; index <= 200; index++) single.machine.apply([{ index, data }]);
      for (const index of [101, 150, 200]) expect(hashTrail.at(index)).toEqual(single.machine.hashTrail.at(index));
      expect(hashTrail.at(count)).toEqual(hashes);
    });
  });

  describe('check of the rows', () => {
    it('does not mind their order', () => {
      replica.applyAt(NOW, set('k', 'one'), set('l', 'two', 50));
      expect(check([...replica.space.rows()].toReversed())).toEqual(check(replica.space.rows()));
    });

    it('notices a row that is missing, and one that should not be there', () => {
      replica.applyAt(NOW, set('k', 'one'), set('l', 'two'));
      const rows = [...replica.space.rows()];
      const key = userRowKey(ascii('k'));
      expect(check(rows.filter((row) => row.key.join() !== key.join())).isSound).toBe(false);
      expect(check([...rows, { key: userRowKey(ascii('m')), value: ascii('v') }]).isSound).toBe(false);
    });

    it('cannot do without what the state says of itself', () => {
      expect(() => check([])).toThrow(new DecodeError('meta row', 'it is missing'));
    });
  });
});

/** A process that starts on the same rows in a space of its own. */
function clone(replica: Replica): Replica {
  const copy = new Replica();
  copy.space.write([...replica.space.rows()], replica.machine.appliedIndex);
  return copy.restarted();
}
