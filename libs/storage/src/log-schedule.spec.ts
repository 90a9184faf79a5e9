import type { Entry, HardState } from '@app/raft';
import fc from 'fast-check';
import { IndexCompactedError } from './errors.js';
import { MemoryDisk } from './memory-disk.js';
import { entry, hardState, identity } from './testing/open-log.js';
import { textOf } from './testing/sync-log.js';
import { WriteAheadLog } from './write-ahead-log.js';

const small = { segmentBytesMax: 700, preallocateBytes: 200, groupBytesMax: 1000 };

/** What the log holds after one of the records that it was given. */
interface State {
  readonly hardState: HardState;
  /** Where the log last began anew. */
  readonly start: number;
  /** Those above `start`. */
  readonly entries: readonly string[];
}

type Choose = (below: number) => number;

/**
 * A log whose calls overlap as they like, on a disk that completes in any order, with accidents in between; and all states that the
 * log went through, of which those up to `durable` are settled.
 */
class Run {
  crashes = 0;
  resets = 0;
  removals = 0;
  seals = 0;
  fulls = 0;
  reads = 0;
  private readonly disk = new MemoryDisk({ completions: 'queued' });
  private log = this.open();
  private states: State[] = [{ hardState: hardState(0), start: 0, entries: [] }];
  private durable = 0;
  private version = 0;
  /** Calls of this life of the process that have not ended. */
  private underWay = 0;
  private readonly everAppended = new Set<string>();

  constructor(private readonly choose: Choose) {}

  step(): void {
    const kind = this.choose(20);
    if (kind < 5) this.append();
    else if (kind === 5) this.reset();
    else if (kind === 6) this.remove();
    else if (kind < 9) this.read();
    else if (kind === 9 && this.choose(6) === 0) this.crash();
    else if (kind === 10) this.seal();
    else if (kind === 11) this.changeSpace();
    else if (this.disk.pendingCount > 0) this.disk.step(this.choose(this.disk.pendingCount));
    if (this.log.failure) throw this.log.failure;
  }

  /** Every call ends once the disk has done what it was asked for. */
  finish(): void {
    this.disk.capacityBytes = Infinity;
    this.log.retry();
    this.disk.run();
    must(this.underWay === 0 && !this.log.isFull && this.durable === this.states.length - 1, 'every call ends');
  }

  private get last(): State {
    return this.states.at(-1)!;
  }

  private append(): void {
    const { log, last } = this;
    const currentTerm = last.hardState.currentTerm + (this.choose(4) === 0 || last.hardState.currentTerm === 0 ? 1 : 0);
    const commitIndex = last.hardState.commitIndex + this.choose(1 + log.lastIndex - last.hardState.commitIndex);
    const next = { currentTerm, votedFor: undefined, commitIndex };
    this.states.push({ ...last, hardState: next });
    const lowest = Math.max(commitIndex, log.base.index) + 1;
    const first = this.choose(3) === 0 ? lowest + this.choose(log.lastIndex + 2 - lowest) : log.lastIndex + 1;
    const entries = Array.from({ length: this.choose(5) }, (_, at) => {
      this.version += 1;
      return entry(first + at, currentTerm, `${this.version} ${'x'.repeat(this.choose(150))}`);
    });
    for (const each of entries) {
      this.everAppended.add(textOf(each));
      const { start } = last;
      const kept = this.last.entries.slice(0, each.index - 1 - start);
      if (kept.length < this.last.entries.length) this.states.push({ hardState: next, start, entries: kept });
      this.states.push({ hardState: next, start, entries: [...kept, textOf(each)] });
    }
    this.settleWith((done) => log.append({ hardState: next, entries }, done));
  }

  private reset(): void {
    const { log, last } = this;
    const isRaised = this.choose(2) === 0;
    const currentTerm = Math.max(1, last.hardState.currentTerm) + (isRaised ? 1 : 0);
    const committed = Math.max(1, last.hardState.commitIndex, log.base.index);
    const index = committed + this.choose(log.lastIndex + 5 - committed + 1);
    const isKnown = index === Math.max(last.hardState.commitIndex, log.base.index);
    const term = isKnown ? log.termAt(index)! : currentTerm;
    const raised = { ...last.hardState, currentTerm };
    this.states.push({ ...last, hardState: raised });
    this.states.push({ hardState: { ...raised, commitIndex: index }, start: index, entries: [] });
    this.settleWith((done) => log.reset({ index, term }, raised, done));
    must(log.base.index === index && log.base.term === term && log.lastIndex === index, 'begins anew at once');
    this.resets += 1;
  }

  private settleWith(start: (done: (error: Error | undefined) => void) => void): void {
    const state = this.states.length - 1;
    this.underWay += 1;
    start((error) => {
      this.underWay -= 1;
      if (error) throw error;
      must(state > this.durable, 'completions come in the order of the calls');
      this.durable = state;
    });
  }

  private remove(): void {
    const through = this.last.hardState.commitIndex;
    const { log } = this;
    this.underWay += 1;
    log.removePrefix(through, (error) => {
      this.underWay -= 1;
      if (error) throw error;
      this.removals += 1;
    });
  }

  private read(): void {
    const { log } = this;
    const { base, lastIndex } = log;
    if (base.index === lastIndex) return;
    const from = base.index + 1 + this.choose(lastIndex - base.index);
    this.underWay += 1;
    log.read(from, from + 1 + this.choose(lastIndex + 1 - from), 500, (error, entries) => {
      this.underWay -= 1;
      if (error) return must(error instanceof IndexCompactedError, 'a read fails only for a lost entry');
      this.reads += 1;
      entries.forEach((each, at) => {
        must(each.index === from + at && this.everAppended.has(textOf(each)), 'a read gives what was appended');
      });
    });
  }

  /** Whatever is under way: then there is nothing to prove. */
  private seal(): void {
    this.underWay += 1;
    this.log.seal((error) => {
      this.underWay -= 1;
      if (error) throw error;
      this.seals += 1;
    });
  }

  /** The disk becomes full, soon or at once; or there is space again, and the log is told. */
  private changeSpace(): void {
    const { disk, log } = this;
    if (this.choose(3) === 0) disk.capacityBytes = disk.usedBytes + this.choose(600);
    else {
      if (this.choose(2) === 0) disk.capacityBytes = Infinity;
      if (log.isFull) this.fulls += 1;
      log.retry();
    }
  }

  private crash(): void {
    this.crashes += 1;
    if (this.choose(2) === 0) this.disk.kill(() => this.choose(2) === 0);
    else this.disk.crash({ keepUnsynced: () => this.choose(2) === 0 });
    this.log = this.open();
    const { base, lastIndex, hardState: found } = this.log;
    const entries = this.readAll().map(textOf);
    const all = this.states.slice(this.durable);
    const state = all.find((each) => {
      const end = each.start + each.entries.length;
      const expected = { ...each.hardState, commitIndex: Math.min(each.hardState.commitIndex, end) };
      const isSameLog = base.index >= each.start && lastIndex === end;
      const kept = each.entries.slice(base.index - each.start);
      return isSameLog && JSON.stringify([expected, kept]) === JSON.stringify([found, entries]);
    });
    if (!state) throw new Error(`no state matches: ${JSON.stringify({ base, found, entries, all })}`);
    this.underWay = 0;
    this.states = [{ ...state, hardState: found }];
    this.durable = 0;
  }

  private open(): WriteAheadLog {
    let opened: WriteAheadLog | undefined;
    WriteAheadLog.open(this.disk, { ...identity, ...small }, (error, log) => {
      if (error) throw error;
      opened = log;
    });
    this.disk.run();
    return opened!;
  }

  private readAll(): Entry[] {
    const { base, lastIndex } = this.log;
    const found: Entry[] = [];
    if (base.index === lastIndex) return found;
    this.log.read(base.index + 1, lastIndex + 1, 1 << 20, (error, entries) => {
      if (error) throw error;
      found.push(...entries);
    });
    this.disk.run();
    return found;
  }
}

function must(isSo: boolean, claim: string): void {
  if (!isSo) throw new Error(`not so: ${claim}`);
}

describe('the write-ahead log on a disk that completes in any order', () => {
  it('is after an accident what it was at some moment since the last completion, whatever calls overlapped', () => {
    const seen = { crashes: 0, resets: 0, removals: 0, reads: 0, seals: 0, fulls: 0 };
    fc.assert(
      fc.property(fc.infiniteStream(fc.nat()), (stream) => {
        const run = new Run((below) => stream.next().value % below);
        for (let step = 0; step < 250; step += 1) run.step();
        run.finish();
        for (const kind of Object.keys(seen) as (keyof typeof seen)[]) seen[kind] += run[kind];
      }),
      { numRuns: 100 },
    );
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(100);
  });
});
