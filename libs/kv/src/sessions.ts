import { BTreeEx } from 'sorted-btree/extended/index.js';
import { ByteReader } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';
import type { SessionStamp } from './commands.js';
import { UnsupportedVersionError } from './decode-error.js';
import type { Row, RowChange } from './key-space.js';
import { answerRowKey, clientIdOf, sequenceOf, sessionRowKey } from './rows.js';

/*
 * The bounds are part of what is replicated: a node with others would hold another state. They change only
 * with a new version of the log's commands.
 */

/** Unacknowledged answers of one session; a command beyond them is refused with `SESSION_FULL`. */
export const SESSION_ANSWERS_MAX = 16_384;
/** One more session displaces the one that was used least recently (of several, the one with the smallest id). */
export const SESSIONS_MAX = 10_000;
/** In log time. A session that was not used for so long is dropped. */
export const SESSION_IDLE_MS = 3_600_000;

interface Session {
  readonly clientId: number;
  /** Log time of the last command that carried this session. */
  lastUsedMs: number;
  /** It never falls. All answers are at or above it. */
  acknowledgedBelow: number;
  /** By sequence. */
  readonly answers: BTreeEx<number, Uint8Array>;
}

type Admission =
  | { readonly kind: 'first'; readonly session: Session }
  | { readonly kind: 'repeated'; readonly answer: Uint8Array }
  | { readonly kind: 'refused'; readonly code: 'SESSION_EXPIRED' | 'SEQUENCE_FORGOTTEN' | 'SESSION_FULL' };

/**
 * The clients' sessions: which sequences have been applied and what was answered (dissertation, section 6.3).
 *
 * All of it is in memory, with a row for each session and for each answer behind it. An answer costs one row
 * to keep and one to drop; a session's own row is written once in each `flush` that follows a use.
 */
export class Sessions {
  private readonly byId = new Map<number, Session>();
  /** The next session to drop is the first. */
  private readonly byLastUse = new BTreeEx<Session, true>(undefined, compareLastUse);
  private readonly used = new Set<Session>();
  private changes: RowChange[] = [];

  get count(): number {
    return this.byId.size;
  }

  clear(): void {
    this.byId.clear();
    this.byLastUse.clear();
    this.used.clear();
  }

  restoreSession({ key, value }: Row): void {
    const reader = new ByteReader(value);
    const version = reader.byte('version');
    if (version !== VERSION) throw new UnsupportedVersionError('session', 'version', version);
    const lastUsedMs = reader.varint('lastUsedMs');
    const acknowledgedBelow = reader.varint('acknowledgedBelow');
    reader.end();
    this.add({ clientId: clientIdOf(key), lastUsedMs, acknowledgedBelow, answers: new BTreeEx() });
  }

  /** After the row of its session. */
  restoreAnswer({ key, value }: Row): void {
    const session = this.byId.get(clientIdOf(key));
    if (session === undefined) throw new RangeError(`an answer without its session ${clientIdOf(key)}`);
    session.answers.set(sequenceOf(key), value);
  }

  /** What follows goes into `changes`. */
  begin(changes: RowChange[]): void {
    this.changes = changes;
  }

  /** Drops what has been idle for too long. Costs nothing but a look at the oldest while there is nothing to drop. */
  expireIdle(logTimeMs: number): void {
    for (;;) {
      const oldest = this.byLastUse.minKey();
      if (oldest === undefined || oldest.lastUsedMs + SESSION_IDLE_MS > logTimeMs) return;
      this.drop(oldest);
    }
  }

  open(clientId: number, logTimeMs: number): void {
    while (this.byId.size >= SESSIONS_MAX) this.drop(this.byLastUse.minKey()!);
    const session = {
      clientId,
      lastUsedMs: logTimeMs,
      acknowledgedBelow: 0,
      answers: new BTreeEx<number, Uint8Array>(),
    };
    this.add(session);
    this.used.add(session);
  }

  /** Whether a command with this stamp is to be applied. If it is the `first`, its answer must be `keep`t. */
  admit(stamp: SessionStamp, logTimeMs: number): Admission {
    const session = this.byId.get(stamp.clientId);
    if (session === undefined) return { kind: 'refused', code: 'SESSION_EXPIRED' };
    this.use(session, logTimeMs);
    this.acknowledge(session, stamp.acknowledgedBelow);
    if (stamp.sequence < session.acknowledgedBelow) return { kind: 'refused', code: 'SEQUENCE_FORGOTTEN' };
    const answer = session.answers.get(stamp.sequence);
    if (answer !== undefined) return { kind: 'repeated', answer };
    if (session.answers.size >= SESSION_ANSWERS_MAX) return { kind: 'refused', code: 'SESSION_FULL' };
    return { kind: 'first', session };
  }

  keep(session: Session, sequence: number, answer: Uint8Array): void {
    session.answers.set(sequence, answer);
    this.changes.push({ key: answerRowKey(session.clientId, sequence), value: answer });
  }

  /** Adds the rows of the sessions that were used since the last `flush`. */
  flush(): void {
    for (const session of this.used) {
      this.changes.push({ key: sessionRowKey(session.clientId), value: encodeSession(session) });
    }
    this.used.clear();
  }

  private add(session: Session): void {
    this.byId.set(session.clientId, session);
    this.byLastUse.set(session, true);
  }

  private use(session: Session, logTimeMs: number): void {
    if (session.lastUsedMs !== logTimeMs) {
      // The tree sorts by this field: it may only change while the session is out of it.
      this.byLastUse.delete(session);
      session.lastUsedMs = logTimeMs;
      this.byLastUse.set(session, true);
    }
    this.used.add(session);
  }

  /** Visits only what it drops, however far the mark jumps. */
  private acknowledge(session: Session, below: number): void {
    if (below <= session.acknowledgedBelow) return;
    session.acknowledgedBelow = below;
    for (;;) {
      const sequence = session.answers.minKey();
      if (sequence === undefined || sequence >= below) return;
      session.answers.delete(sequence);
      this.changes.push({ key: answerRowKey(session.clientId, sequence), value: undefined });
    }
  }

  private drop(session: Session): void {
    this.byId.delete(session.clientId);
    this.byLastUse.delete(session);
    this.used.delete(session);
    this.changes.push({ key: sessionRowKey(session.clientId), value: undefined });
    for (const sequence of session.answers.keys()) {
      this.changes.push({ key: answerRowKey(session.clientId, sequence), value: undefined });
    }
  }
}

/** version, lastUsedMs, acknowledgedBelow. */
const VERSION = 1;

const writer = new ByteWriter();

function encodeSession({ lastUsedMs, acknowledgedBelow }: Session): Uint8Array {
  return writer.start().byte(VERSION).varint(lastUsedMs).varint(acknowledgedBelow).finish();
}

function compareLastUse(a: Session, b: Session): number {
  return a.lastUsedMs - b.lastUsedMs || a.clientId - b.clientId;
}
