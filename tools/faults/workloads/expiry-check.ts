import type { HistoryEvent } from '@app/simulator';

interface Write {
  readonly value: string;
  /** Undefined: it never expires. */
  readonly ttlMs: number | undefined;
  readonly invokedAt: number;
  /** `Infinity` if the outcome is unknown. */
  readonly completedAt: number;
  readonly hasFailed: boolean;
}

interface Read {
  readonly invokedAt: number;
  readonly completedAt: number;
  /** Null: there was nothing. */
  readonly value: string | null;
}

interface KeyRecord {
  readonly writes: Write[];
  readonly reads: Read[];
}

const US_PER_MS = 1000;

/**
 * What is wrong with a history of keys that are written once with a time to live, and perhaps once more without. Times are in
 * microseconds.
 *
 * - An acknowledged value is not gone before its time, less `marginMs` for clocks that differ.
 * - Once gone it never comes back. One of unknown outcome may come late, but only once.
 * - What was acknowledged without a time to live stays.
 * - What surely failed is never seen, nor is what nobody wrote.
 */
export function expiryFaults(events: readonly HistoryEvent[], marginMs: number): string[] {
  return [...recordsOf(events)].flatMap(([key, record]) =>
    faultsOf(record, marginMs * US_PER_MS).map((fault) => `key ${key}: ${fault}`),
  );
}

function faultsOf({ writes, reads }: KeyRecord, margin: number): string[] {
  const faults: string[] = [];
  const at = ({ invokedAt, completedAt }: Read): string => `[${invokedAt}, ${completedAt}]`;
  const lasting = writes.find(({ ttlMs, hasFailed }) => ttlMs === undefined && !hasFailed);
  const lastingFrom = lasting?.invokedAt ?? Infinity;
  for (const read of reads) {
    const written = writes.find(({ value }) => value === read.value);
    if (read.value !== null && (written === undefined || written.hasFailed || written.invokedAt > read.completedAt)) {
      faults.push(`a read ${at(read)} found ${read.value}, which nobody had written`);
    }
    if (lasting !== undefined && read.invokedAt >= lasting.completedAt && read.value !== lasting.value) {
      faults.push(`a read ${at(read)} found ${read.value} in place of ${lasting.value}, which never expires`);
    }
  }
  for (const write of writes) {
    if (write.ttlMs === undefined || write.hasFailed) continue;
    const before = reads.filter(({ completedAt }) => completedAt < lastingFrom);
    const tooEarly = before.find(
      ({ value, invokedAt, completedAt }) =>
        value === null &&
        invokedAt >= write.completedAt &&
        completedAt < write.invokedAt + write.ttlMs! * US_PER_MS - margin,
    );
    if (tooEarly) faults.push(`a read ${at(tooEarly)} did not find ${write.value}, which had time left`);
    // Before the first sight of it, a write of unknown outcome may just not have happened yet.
    const seenFrom = Number.isFinite(write.completedAt)
      ? write.completedAt
      : Math.min(...reads.filter(({ value }) => value === write.value).map(({ completedAt }) => completedAt));
    const goneFrom = Math.min(
      ...reads
        .filter(({ value, invokedAt }) => value !== write.value && invokedAt >= seenFrom)
        .map(({ completedAt }) => completedAt),
    );
    const back = reads.find(({ value, invokedAt }) => value === write.value && invokedAt >= goneFrom);
    if (back) faults.push(`a read ${at(back)} found ${write.value} again, which was gone at ${goneFrom}`);
  }
  return faults;
}

function recordsOf(events: readonly HistoryEvent[]): Map<string, KeyRecord> {
  const records = new Map<string, KeyRecord>();
  const open = new Map<number, HistoryEvent>();
  const recordOf = (key: string): KeyRecord => {
    const record = records.get(key) ?? { writes: [], reads: [] };
    records.set(key, record);
    return record;
  };
  const addWrite = (invoke: HistoryEvent, completedAt: number, hasFailed: boolean): void => {
    const { value, ttlMs } = invoke.value as { value: string; ttlMs?: number };
    recordOf(invoke.key).writes.push({ value, ttlMs, invokedAt: invoke.time, completedAt, hasFailed });
  };
  for (const event of events) {
    const invoke = open.get(event.process);
    if (event.type === 'invoke') {
      open.set(event.process, event);
      continue;
    }
    if (invoke === undefined) throw new RangeError(`process ${event.process} completes what it has not invoked`);
    open.delete(event.process);
    if (invoke.f === 'write') {
      addWrite(invoke, event.type === 'ok' ? event.time : Infinity, event.type === 'fail');
    } else if (event.type === 'ok') {
      const value = event.value === null ? null : (event.value as { value: string }).value;
      recordOf(event.key).reads.push({ invokedAt: invoke.time, completedAt: event.time, value });
    }
  }
  for (const invoke of open.values()) if (invoke.f === 'write') addWrite(invoke, Infinity, false);
  return records;
}
