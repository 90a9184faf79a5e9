import type { Answer, GetAnswer } from '../answers.js';
import type { Command } from '../commands.js';
import { text } from './bytes.js';

interface Item {
  value: string;
  contentType: string;
  revision: number;
  expiresAtMs: number;
}

/**
 * What the state machine promises, said again as plainly as possible: no rows, no bytes, no bounds on sessions.
 * It holds only for commands whose sessions are neither idle for long nor full.
 */
export class NaiveModel {
  revision = 0;
  logTimeMs = 0;
  private readonly items = new Map<string, Item>();
  private readonly sessions: { below: number; answers: Map<number, Answer> }[] = [];

  applyAt(stampMs: number, commands: readonly Command[]): Answer[] {
    this.logTimeMs = Math.max(this.logTimeMs, stampMs);
    return commands.map((command) => this.once(command));
  }

  read(key: Uint8Array): GetAnswer {
    const item = this.alive(text(key));
    if (item === undefined) return { kind: 'get', found: false };
    const { value, contentType, revision } = item;
    return {
      kind: 'get',
      found: true,
      record: { value: Uint8Array.from(value, (c) => c.charCodeAt(0)), contentType, revision },
    };
  }

  /** The keys that have an expiry time and were not removed yet, with it. */
  expiring(): [number, string][] {
    return [...this.items].filter(([, item]) => item.expiresAtMs > 0).map(([key, item]) => [item.expiresAtMs, key]);
  }

  private once(command: Command): Answer {
    if (command.kind === 'openSession') {
      return { kind: 'openSession', clientId: this.sessions.push({ below: 0, answers: new Map() }) };
    }
    const stamp = 'session' in command ? command.session : undefined;
    if (stamp === undefined) return this.execute(command);
    const session = this.sessions[stamp.clientId - 1];
    if (session === undefined) return { kind: 'failure', code: 'SESSION_EXPIRED' };
    session.below = Math.max(session.below, stamp.acknowledgedBelow);
    if (stamp.sequence < session.below) return { kind: 'failure', code: 'SEQUENCE_FORGOTTEN' };
    const answer = session.answers.get(stamp.sequence) ?? this.execute(command);
    session.answers.set(stamp.sequence, answer);
    return answer;
  }

  private alive(key: string): Item | undefined {
    const item = this.items.get(key);
    return item && (item.expiresAtMs === 0 || item.expiresAtMs > this.logTimeMs) ? item : undefined;
  }

  private execute(command: Exclude<Command, { kind: 'openSession' }>): Answer {
    if (command.kind === 'expire') {
      const gone = new Set(command.keys.map(text).filter((key) => this.items.has(key) && !this.alive(key)));
      for (const key of gone) this.items.delete(key);
      this.revision += gone.size;
      return { kind: 'expire', removed: gone.size, revision: this.revision };
    }
    const key = text(command.key);
    const item = this.alive(key);
    const { condition } = command;
    const refused =
      (condition?.kind === 'ifAbsent' && item !== undefined) ||
      (condition?.kind === 'ifPresent' && item === undefined) ||
      (condition?.kind === 'ifRevision' && item?.revision !== condition.revision);
    if (refused) return { kind: 'failure', code: 'PRECONDITION_FAILED', revision: item?.revision ?? 0 };
    switch (command.kind) {
      case 'set': {
        const expiresAtMs = command.ttlMs === 0 ? 0 : this.logTimeMs + command.ttlMs;
        this.revision++;
        const { contentType } = command;
        this.items.set(key, { value: text(command.value), contentType, revision: this.revision, expiresAtMs });
        return { kind: 'set', created: item === undefined, revision: this.revision };
      }
      case 'delete':
        if (item === undefined) return { kind: 'delete', deleted: false, revision: this.revision };
        this.items.delete(key);
        return { kind: 'delete', deleted: true, revision: ++this.revision };
      case 'increment': {
        const before = item?.value ?? '0';
        if (!/^(0|-?[1-9]\d*)$/.test(before)) return { kind: 'failure', code: 'NOT_AN_INTEGER' };
        const value = BigInt(before) + command.delta;
        if (value >= 2n ** 63n || value < -(2n ** 63n)) return { kind: 'failure', code: 'OVERFLOW' };
        this.revision++;
        this.items.set(key, {
          value: String(value),
          contentType: 'text/plain; charset=utf-8',
          revision: this.revision,
          expiresAtMs: item?.expiresAtMs ?? 0,
        });
        return { kind: 'increment', value, revision: this.revision };
      }
    }
  }
}
