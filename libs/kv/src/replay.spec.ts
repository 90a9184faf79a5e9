import fc from 'fast-check';
import { decodeAnswer } from './answer-codec.js';
import { encodeBatch } from './command-batch.js';
import { encodeCommand } from './command-codec.js';
import type { Command, Condition, SessionStamp } from './commands.js';
import { ContentHash } from './content-hash.js';
import type { StateHashes } from './hash-trail.js';
import type { Row } from './key-space.js';
import { decodeExpiryRow, expiryRange, Prefix } from './rows.js';
import { SESSION_IDLE_MS } from './sessions.js';
import type { AppliedEntry } from './state-machine.js';
import { ascii, hex, text } from './testing/bytes.js';
import { NaiveModel } from './testing/naive-model.js';
import { Replica } from './testing/replica.js';

const KEYS = ['a', 'b', 'ab', 'a\0', '\xff', 'n'];

// Few keys, clients and sequences, so that commands meet: retries, conditions that hold, keys that expire and return.
const key = fc.constantFrom(...KEYS).map(ascii);
const value = fc.constantFrom('', '0', '41', '9223372036854775807', 'word').map(ascii);
const condition: fc.Arbitrary<Condition | undefined> = fc.oneof(
  { weight: 3, arbitrary: fc.constant(undefined) },
  fc.record({ kind: fc.constant('ifRevision' as const), revision: fc.nat({ max: 20 }) }),
  fc.constant({ kind: 'ifAbsent' as const }),
  fc.constant({ kind: 'ifPresent' as const }),
);
const session: fc.Arbitrary<SessionStamp | undefined> = fc.option(
  fc.record({
    clientId: fc.nat({ max: 4 }),
    sequence: fc.nat({ max: 8 }),
    acknowledgedBelow: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.nat({ max: 6 })),
  }),
  { nil: undefined, freq: 3 },
);
const ttlMs = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 40 }));
const contentType = fc.constantFrom('', 'text/plain');
const command: fc.Arbitrary<Command> = fc.oneof(
  fc.constant({ kind: 'openSession' as const }),
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('set' as const), key, value, contentType, ttlMs, condition, session }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), key, condition, session }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('increment' as const),
      key,
      delta: fc.constantFrom(1n, -1n, 2n ** 62n),
      condition,
      session,
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('expire' as const), keys: fc.array(key, { maxLength: 6 }) }) },
);
const batch = fc.record({ stampMs: fc.nat({ max: 200 }), commands: fc.array(command, { maxLength: 8 }) });

/** Entries of all sorts: batches (some far apart in time), no-ops, commands that cannot be read. */
const entryData = fc.oneof(
  {
    weight: 8,
    arbitrary: batch.map(({ stampMs, commands }) => encodeBatch(stampMs, commands.map(encodeCommand))),
  },
  fc.constant(new Uint8Array(0)),
  fc
    .tuple(fc.nat({ max: 3 }), fc.array(command, { maxLength: 2 }))
    .map(([hours, commands]) => encodeBatch(hours * SESSION_IDLE_MS, commands.map(encodeCommand))),
  fc.uint8Array({ maxLength: 6 }).map((junk) => encodeBatch(0, [Uint8Array.of(1, 3, ...junk)])),
);
const log = fc
  .array(entryData, { minLength: 1, maxLength: 20 })
  .map((all) => all.map((data, i): AppliedEntry => ({ index: i + 1, data })));
/** After which entries a call of `apply` ends, or the process is restarted. */
const cuts = fc.uniqueArray(fc.integer({ min: 1, max: 20 }), { maxLength: 20 });

function sections(entries: readonly AppliedEntry[], ends: readonly number[]): AppliedEntry[][] {
  const bounds = [0, ...ends.filter((end) => end < entries.length).toSorted((a, b) => a - b), entries.length];
  return bounds.slice(1).map((end, i) => entries.slice(bounds[i], end));
}

/** The hashes after each single entry that the replica remembers. */
function trail({ machine: { hashTrail } }: Replica): StateHashes[] {
  const { firstIndex, lastIndex } = hashTrail;
  return Array.from({ length: lastIndex - firstIndex + 1 }, (_, i) => hashTrail.at(firstIndex + i)!);
}

function recomputedContent(replica: Replica): string {
  const content = new ContentHash();
  for (const { key: rowKey, value: stored } of replica.space.rows()) {
    if (rowKey[0] === Prefix.User) content.add(rowKey, stored);
  }
  return content.toString();
}

function inHex(answers: Uint8Array[][]): string[][] {
  return answers.map((each) => each.map(hex));
}

function sessionRows(replica: Replica): string[] {
  return replica.rows().filter((row) => row.startsWith('02'));
}

describe('the same log', () => {
  it('gives the same rows and answers, byte for byte, however its entries are grouped', () => {
    fc.assert(
      fc.property(log, cuts, (entries, ends) => {
        const whole = new Replica();
        const parts = new Replica();
        const expected = inHex(whole.machine.apply(entries));
        const actual = sections(entries, ends).flatMap((section) => inHex(parts.machine.apply(section)));
        expect(actual).toEqual(expected);
        expect(parts.rows()).toEqual(whole.rows());
        expect(parts.machine.appliedIndex).toBe(whole.machine.appliedIndex);
        expect(trail(parts)).toEqual(trail(whole));
        expect(parts.machine.hashes).toEqual(whole.machine.hashes);
      }),
      { numRuns: 400 },
    );
  });

  it('gives the same when the process is started again, at any point, on the rows that it wrote up to there', () => {
    fc.assert(
      fc.property(log, cuts, cuts, (entries, ends, restarts) => {
        const whole = new Replica();
        const expected = inHex(whole.machine.apply(entries));
        let replica = new Replica();
        const actual: string[][] = [];
        for (const section of sections(entries, [...new Set([...ends, ...restarts])])) {
          actual.push(...inHex(replica.machine.apply(section)));
          expect(replica.machine.hashes.content).toBe(recomputedContent(replica));
          if (restarts.includes(replica.machine.appliedIndex)) replica = replica.restarted();
        }
        expect(actual).toEqual(expected);
        expect(replica.rows()).toEqual(whole.rows());
        const { revision, logTimeMs, sessionCount } = replica.machine;
        expect([revision, logTimeMs, sessionCount]).toEqual([
          whole.machine.revision,
          whole.machine.logTimeMs,
          whole.machine.sessionCount,
        ]);
        expect(sessionRows(replica)).toHaveLength(sessionCount);
        expect(replica.machine.hashes).toEqual(whole.machine.hashes);
        const remembered = trail(replica);
        expect(remembered).toEqual(trail(whole).slice(-remembered.length));
      }),
      { numRuns: 400 },
    );
  });

  it('gives what the rules say, in every answer and every read', () => {
    fc.assert(
      fc.property(fc.array(batch, { maxLength: 20 }), (batches) => {
        const replica = new Replica();
        const model = new NaiveModel();
        for (const { stampMs, commands } of batches) {
          const data = encodeBatch(stampMs, commands.map(encodeCommand));
          const [answers] = replica.machine.apply([{ index: replica.machine.appliedIndex + 1, data }]);
          expect(answers!.map(decodeAnswer)).toEqual(model.applyAt(stampMs, commands));
          expect(replica.machine.revision).toBe(model.revision);
          expect(replica.machine.logTimeMs).toBe(model.logTimeMs);
          for (const each of KEYS) expect(replica.read(each)).toEqual(model.read(ascii(each)));
          expect(expiring(replica)).toEqual(model.expiring().toSorted());
        }
      }),
      { numRuns: 400 },
    );
  });
});

function expiring(replica: Replica): [number, string][] {
  const { from, to } = expiryRange(Number.MAX_SAFE_INTEGER);
  let found: readonly Row[] = [];
  replica.space.scan(from, to, 1_000, (_, rows) => (found = rows));
  return found
    .map((row): [number, string] => {
      const due = decodeExpiryRow(row);
      return [due.expiresAtMs, text(due.key)];
    })
    .toSorted();
}
