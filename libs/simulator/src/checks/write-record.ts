import { decodeAnswer, decodeBatch, decodeCommand, type Answer, type Command } from '@app/kv';
import { EntryType, type Entry } from '@app/raft';
import { areEqualBytes } from './bytes.js';
import { fail } from './fail.js';

/** What a key was given at one revision; no value if it was removed. */
export interface WrittenValue {
  readonly key: string;
  readonly value: string | undefined;
}

export const textOf = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

/**
 * What the log has done to the keys, command by command: every (client, sequence) once, every revision once. It trusts neither the
 * sessions nor the revisions of the state machine, only what was asked and answered.
 */
export class WriteRecord {
  private readonly byRevision = new Map<number, WrittenValue>();
  private readonly bySession = new Map<string, { readonly command: Uint8Array; readonly answer: Uint8Array }>();
  private lastRevision = 0;

  applied({ type, data, index }: Entry, answers: readonly Uint8Array[]): void {
    if (type !== EntryType.Normal || data.length === 0) return;
    decodeBatch(data).commands.forEach((bytes, i) => {
      const command = decodeCommand(bytes);
      const answerBytes = answers[i];
      if (command.kind === 'get' || answerBytes === undefined) return;
      const answer = decodeAnswer(answerBytes);
      if (this.isRepeated(command, bytes, answer, answerBytes)) return;
      this.record(command, answer, index);
    });
  }

  at(revision: number): WrittenValue | undefined {
    return this.byRevision.get(revision);
  }

  private isRepeated(command: Command, bytes: Uint8Array, answer: Answer, answerBytes: Uint8Array): boolean {
    if (!('session' in command) || command.session === undefined) return false;
    const { clientId, sequence } = command.session;
    const name = `${clientId}/${sequence}`;
    const first = this.bySession.get(name);
    const isForgotten =
      answer.kind === 'failure' && ['SESSION_EXPIRED', 'SEQUENCE_FORGOTTEN', 'SESSION_FULL'].includes(answer.code);
    if (first === undefined) {
      if (!isForgotten) this.bySession.set(name, { command: bytes.slice(), answer: answerBytes });
      return isForgotten;
    }
    if (!isForgotten && !areEqualBytes(first.answer, answerBytes)) {
      fail('exactly_once', `sequence ${sequence} of client ${clientId} is applied twice, with two answers`);
    }
    return true;
  }

  private record(command: Command, answer: Answer, index: number): void {
    if (answer.kind !== 'set' && answer.kind !== 'increment' && answer.kind !== 'delete') {
      if (answer.kind === 'expire') this.lastRevision = answer.revision;
      return;
    }
    if (answer.kind === 'delete' && !answer.deleted) return;
    const { revision } = answer;
    if (revision !== this.lastRevision + 1) {
      fail('exactly_once', `entry ${index} takes revision ${revision}, the last was ${this.lastRevision}`);
    }
    this.lastRevision = revision;
    if (!('key' in command)) return;
    const key = textOf(command.key);
    const value =
      answer.kind === 'increment' ? String(answer.value) : command.kind === 'set' ? textOf(command.value) : undefined;
    this.byRevision.set(revision, { key, value });
  }
}
