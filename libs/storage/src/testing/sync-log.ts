import type { Entry, HardState } from '@app/raft';
import type { Disk } from '../disk.js';
import { WriteAheadLog, type WriteAheadLogOptions } from '../write-ahead-log.js';
import { identity } from './open-log.js';

/**
 * The outcome of a step on a disk that completes at once: `undefined` when no completion came, which means that the process died
 * in the middle.
 */
export type Outcome<T> =
  | { readonly error: Error; readonly result?: undefined }
  | { readonly error?: undefined; readonly result: T }
  | undefined;

export function outcomeOf<T = void>(start: (done: (error: Error | undefined, result?: T) => void) => void): Outcome<T> {
  let outcome: Outcome<T>;
  start((error, result) => {
    if (outcome) throw new Error('a second completion');
    outcome = error ? { error } : { result: result as T };
  });
  return outcome;
}

export function openNow(disk: Disk, options: Partial<WriteAheadLogOptions> = {}): Outcome<WriteAheadLog> {
  return outcomeOf<WriteAheadLog>((done) => WriteAheadLog.open(disk, { ...identity, ...options }, done));
}

/** Opens a log that has to be in order. */
export function mustOpen(disk: Disk, options: Partial<WriteAheadLogOptions> = {}): WriteAheadLog {
  const opened = openNow(disk, options);
  if (!opened?.result) throw opened?.error ?? new Error('the disk never answered');
  return opened.result;
}

export interface LogContent {
  readonly baseIndex: number;
  readonly hardState: HardState;
  /** `index/term/data` of all entries above the base. */
  readonly entries: readonly string[];
}

/** As far as `lastIndex`: behind it lies what is not durable. */
export function contentNow(log: WriteAheadLog, lastIndex = log.lastIndex): LogContent {
  const { base, hardState } = log;
  const entries: string[] = [];
  for (let from = base.index + 1; from <= lastIndex;) {
    const read = outcomeOf<readonly Entry[]>((done) => log.read(from, lastIndex + 1, 1 << 20, done));
    if (!read?.result) throw read?.error ?? new Error('the disk never answered');
    for (const entry of read.result) entries.push(textOf(entry));
    from += read.result.length;
  }
  return { baseIndex: base.index, hardState, entries };
}

export function textOf({ index, term, data }: Entry): string {
  return `${index}/${term}/${Buffer.from(data).toString('latin1')}`;
}
