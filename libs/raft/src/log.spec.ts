import fc from 'fast-check';
import { InvariantViolationError } from './errors.js';
import { entryBytes, RaftLog, type RestoredLog } from './log.js';
import { logOf } from './testing/group.js';

const appended = (...terms: number[]) => {
  const log = new RaftLog();
  log.append(logOf(terms));
  return log;
};

const persist = (log: RaftLog) => {
  log.takeUnpersisted();
  log.markPersisted();
};

const entriesAt = (index: number, ...terms: number[]) =>
  logOf([...Array<number>(index - 1).fill(0), ...terms]).slice(index - 1);

const termsOf = (log: RaftLog) =>
  Array.from({ length: log.lastIndex - log.base.index }, (_, i) => log.termAt(log.firstIndex + i));

/** A log that was compacted up to index 10 of term 3. */
const compacted: RestoredLog = {
  base: { index: 10, term: 3 },
  lastIndex: 12,
  termRuns: [
    { firstIndex: 8, term: 3 },
    { firstIndex: 12, term: 4 },
  ],
  tail: entriesAt(11, 3, 4),
};

describe('RaftLog', () => {
  describe('compaction', () => {
    it('moves the base, keeps terms and entries behind it, and finds the last index of the term of the base', () => {
      const log = appended(1, 1, 2, 2, 3);
      persist(log);
      log.compactThrough(3);
      expect([log.base, log.firstIndex, log.lastIndex, termsOf(log)]).toEqual([{ index: 3, term: 2 }, 4, 5, [2, 3]]);
      expect(log.slice(4, 5, Infinity)?.map(({ index }) => index)).toEqual([4, 5]);
      expect([log.slice(3, 5, Infinity), log.lastIndexOfTerm(2), log.firstIndexOfTermAt(4)]).toEqual([undefined, 4, 4]);
      log.compactThrough(4);
      expect([log.lastIndexOfTerm(2), log.lastIndexOfTerm(1)]).toEqual([4, undefined]);
      expect(log.bytesInMemory).toBe(entryBytes(entriesAt(5, 3)[0]!));
      log.compactThrough(2);
      expect(log.base.index).toBe(4);
    });

    it('can empty the log, which goes on behind it', () => {
      const log = appended(1, 1);
      persist(log);
      log.compactThrough(2);
      expect([log.lastIndex, log.lastTerm, log.bytesInMemory]).toEqual([2, 1, 0]);
      log.append(entriesAt(3, 1, 2));
      expect(termsOf(log)).toEqual([1, 2]);
      expect(log.takeUnpersisted().map(({ index }) => index)).toEqual([3, 4]);
    });

    it('forgets nothing that is not on the disk', () => {
      const log = appended(1, 1);
      expect(() => log.compactThrough(1)).toThrow(InvariantViolationError);
    });
  });

  describe('a snapshot in its place', () => {
    it('is not persisted before its own batch is, whatever was being written', () => {
      const log = appended(1, 1);
      log.takeUnpersisted();
      log.restore({ index: 9, term: 2 });
      expect([log.firstIndex, log.lastIndex, log.lastTerm, log.persistedIndex]).toEqual([10, 9, 2, 0]);
      log.markPersisted();
      expect(log.persistedIndex).toBe(0);
      log.append(entriesAt(10, 2, 2));
      expect(log.takeUnpersisted().map(({ index }) => index)).toEqual([10, 11]);
      log.truncateFrom(11);
      log.markPersisted();
      expect(log.persistedIndex).toBe(10);
    });

    it('never goes back', () => {
      expect(() => new RaftLog(compacted).restore({ index: 10, term: 3 })).toThrow(InvariantViolationError);
    });
  });

  it('begins empty, at position (0, 0)', () => {
    const log = new RaftLog();
    expect([log.firstIndex, log.lastIndex, log.lastTerm, log.persistedIndex]).toEqual([1, 0, 0, 0]);
    expect(log.matches(0, 0)).toBe(true);
    expect(log.matches(1, 0)).toBe(false);
  });

  it('refuses a gap, a falling term and a truncation at its base', () => {
    const log = appended(1, 2);
    expect(() => log.append(entriesAt(4, 2))).toThrow(InvariantViolationError);
    expect(() => log.append(entriesAt(3, 1))).toThrow(InvariantViolationError);
    expect(() => log.truncateFrom(0)).toThrow(InvariantViolationError);
    expect(() => new RaftLog(compacted).truncateFrom(10)).toThrow(InvariantViolationError);
    expect(() => new RaftLog({ ...compacted, lastIndex: 13 })).toThrow(InvariantViolationError);
  });

  it('is up to date by the last term first, by length at equal terms (5.4.1)', () => {
    const log = appended(1, 2, 2);
    expect(log.isUpToDate(1, 3)).toBe(true);
    expect(log.isUpToDate(3, 2)).toBe(true);
    expect(log.isUpToDate(2, 2)).toBe(false);
    expect(log.isUpToDate(9, 1)).toBe(false);
  });

  it('hands each entry to the disk once, and calls it persisted only when the batch is', () => {
    const log = appended(1, 1);
    expect(log.hasUnpersisted).toBe(true);
    expect(log.takeUnpersisted().map((entry) => entry.index)).toEqual([1, 2]);
    expect([log.hasUnpersisted, log.persistedIndex]).toEqual([false, 0]);
    log.append(entriesAt(3, 1));
    log.markPersisted();
    expect(log.persistedIndex).toBe(2);
    expect(log.takeUnpersisted().map((entry) => entry.index)).toEqual([3]);
  });

  it('does not call persisted what was truncated and replaced while it was being written', () => {
    const log = appended(1, 1, 1);
    log.takeUnpersisted();
    log.truncateFrom(2);
    log.append(entriesAt(2, 2, 2));
    log.markPersisted();
    expect(log.persistedIndex).toBe(1);
    expect(log.takeUnpersisted().map(({ index, term }) => [index, term])).toEqual([
      [2, 2],
      [3, 2],
    ]);
    log.markPersisted();
    expect(log.persistedIndex).toBe(3);
  });

  it('takes back what was persisted when a truncation removes it', () => {
    const log = appended(1, 1, 1);
    persist(log);
    log.truncateFrom(3);
    expect([log.persistedIndex, log.lastIndex]).toEqual([2, 2]);
    log.truncateFrom(7);
    expect(log.lastIndex).toBe(2);
  });

  it('slices at least one entry, and no more than the bytes and the end allow', () => {
    const log = appended(1, 1, 1, 1);
    const two = 2 * entryBytes(logOf([1])[0]!);
    expect(log.slice(1, 4, 0)).toHaveLength(1);
    expect(log.slice(1, 4, two)).toHaveLength(2);
    expect(log.slice(2, 3, Infinity)).toHaveLength(2);
    expect(log.slice(3, 9, Infinity)).toHaveLength(2);
  });

  it('evicts only persisted entries, the oldest first, and still knows their terms', () => {
    const log = appended(1, 2, 2, 3, 3);
    log.takeUnpersisted();
    log.markPersisted();
    log.append(entriesAt(6, 3));
    log.evict(6, 0);
    expect(log.slice(5, 5, Infinity)).toBeUndefined();
    expect(log.slice(6, 6, Infinity)).toHaveLength(1);
    expect(termsOf(log)).toEqual([1, 2, 2, 3, 3, 3]);
    expect(log.takeUnpersisted().map((entry) => entry.index)).toEqual([6]);
  });

  it('evicts nothing while the tail fits, and nothing behind what is applied', () => {
    const log = appended(1, 1, 1, 1);
    persist(log);
    log.evict(4, 4 * entryBytes(logOf([1])[0]!));
    expect(log.slice(1, 1, Infinity)).toHaveLength(1);
    log.evict(2, 0);
    expect(log.slice(2, 2, Infinity)).toBeUndefined();
    expect(log.slice(3, 4, Infinity)).toHaveLength(2);
  });

  it('survives a truncation behind its evicted part', () => {
    const log = appended(1, 1, 1, 1);
    persist(log);
    log.evict(4, 0);
    log.truncateFrom(2);
    log.append(entriesAt(2, 5));
    expect(termsOf(log)).toEqual([1, 5]);
    expect(log.slice(2, 2, Infinity)!.map((entry) => entry.term)).toEqual([5]);
    expect(log.takeUnpersisted().map((entry) => entry.index)).toEqual([2]);
  });

  describe('after a compaction', () => {
    it('knows the term of its base, matches all before it and nothing behind its end', () => {
      const log = new RaftLog(compacted);
      expect([log.firstIndex, log.lastIndex, log.lastTerm, log.persistedIndex]).toEqual([11, 12, 4, 12]);
      expect([log.termAt(10), log.termAt(11), log.termAt(12)]).toEqual([3, 3, 4]);
      expect([log.matches(9, 1), log.matches(10, 3), log.matches(10, 2), log.matches(13, 4)]).toEqual([
        true,
        true,
        false,
        false,
      ]);
      expect(() => log.termAt(9)).toThrow(InvariantViolationError);
    });

    it('never hints at an index before its first', () => {
      expect(new RaftLog(compacted).firstIndexOfTermAt(11)).toBe(11);
    });

    it('keeps the term of its base when everything behind it is truncated', () => {
      const log = new RaftLog(compacted);
      log.truncateFrom(11);
      expect([log.lastIndex, log.lastTerm]).toEqual([10, 3]);
      expect(() => log.append(entriesAt(11, 2))).toThrow(InvariantViolationError);
      log.append(entriesAt(11, 3));
      expect(log.termAt(11)).toBe(3);
    });
  });

  it('is, after any appends, truncations, writes and evictions, the list that it stands for', () => {
    const steps = fc.array(
      fc.oneof(
        fc.record({ kind: fc.constant('append' as const), count: fc.integer({ min: 1, max: 3 }), term: fc.nat(1) }),
        fc.record({ kind: fc.constantFrom('truncate' as const, 'evict' as const), back: fc.nat(5) }),
        fc.record({ kind: fc.constantFrom('take' as const, 'synced' as const) }),
      ),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(steps, (script) => {
        const log = new RaftLog();
        const model: number[] = [];
        let disk: number[] = [];
        let writing: (() => void) | undefined;
        let applied = 0;
        for (const step of script) {
          if (step.kind === 'append') {
            const term = Math.max(1, (model.at(-1) ?? 1) + step.term);
            const terms = Array<number>(step.count).fill(term);
            log.append(entriesAt(model.length + 1, ...terms));
            model.push(...terms);
          } else if (step.kind === 'truncate') {
            const index = Math.max(applied, model.length - step.back) + 1;
            log.truncateFrom(index);
            model.length = Math.min(model.length, index - 1);
            // What replaces it is of a later term, as a leader's always is.
            log.append(entriesAt(index, 1000 + script.indexOf(step)));
            model.push(1000 + script.indexOf(step));
          } else if (step.kind === 'evict') {
            applied = Math.max(applied, log.persistedIndex - step.back);
            log.evict(applied, 64);
          } else if (step.kind === 'take' && writing === undefined) {
            const entries = log.takeUnpersisted();
            writing = () => {
              for (const { index, term } of entries) disk = [...disk.slice(0, index - 1), term];
            };
          } else if (step.kind === 'synced' && writing !== undefined) {
            writing();
            writing = undefined;
            log.markPersisted();
          }
          expect(termsOf(log)).toEqual(model);
          expect(disk.slice(0, log.persistedIndex)).toEqual(model.slice(0, log.persistedIndex));
        }
        if (writing !== undefined) {
          writing();
          log.markPersisted();
        }
        for (const { index, term } of log.takeUnpersisted()) disk = [...disk.slice(0, index - 1), term];
        expect(disk).toEqual(model);
      }),
    );
  });
});
