import { decodeAnswer } from './answer-codec.js';
import { AnswerPage, PAGE_SEQUENCES } from './answer-page.js';
import { encodeBatch } from './command-batch.js';
import { encodeCommand } from './command-codec.js';
import type { Command, SessionStamp } from './commands.js';
import { clientIdOf, pageNumberOfRow, Prefix } from './rows.js';
import { SESSION_ANSWERS_MAX, SESSION_IDLE_MS, SESSIONS_MAX } from './sessions.js';
import { ascii, hex } from './testing/bytes.js';
import { Replica } from './testing/replica.js';

const NOW = 1_790_000_000_000;

function increment(session: SessionStamp): Command {
  return { kind: 'increment', key: ascii('n'), delta: 1n, session };
}

function failure(code: string) {
  return { kind: 'failure', code };
}

describe('sessions', () => {
  let replica: Replica;
  let clientId: number;

  beforeEach(() => {
    replica = new Replica();
    clientId = replica.openSession(NOW);
  });

  function send(sequence: number, acknowledgedBelow = 0, nowMs = NOW) {
    return replica.doAt(nowMs, increment({ clientId, sequence, acknowledgedBelow }));
  }

  function counter(): number {
    const answer = replica.read('n');
    return answer.found ? Number(String.fromCharCode(...answer.record.value)) : 0;
  }

  /** The sequences whose answers the key space holds. */
  function keptRows(): string[] {
    return [...replica.space.rows()].flatMap(({ key, value }) => {
      if (key[0] !== Prefix.Answers || clientIdOf(key) !== clientId) return [];
      const number = pageNumberOfRow(key);
      const page = AnswerPage.decode(clientId, number, value);
      const sequences = Array.from({ length: PAGE_SEQUENCES }, (_, place) => number * PAGE_SEQUENCES + place);
      return sequences.filter((sequence) => page.get(sequence) !== undefined).map(String);
    });
  }

  it('hands out client ids from 1 and never one twice, restarts included', () => {
    expect(clientId).toBe(1);
    expect(replica.openSession(NOW)).toBe(2);
    replica = replica.restarted();
    expect(replica.openSession(NOW)).toBe(3);
    expect(replica.openSession(NOW + SESSION_IDLE_MS + 1)).toBe(4);
    expect(replica.machine.sessionCount).toBe(1);
  });

  it('applies a sequence once and repeats the same bytes, in one entry, in the next, after a restart', () => {
    const command = encodeCommand(increment({ clientId, sequence: 1, acknowledgedBelow: 0 }));
    const [first, second] = replica.applyBytes(NOW, command, command);
    const [third] = replica.applyBytes(NOW, command);
    replica = replica.restarted();
    const [fourth] = replica.applyBytes(NOW, command);
    expect(decodeAnswer(first!)).toEqual({ kind: 'increment', value: 1n, revision: 1 });
    for (const repeated of [second, third, fourth]) expect(hex(repeated!)).toBe(hex(first!));
    expect(counter()).toBe(1);
    expect(replica.machine.revision).toBe(1);
  });

  it('repeats a refusal too, even when the command would succeed by now', () => {
    const command: Command = {
      kind: 'set',
      key: ascii('k'),
      value: ascii('v'),
      contentType: '',
      ttlMs: 0,
      condition: { kind: 'ifPresent' },
      session: { clientId, sequence: 1, acknowledgedBelow: 0 },
    };
    const refusal = { kind: 'failure', code: 'PRECONDITION_FAILED', revision: 0 };
    expect(replica.doAt(NOW, command)).toEqual(refusal);
    replica.doAt(NOW, { kind: 'set', key: ascii('k'), value: ascii('other'), contentType: '', ttlMs: 0 });
    expect(replica.doAt(NOW, command)).toEqual(refusal);
    expect(replica.doAt(NOW, { ...command, session: { clientId, sequence: 2, acknowledgedBelow: 0 } })).toMatchObject({
      kind: 'set',
      revision: 2,
    });
  });

  it('covers set, delete and increment alike', () => {
    const key = ascii('k');
    const stamp = (sequence: number) => ({ clientId, sequence, acknowledgedBelow: 0 });
    const set: Command = { kind: 'set', key, value: ascii('1'), contentType: '', ttlMs: 0, session: stamp(1) };
    const del: Command = { kind: 'delete', key, session: stamp(2) };
    const commands = [set, del, increment(stamp(3))];
    const first = replica.applyAt(NOW, ...commands);
    expect(first.map((answer) => answer.kind)).toEqual(['set', 'delete', 'increment']);
    expect(replica.applyAt(NOW, ...commands)).toEqual(first);
    expect(replica.machine.revision).toBe(3);
  });

  it('takes sequences in any order', () => {
    expect(send(5)).toMatchObject({ value: 1n });
    expect(send(2)).toMatchObject({ value: 2n });
    expect(send(Number.MAX_SAFE_INTEGER)).toMatchObject({ value: 3n });
    expect(send(2)).toMatchObject({ value: 2n });
    expect(send(0)).toMatchObject({ value: 4n });
    expect(keptRows()).toEqual(['0', '2', '5', String(Number.MAX_SAFE_INTEGER)]);
  });

  it('keeps the sessions of two clients apart', () => {
    const other = replica.openSession(NOW);
    send(1);
    const stamp = { clientId: other, sequence: 1, acknowledgedBelow: 0 };
    expect(replica.doAt(NOW, increment(stamp))).toMatchObject({ value: 2n });
  });

  it('forgets exactly the answers below the acknowledged sequence', () => {
    send(1);
    send(2);
    send(3);
    expect(keptRows()).toEqual(['1', '2', '3']);
    send(4, 3);
    expect(keptRows()).toEqual(['3', '4']);
    expect(send(3)).toMatchObject({ value: 3n });
    expect(send(2)).toEqual(failure('SEQUENCE_FORGOTTEN'));
    expect(counter()).toBe(4);
  });

  it('does not apply what is below the mark, whether it was applied before or not, also after a restart', () => {
    send(10, 10);
    expect(send(9)).toEqual(failure('SEQUENCE_FORGOTTEN'));
    replica = replica.restarted();
    expect(send(9)).toEqual(failure('SEQUENCE_FORGOTTEN'));
    expect(send(10)).toMatchObject({ value: 1n });
    expect(counter()).toBe(1);
  });

  it('does not take back an acknowledgement', () => {
    send(10, 10);
    expect(send(11, 5)).toMatchObject({ value: 2n });
    expect(send(9, 0)).toEqual(failure('SEQUENCE_FORGOTTEN'));
  });

  it('refuses a command that acknowledges itself', () => {
    expect(send(5, 6)).toEqual(failure('SEQUENCE_FORGOTTEN'));
    expect(send(5)).toEqual(failure('SEQUENCE_FORGOTTEN'));
    expect(counter()).toBe(0);
  });

  it('takes an acknowledgement that jumps over 2^53 numbers in no time', () => {
    send(1);
    send(2);
    expect(send(Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)).toMatchObject({ value: 3n });
    expect(keptRows()).toEqual([String(Number.MAX_SAFE_INTEGER)]);
  });

  it('refuses a client id that was never given', () => {
    const stamp = { clientId: 2, sequence: 1, acknowledgedBelow: 0 };
    expect(replica.doAt(NOW, increment(stamp))).toEqual(failure('SESSION_EXPIRED'));
    expect(counter()).toBe(0);
  });

  it('holds a bounded number of answers, and lets go on once some are acknowledged', () => {
    const fill = Array.from({ length: SESSION_ANSWERS_MAX }, (_, i) =>
      increment({ clientId, sequence: i + 1, acknowledgedBelow: 0 }),
    );
    expect(replica.applyAt(NOW, ...fill).every(({ kind }) => kind === 'increment')).toBe(true);
    const next = SESSION_ANSWERS_MAX + 1;
    expect(send(next)).toEqual(failure('SESSION_FULL'));
    expect(counter()).toBe(SESSION_ANSWERS_MAX);
    expect(send(1)).toMatchObject({ value: 1n });
    expect(send(next, 2)).toMatchObject({ value: BigInt(next) });
    expect(send(next + 1, 2)).toEqual(failure('SESSION_FULL'));
    expect(keptRows()).toHaveLength(SESSION_ANSWERS_MAX);
  });

  it('lives as long as it is used, and an hour of log time after that', () => {
    send(1, 0, NOW + SESSION_IDLE_MS - 1);
    send(2, 0, NOW + 2 * SESSION_IDLE_MS - 2);
    // A retry is a use too.
    send(2, 0, NOW + 3 * SESSION_IDLE_MS - 3);
    expect(replica.machine.sessionCount).toBe(1);
    expect(keptRows()).toEqual(['1', '2']);
    expect(send(2, 0, NOW + 4 * SESSION_IDLE_MS - 3)).toEqual(failure('SESSION_EXPIRED'));
    expect(replica.machine.sessionCount).toBe(0);
    expect(keptRows()).toEqual([]);
    expect(counter()).toBe(2);
  });

  it('drops idle sessions with all their rows, whatever the batch is about', () => {
    replica.openSession(NOW + 1);
    replica.openSession(NOW + 1);
    send(1);
    replica.applyAt(NOW + SESSION_IDLE_MS + 1);
    expect(replica.machine.sessionCount).toBe(0);
    expect(replica.rows().filter((row) => row.startsWith('02') || row.startsWith('03'))).toEqual([]);
  });

  it('does not drop an old session while log time stands still', () => {
    replica.applyAt(NOW + SESSION_IDLE_MS - 1);
    expect(send(1, 0, NOW)).toMatchObject({ value: 1n });
    replica.applyAt(NOW + 2 * SESSION_IDLE_MS - 2);
    expect(replica.machine.sessionCount).toBe(1);
  });

  it('makes room for one more session: the least recently used goes, of several the smallest id', () => {
    const open = { kind: 'openSession' as const };
    replica = new Replica();
    replica.applyAt(NOW, ...Array.from({ length: SESSIONS_MAX }, () => open));
    expect(replica.machine.sessionCount).toBe(SESSIONS_MAX);
    // 2 and then 1 are used later than all others, at the same time; 3 is the least of the rest.
    replica.applyAt(NOW + 1, ...[2, 1].map((id) => increment({ clientId: id, sequence: 1, acknowledgedBelow: 0 })));
    const use = (id: number) => replica.doAt(NOW + 1, increment({ clientId: id, sequence: 7, acknowledgedBelow: 0 }));
    replica.applyAt(NOW + 1, open);
    replica = replica.restarted();
    replica.applyAt(NOW + 1, open);
    expect(replica.machine.sessionCount).toBe(SESSIONS_MAX);
    expect([3, 4].map(use)).toEqual([failure('SESSION_EXPIRED'), failure('SESSION_EXPIRED')]);
    expect([1, 2, 5, SESSIONS_MAX + 1, SESSIONS_MAX + 2].map((id) => use(id).kind)).toEqual(
      Array.from({ length: 5 }, () => 'increment'),
    );
    // Only those used at NOW + 1 are left when the rest are displaced: the smallest ids go first.
    replica.applyAt(NOW + 2, ...Array.from({ length: SESSIONS_MAX - 5 }, () => open));
    expect(replica.machine.sessionCount).toBe(SESSIONS_MAX);
    replica.applyAt(NOW + 2, open);
    expect(use(1)).toEqual(failure('SESSION_EXPIRED'));
    expect(use(2).kind).toBe('increment');
  });

  it('keeps the answers to many commands in few rows', () => {
    const commands = Array.from({ length: 10 * PAGE_SEQUENCES }, (_, i) =>
      increment({ clientId, sequence: i, acknowledgedBelow: 0 }),
    );
    replica.applyAt(NOW, ...commands);
    expect(keptRows()).toHaveLength(10 * PAGE_SEQUENCES);
    expect([...replica.space.rows()].filter(({ key }) => key[0] === Prefix.Answers)).toHaveLength(10);
  });

  it('has the same rows whichever way acknowledgements were grouped', () => {
    const rowsAfter = (groups: number[]) => {
      const other = new Replica();
      const id = other.openSession(NOW);
      const commands = Array.from({ length: 200 }, (_, i) =>
        increment({ clientId: id, sequence: i, acknowledgedBelow: Math.max(0, i - 40) }),
      );
      const entries = commands.map((command, i) => ({
        index: other.machine.appliedIndex + 1 + i,
        data: encodeBatch(NOW, [encodeCommand(command)]),
      }));
      for (let at = 0, turn = 0; at < entries.length; turn += 1) {
        const size = groups[turn % groups.length]!;
        other.machine.apply(entries.slice(at, at + size));
        at += size;
      }
      return other.rows();
    };
    expect(rowsAfter([200])).toEqual(rowsAfter([1]));
    expect(rowsAfter([7, 100, 3])).toEqual(rowsAfter([1]));
  });

  it('refuses to restore answers without their session', () => {
    send(1);
    const rows = [...replica.space.rows()].filter((row) => row.key[0] === Prefix.Answers);
    expect(() => replica.machine.restore(rows)).toThrow('without their session 1');
  });
});
