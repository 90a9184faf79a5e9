import { BTreeEx } from 'sorted-btree/extended/index.js';
import { AnswerPage, pageNumberOf } from './answer-page.js';
import { ByteReader } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';
import type { SessionStamp } from './commands.js';
import { UnsupportedVersionError } from './decode-error.js';
import type { Row, RowChange } from './key-space.js';
import { answersRowKey, clientIdOf, pageNumberOfRow, sessionRowKey } from './rows.js';

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
  /** By number. A page without answers is not there. */
  readonly pages: BTreeEx<number, AnswerPage>;
  answerCount: number;
  /** The page that was asked for last, as most sequences are next to the ones before. */
  recent: AnswerPage | undefined;
}

type Admission =
  | { readonly kind: 'first'; readonly session: Session }
  | { readonly kind: 'repeated'; readonly answer: Uint8Array }
  | { readonly kind: 'refused'; readonly code: 'SESSION_EXPIRED' | 'SEQUENCE_FORGOTTEN' | 'SESSION_FULL' };

/**
 * The clients' sessions: which sequences have been applied and what was answered (dissertation, section 6.3).
 *
 * All of it is in memory, with a row for each session and for each page of answers behind it. What has changed is
 * written once in each `flush`: the row of every session that was used, and those of the pages that gained or lost answers.
 */
export class Sessions {
  private readonly byId = new Map<number, Session>();
  /** The next session to drop is the first. */
  private readonly byLastUse = new BTreeEx<Session, true>(undefined, compareLastUse);
  private readonly used = new Set<Session>();
  private readonly changedPages = new Set<AnswerPage>();
  private changes: RowChange[] = [];

  get count(): number {
    return this.byId.size;
  }

  clear(): void {
    this.byId.clear();
    this.byLastUse.clear();
    this.used.clear();
    this.changedPages.clear();
  }

  restoreSession({ key, value }: Row): void {
    const reader = new ByteReader(value);
    const version = reader.byte('version');
    if (version !== VERSION) throw new UnsupportedVersionError('session', 'version', version);
    const lastUsedMs = reader.varint('lastUsedMs');
    const acknowledgedBelow = reader.varint('acknowledgedBelow');
    reader.end();
    this.add(newSession(clientIdOf(key), lastUsedMs, acknowledgedBelow));
  }

  /** After the row of its session. */
  restoreAnswers({ key, value }: Row): void {
    const session = this.byId.get(clientIdOf(key));
    if (session === undefined) throw new RangeError(`answers without their session ${clientIdOf(key)}`);
    const page = AnswerPage.decode(session.clientId, pageNumberOfRow(key), value);
    session.pages.set(page.number, page);
    session.answerCount += page.count;
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
    const session = newSession(clientId, logTimeMs, 0);
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
    const answer = pageOf(session, stamp.sequence)?.get(stamp.sequence);
    if (answer !== undefined) return { kind: 'repeated', answer };
    if (session.answerCount >= SESSION_ANSWERS_MAX) return { kind: 'refused', code: 'SESSION_FULL' };
    return { kind: 'first', session };
  }

  keep(session: Session, sequence: number, answer: Uint8Array): void {
    let page = pageOf(session, sequence);
    if (page === undefined) {
      page = new AnswerPage(session.clientId, pageNumberOf(sequence));
      session.pages.set(page.number, page);
      session.recent = page;
    }
    page.keep(sequence, answer);
    session.answerCount += 1;
    this.changedPages.add(page);
  }

  /** Adds the rows of what has changed since the last `flush`. */
  flush(): void {
    for (const session of this.used) {
      this.changes.push({ key: sessionRowKey(session.clientId), value: encodeSession(session) });
    }
    this.used.clear();
    for (const page of this.changedPages) {
      const key = answersRowKey(page.clientId, page.number);
      this.changes.push({ key, value: page.count === 0 ? undefined : page.encode() });
    }
    this.changedPages.clear();
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

  /** Visits only the pages that it drops something from, however far the mark jumps. */
  private acknowledge(session: Session, below: number): void {
    if (below <= session.acknowledgedBelow) return;
    session.acknowledgedBelow = below;
    for (;;) {
      const number = session.pages.minKey();
      if (number === undefined || number > pageNumberOf(below)) return;
      const page = session.pages.get(number)!;
      const dropped = page.dropBelow(below);
      if (dropped === 0) return;
      session.answerCount -= dropped;
      this.changedPages.add(page);
      if (page.count > 0) return;
      session.pages.delete(number);
      if (session.recent === page) session.recent = undefined;
    }
  }

  private drop(session: Session): void {
    this.byId.delete(session.clientId);
    this.byLastUse.delete(session);
    this.used.delete(session);
    this.changes.push({ key: sessionRowKey(session.clientId), value: undefined });
    for (const page of session.pages.values()) {
      page.dropAll();
      this.changedPages.add(page);
    }
  }
}

function newSession(clientId: number, lastUsedMs: number, acknowledgedBelow: number): Session {
  const pages = new BTreeEx<number, AnswerPage>();
  return { clientId, lastUsedMs, acknowledgedBelow, pages, answerCount: 0, recent: undefined };
}

function pageOf(session: Session, sequence: number): AnswerPage | undefined {
  const number = pageNumberOf(sequence);
  if (session.recent?.number === number) return session.recent;
  const page = session.pages.get(number);
  if (page !== undefined) session.recent = page;
  return page;
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
