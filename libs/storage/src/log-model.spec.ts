/* eslint jest/no-conditional-expect: off -- the commands of a generated run decide what there is to expect */
import { EntryType, type Entry } from '@app/raft';
import fc from 'fast-check';
import { MemoryDisk } from './memory-disk.js';
import { segmentNumber } from './segment.js';
import { entry, hardState } from './testing/open-log.js';
import { contentNow, mustOpen, outcomeOf, textOf } from './testing/sync-log.js';

const small = { segmentBytesMax: 900, preallocateBytes: 300, groupBytesMax: 2000 };

type Command =
  | {
      readonly kind: 'append';
      readonly back: number;
      readonly sizes: readonly number[];
      readonly isNewTerm: boolean;
      readonly types: readonly EntryType[];
    }
  | { readonly kind: 'commit'; readonly share: number }
  | { readonly kind: 'reopen' }
  | { readonly kind: 'kill' }
  | { readonly kind: 'removePrefix'; readonly share: number }
  | { readonly kind: 'reset'; readonly share: number; readonly ahead: number; readonly isNewTerm: boolean }
  | { readonly kind: 'read'; readonly share: number; readonly count: number; readonly bytesMax: number };

const share = fc.integer({ min: 0, max: 100 }).map((percent) => percent / 100);
const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      // Mostly nothing is replaced; sometimes much.
      back: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: 0, max: 40 })),
      sizes: fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 8 }),
      isNewTerm: fc.boolean(),
      types: fc.constantFrom([1], [1, 1, 3], [3]),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('commit' as const), share }) },
  fc.record({ kind: fc.constant('reopen' as const) }),
  fc.record({ kind: fc.constant('kill' as const) }),
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('removePrefix' as const), share }) },
  fc.record({
    kind: fc.constant('reset' as const),
    share,
    ahead: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 30 })),
    isNewTerm: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant('read' as const),
    share,
    count: fc.integer({ min: 1, max: 30 }),
    bytesMax: fc.integer({ min: 1, max: 3000 }),
  }),
);

/** Like `toEqual`, which would take most of the time here. */
function expectSame(found: unknown, expected: unknown): void {
  if (JSON.stringify(found) !== JSON.stringify(expected)) expect(found).toEqual(expected);
}

describe('the write-ahead log', () => {
  it('equals a plain array, whatever is appended, replaced, removed and opened again', () => {
    let removed = 0;
    let resets = 0;
    fc.assert(
      fc.property(fc.array(command, { maxLength: 40, size: 'max' }), (commands) => {
        const disk = new MemoryDisk();
        let log = mustOpen(disk, small);
        /** Entry i lies at i - 1; those at or below the base are only known here, or made up where the log began anew. */
        let model: Entry[] = [];
        let start = 0;
        let current = hardState(1);
        const must = (start: (done: (error: Error | undefined) => void) => void): void =>
          expectSame(outcomeOf(start) ?? 'no answer', { result: undefined });
        must((done) => log.append({ hardState: current }, done));
        for (const each of commands) {
          const { base } = log;
          const pick = (position: number): number => base.index + Math.round(position * (model.length - base.index));
          switch (each.kind) {
            case 'append': {
              const first = Math.max(model.length + 1 - each.back, base.index + 1, current.commitIndex + 1);
              if (each.isNewTerm) current = { ...current, currentTerm: current.currentTerm + 1 };
              const entries = each.sizes.map((size, at) => ({
                ...entry(first + at, current.currentTerm, new Uint8Array(size).fill(first + at)),
                type: each.types[at % each.types.length]!,
              }));
              model = [...model.slice(0, first - 1), ...entries];
              must((done) => log.append({ hardState: current, entries }, done));
              break;
            }
            case 'commit':
              current = { ...current, commitIndex: Math.max(current.commitIndex, pick(each.share)) };
              must((done) => log.append({ hardState: current }, done));
              break;
            case 'reopen':
              must((done) => log.close(done));
              log = mustOpen(disk, small);
              expect(log.base).toEqual(base);
              break;
            case 'kill':
              disk.crash({ keepUnsynced: 'none' });
              log = mustOpen(disk, small);
              expect(log.base).toEqual(base);
              break;
            case 'removePrefix': {
              const through = Math.min(pick(each.share), current.commitIndex);
              must((done) => log.removePrefix(through, done));
              expect(log.base.index).toBeLessThanOrEqual(Math.max(through, base.index));
              expect(log.base.index).toBeGreaterThanOrEqual(base.index);
              if (log.base.index > base.index) removed += 1;
              break;
            }
            case 'reset': {
              const index = Math.max(1, current.commitIndex, base.index, pick(each.share)) + each.ahead;
              const isKnown = index <= Math.max(current.commitIndex, base.index);
              const { currentTerm } = current;
              const raised = { ...current, currentTerm: currentTerm + (each.isNewTerm ? 1 : 0) };
              const term = isKnown ? log.termAt(index)! : raised.currentTerm;
              must((done) => log.reset({ index, term }, each.isNewTerm ? raised : undefined, done));
              current = { ...raised, commitIndex: index };
              const before = model.slice(0, index - 1);
              while (before.length < index - 1) before.push(entry(before.length + 1, 1));
              model = [...before, entry(index, term)];
              start = index;
              resets += 1;
              expectSame(log.base, { index, term });
              break;
            }
            case 'read': {
              const from = Math.max(base.index + 1, pick(each.share));
              const to = Math.min(from + each.count, model.length + 1);
              if (from >= to) break;
              const read = outcomeOf<readonly Entry[]>((done) => log.read(from, to, each.bytesMax, done));
              const found = read!.result!;
              expect(found.length).toBeGreaterThan(0);
              expectSame(found.map(textOf), model.slice(from - 1, from - 1 + found.length).map(textOf));
              const bytes = found.reduce((sum, { data }) => sum + data.length, 0);
              expectSame(found.length === 1 || bytes <= each.bytesMax, true);
              break;
            }
          }
          const baseIndex = log.base.index;
          expectSame(contentNow(log), {
            baseIndex,
            hardState: current,
            entries: model.slice(baseIndex).map(textOf),
          });
          expectSame(log.base.term, model[baseIndex - 1]?.term ?? 0);
          expect(baseIndex).toBeGreaterThanOrEqual(start);
          const configurations = model.slice(baseIndex).filter(({ type }) => type === EntryType.Configuration);
          expectSame(log.configurationEntries.map(textOf), configurations.map(textOf));
          for (let index = baseIndex; index <= model.length + 1; index += 1) {
            const term = index === baseIndex ? log.base.term : model[index - 1]?.term;
            if (log.termAt(index) !== term) throw new Error(`term of ${index} is ${log.termAt(index)}, not ${term}`);
          }
          const terms = model.slice(baseIndex).map((entry) => entry.term);
          const changes = terms.flatMap((term, i) =>
            term === terms[i - 1] ? [] : [{ firstIndex: baseIndex + 1 + i, term }],
          );
          expectSame(log.termRuns, changes);
        }
        expect(log.lastIndex).toBe(model.length);
        let names: readonly string[] = [];
        disk.list((_error, found) => {
          names = found ?? [];
        });
        const segments = names.flatMap((name) => segmentNumber(name) ?? []);
        expect(segments.length).toBe(segments.at(-1)! - segments[0]! + 1);
        const bytes = names.reduce((sum, name) => sum + disk.contentOf(name)!.length, 0);
        expect(log.sizeBytes).toBe(bytes);
      }),
      { numRuns: 60 },
    );
    expect(removed).toBeGreaterThan(5);
    expect(resets).toBeGreaterThan(20);
  });
});
