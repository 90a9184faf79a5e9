import type { Entry, HardState, LogIndex, Term } from '@app/raft';
import { promised } from '../completion.js';
import type { Disk } from '../disk.js';
import type { LogBatch } from '../log-batch.js';
import { WriteAheadLog, type WriteAheadLogOptions } from '../write-ahead-log.js';

export const identity = { clusterId: 'cluster-1', nodeId: 'node-1', incarnation: 'first' };

export function openLog(disk: Disk, options: Partial<WriteAheadLogOptions> = {}): Promise<WriteAheadLog> {
  return promised<WriteAheadLog>((done) => WriteAheadLog.open(disk, { ...identity, ...options }, done));
}

export function appendTo(log: WriteAheadLog, batch: LogBatch): Promise<void> {
  return promised((done) => log.append(batch, done));
}

export function closeLog(log: WriteAheadLog): Promise<void> {
  return promised((done) => log.close(done));
}

export function entry(index: LogIndex, term: Term, data: Uint8Array | string = `entry ${index} of ${term}`): Entry {
  return { index, term, type: 1, data: typeof data === 'string' ? new TextEncoder().encode(data) : data };
}

export function hardState(currentTerm: Term, votedFor?: string, commitIndex: LogIndex = 0): HardState {
  return { currentTerm, votedFor, commitIndex };
}

/** Every entry of the log, however many reads that takes. */
export async function readAll(log: WriteAheadLog, bytesMax = 1 << 20): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (let from = log.base.index + 1; from <= log.lastIndex; from = entries.at(-1)!.index + 1) {
    const some = await promised<readonly Entry[]>((done) => log.read(from, log.lastIndex + 1, bytesMax, done));
    if (some.length === 0) throw new Error(`the log gave nothing from ${from} on`);
    entries.push(...some);
  }
  return entries;
}

/** What a test compares: everything that the log promises to keep. */
export async function contentOf(
  log: WriteAheadLog,
): Promise<{ base: { index: number; term: number }; hardState: HardState; entries: string[] }> {
  const entries = await readAll(log);
  return {
    base: log.base,
    hardState: log.hardState,
    entries: entries.map(
      ({ index, term, type, data }) => `${index}/${term}/${type}/${Buffer.from(data).toString('latin1')}`,
    ),
  };
}
