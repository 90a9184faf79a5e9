import { encodeAnswer } from './answer-codec.js';
import type { Answer, FailureAnswer, GetAnswer } from './answers.js';
import { decodeBatch } from './command-batch.js';
import { decodeCommand } from './command-codec.js';
import type {
  Command,
  Condition,
  DeleteCommand,
  ExpireCommand,
  GetQuery,
  IncrementCommand,
  SetCommand,
} from './commands.js';
import { ContentHash } from './content-hash.js';
import { DecodeError, UnsupportedVersionError } from './decode-error.js';
import { HashRing, type HashTrail, type StateHashes } from './hash-trail.js';
import { HistoryHash } from './history-hash.js';
import { integerText, isInt64, parseInteger } from './integer-text.js';
import type { KeySpace, Row, RowChange } from './key-space.js';
import { decodeMeta, encodeMeta } from './meta-row.js';
import { decodeRecord, isExpired, visible, type RecordHead } from './record.js';
import { RecordTable, type Slot } from './record-table.js';
import { metaRowKey, Prefix, userRowKey } from './rows.js';
import { Sessions } from './sessions.js';

/** An entry of the log as the state machine sees it. */
export interface AppliedEntry {
  readonly index: number;
  /** A batch of commands (`encodeBatch`), or nothing in an entry that is not for the state machine, such as a no-op. */
  readonly data: Uint8Array;
}

/** None of them ever falls. */
interface Counters {
  revision: number;
  logTimeMs: number;
  lastClientId: number;
}

const COUNTER_CONTENT_TYPE = 'text/plain; charset=utf-8';

/**
 * The replicated state machine: a function of the log, the same on every node however the entries were grouped.
 *
 * - *Revision*: one counter, advanced by one by every set and increment, by every delete that removed something
 *   and for every key that an `expire` removed. What fails, or finds nothing to do, leaves it alone.
 * - *Log time*: the highest stamp of all batches so far. It alone decides what has expired, so a key that was
 *   gone stays gone whatever the clock of the next leader says.
 * - *Exactly once*: a command with a session is applied where its sequence first appears; after that the same
 *   bytes are answered, refusals by the state of the key included. `SESSION_FULL` is not kept: it may be tried again.
 * - *Hashes*: of the records (`content`) and of all entries and answers (`history`). They are a part of the state, so they
 *   are in every snapshot; replicas that have them equal at one index have not diverged.
 *
 * If `apply` throws, nothing was written, but memory may be half changed: then everything but `restore` is
 * refused, and what the properties say is worthless. The entries would throw again, so it is a reason to stop the node.
 */
export class StateMachine {
  private readonly records: RecordTable;
  private readonly sessions = new Sessions();
  private counters: Counters = { revision: 0, logTimeMs: 0, lastClientId: 0 };
  private readonly content = new ContentHash();
  private readonly history = new HistoryHash();
  private readonly ring = new HashRing();
  private status: 'ready' | 'not restored' | 'broken';

  /** Over a key space that holds something, `restore` must come first. */
  constructor(private readonly keySpace: KeySpace) {
    this.records = new RecordTable(keySpace, this.content);
    this.ring.restart(0, this.content, this.history);
    this.status = keySpace.appliedIndex === 0 ? 'ready' : 'not restored';
  }

  get appliedIndex(): number {
    return this.keySpace.appliedIndex;
  }

  /** The revision of the last effective modification; 0 before the first. */
  get revision(): number {
    return this.counters.revision;
  }

  get logTimeMs(): number {
    return this.counters.logTimeMs;
  }

  get sessionCount(): number {
    return this.sessions.count;
  }

  /** As of the applied index. */
  get hashes(): StateHashes {
    return { content: this.content.toString(), history: this.history.toString() };
  }

  /** The hashes after each single entry, back to the last `restore` or for the last 4,096. */
  get hashTrail(): HashTrail {
    return this.ring;
  }

  /**
   * Replaces what is in memory by what the key space holds: all rows of `RESTORE_RANGES`, in key order.
   *
   * Throws `UnsupportedVersionError` for what only another version of the program understands, `DecodeError` for a row that
   * cannot be read and if the rows are not those of the key space's applied index.
   */
  restore(rows: Iterable<Row>): void {
    this.status = 'broken';
    this.counters = { revision: 0, logTimeMs: 0, lastClientId: 0 };
    this.content.restore({ high: 0, low: 0 });
    this.history.clear();
    this.sessions.clear();
    let restoredIndex = 0;
    for (const row of rows) {
      if (row.key[0] === Prefix.Meta) restoredIndex = this.restoreMeta(row);
      else this.restoreSessionRow(row);
    }
    if (restoredIndex !== this.appliedIndex) {
      throw new DecodeError('appliedIndex', `the rows are those of ${restoredIndex}, not of ${this.appliedIndex}`);
    }
    this.ring.restart(restoredIndex, this.content, this.history);
    this.status = 'ready';
  }

  /**
   * Applies the entries that follow the applied index, without a gap, and writes all that they change at once.
   * Answers, for each entry, each of its commands; these arrays are kept for retries, so do not change them.
   *
   * Throws a `RangeError` for an entry out of order (nothing happened then), `UnsupportedVersionError` for what only
   * a newer program understands, `DecodeError` for an entry that is no batch. A command that cannot be read is
   * answered with `INVALID_COMMAND`, the same on all nodes.
   */
  apply(entries: readonly AppliedEntry[]): Uint8Array[][] {
    this.checkReady();
    const last = entries.at(-1);
    if (last === undefined) return [];
    entries.forEach(({ index }, i) => {
      const due = this.appliedIndex + 1 + i;
      if (index !== due) throw new RangeError(`entry ${index} was to be applied where entry ${due} is due`);
    });
    this.status = 'broken';
    const changes: RowChange[] = [];
    this.records.begin(changes);
    this.sessions.begin(changes);
    const answers = entries.map((entry) => this.applyEntry(entry));
    this.sessions.flush();
    changes.push({ key: metaRowKey(), value: this.metaRow(last.index) });
    this.keySpace.write(changes, last.index);
    this.status = 'ready';
    return answers;
  }

  /** The state as of the applied index and log time. A value is a view into what the key space gave. */
  read({ key }: GetQuery): GetAnswer {
    this.checkReady();
    const stored = this.keySpace.get(userRowKey(key));
    const record = stored && this.present(decodeRecord(stored));
    return record === undefined ? { kind: 'get', found: false } : { kind: 'get', found: true, record: visible(record) };
  }

  private checkReady(): void {
    if (this.status !== 'ready') throw new Error(`the state machine is ${this.status}`);
  }

  private restoreMeta({ value }: Row): number {
    const { appliedIndex, revision, logTimeMs, lastClientId, content, history } = decodeMeta(value);
    this.counters = { revision, logTimeMs, lastClientId };
    this.content.restore(content);
    this.history.restore(history);
    return appliedIndex;
  }

  private restoreSessionRow(row: Row): void {
    switch (row.key[0]) {
      case Prefix.Session:
        this.sessions.restoreSession(row);
        break;
      case Prefix.Answers:
        this.sessions.restoreAnswers(row);
        break;
      default:
        throw new RangeError(`a row with prefix ${row.key[0]} is none that is restored`);
    }
  }

  private metaRow(appliedIndex: number): Uint8Array {
    const { content, history } = this;
    return encodeMeta({ appliedIndex, ...this.counters, content, history });
  }

  private applyEntry({ index, data }: AppliedEntry): Uint8Array[] {
    const answers = this.applyBatch(data);
    this.history.add(index, this.logTimeMs, answers);
    this.ring.append(this.content, this.history);
    return answers;
  }

  private applyBatch(data: Uint8Array): Uint8Array[] {
    if (data.length === 0) return [];
    const { logTimeMs, commands } = decodeBatch(data);
    if (logTimeMs > this.counters.logTimeMs) this.counters.logTimeMs = logTimeMs;
    this.sessions.expireIdle(this.logTimeMs);
    return commands.map((command) => this.applyCommand(command));
  }

  private applyCommand(bytes: Uint8Array): Uint8Array {
    const command = readCommand(bytes);
    if (command.kind === 'failure') return encodeAnswer(command);
    const stamp = 'session' in command ? command.session : undefined;
    if (stamp === undefined) return encodeAnswer(this.execute(command));
    const admission = this.sessions.admit(stamp, this.logTimeMs);
    switch (admission.kind) {
      case 'refused':
        return encodeAnswer({ kind: 'failure', code: admission.code });
      case 'repeated':
        return admission.answer;
      case 'first': {
        const answer = encodeAnswer(this.execute(command));
        this.sessions.keep(admission.session, stamp.sequence, answer);
        return answer;
      }
    }
  }

  private execute(command: Command): Answer {
    switch (command.kind) {
      case 'openSession':
        return this.openSession();
      case 'set':
        return this.set(command);
      case 'delete':
        return this.delete(command);
      case 'increment':
        return this.increment(command);
      case 'expire':
        return this.expire(command);
    }
  }

  private openSession(): Answer {
    const clientId = ++this.counters.lastClientId;
    this.sessions.open(clientId, this.logTimeMs);
    return { kind: 'openSession', clientId };
  }

  private set({ key, value, contentType, ttlMs, condition }: SetCommand): Answer {
    const slot = this.records.slot(key);
    const before = this.present(slot.head);
    if (!holds(condition, before)) return preconditionFailed(before);
    const revision = this.nextRevision();
    this.records.put(slot, { revision, expiresAtMs: this.expiresAtMs(ttlMs), contentType, value });
    return { kind: 'set', created: before === undefined, revision };
  }

  private delete({ key, condition }: DeleteCommand): Answer {
    const slot = this.records.slot(key);
    const before = this.present(slot.head);
    if (!holds(condition, before)) return preconditionFailed(before);
    // An expired record is left to the sweeper: it is not there for anyone.
    if (before === undefined) return { kind: 'delete', deleted: false, revision: this.revision };
    this.records.remove(slot);
    return { kind: 'delete', deleted: true, revision: this.nextRevision() };
  }

  private increment({ key, delta, condition }: IncrementCommand): Answer {
    const slot = this.records.slot(key);
    const before = this.present(slot.head);
    if (!holds(condition, before)) return preconditionFailed(before);
    const current = before === undefined ? 0n : parseInteger(this.records.valueOf(slot));
    if (current === undefined) return { kind: 'failure', code: 'NOT_AN_INTEGER' };
    const value = current + delta;
    if (!isInt64(value)) return { kind: 'failure', code: 'OVERFLOW' };
    const revision = this.nextRevision();
    const expiresAtMs = before?.expiresAtMs ?? 0;
    this.records.put(slot, { revision, expiresAtMs, contentType: COUNTER_CONTENT_TYPE, value: integerText(value) });
    return { kind: 'increment', value, revision };
  }

  private expire({ keys }: ExpireCommand): Answer {
    let removed = 0;
    for (const key of keys) {
      const slot: Slot = this.records.slot(key);
      if (slot.head === undefined || !isExpired(slot.head, this.logTimeMs)) continue;
      this.records.remove(slot);
      this.nextRevision();
      removed++;
    }
    return { kind: 'expire', removed, revision: this.revision };
  }

  private present<T extends RecordHead>(record: T | undefined): T | undefined {
    return record === undefined || isExpired(record, this.logTimeMs) ? undefined : record;
  }

  private nextRevision(): number {
    return ++this.counters.revision;
  }

  /** A time beyond what a number can count exactly is as good as the last one that it can. */
  private expiresAtMs(ttlMs: number): number {
    return ttlMs === 0 ? 0 : Math.min(this.logTimeMs + ttlMs, Number.MAX_SAFE_INTEGER);
  }
}

function readCommand(bytes: Uint8Array): Command | FailureAnswer {
  try {
    const request = decodeCommand(bytes);
    return request.kind === 'get' ? invalid('kind', 'a query does not belong in the log') : request;
  } catch (error) {
    // A node that skipped what it does not know would hold another state than the newer node that proposed it.
    if (!(error instanceof DecodeError) || error instanceof UnsupportedVersionError) throw error;
    return invalid(error.field, error.reason);
  }
}

function invalid(field: string, reason: string): FailureAnswer {
  return { kind: 'failure', code: 'INVALID_COMMAND', field, reason };
}

function holds(condition: Condition | undefined, record: RecordHead | undefined): boolean {
  switch (condition?.kind) {
    case undefined:
      return true;
    case 'ifRevision':
      return record?.revision === condition.revision;
    case 'ifAbsent':
      return record === undefined;
    case 'ifPresent':
      return record !== undefined;
  }
}

function preconditionFailed(record: RecordHead | undefined): FailureAnswer {
  return { kind: 'failure', code: 'PRECONDITION_FAILED', revision: record?.revision ?? 0 };
}
