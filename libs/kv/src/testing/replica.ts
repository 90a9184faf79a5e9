import { decodeAnswer } from '../answer-codec.js';
import type { Answer, GetAnswer } from '../answers.js';
import { encodeBatch } from '../command-batch.js';
import { encodeCommand } from '../command-codec.js';
import type { Command } from '../commands.js';
import type { Row } from '../key-space.js';
import { MemoryKeySpace } from '../memory-key-space.js';
import { RESTORE_RANGES } from '../rows.js';
import { StateMachine } from '../state-machine.js';
import { ascii, hex } from './bytes.js';

/** A state machine over a key space in memory, fed with commands instead of entries. */
export class Replica {
  constructor(
    readonly space = new MemoryKeySpace(),
    readonly machine = new StateMachine(space),
  ) {}

  /** Applies one entry and gives the answers to its commands. */
  applyAt(logTimeMs: number, ...commands: Command[]): Answer[] {
    return this.applyBytes(logTimeMs, ...commands.map(encodeCommand)).map(decodeAnswer);
  }

  /** The answer to a single command. */
  doAt(logTimeMs: number, command: Command): Answer {
    return this.applyAt(logTimeMs, command)[0]!;
  }

  applyBytes(logTimeMs: number, ...commands: Uint8Array[]): Uint8Array[] {
    const index = this.machine.appliedIndex + 1;
    return this.machine.apply([{ index, data: encodeBatch(logTimeMs, commands) }])[0]!;
  }

  read(key: string): GetAnswer {
    return this.machine.read({ kind: 'get', key: ascii(key) });
  }

  openSession(logTimeMs: number): number {
    const answer = this.doAt(logTimeMs, { kind: 'openSession' });
    if (answer.kind !== 'openSession') throw new Error(`no session: ${answer.kind}`);
    return answer.clientId;
  }

  /** A process that starts on what this one has written. */
  restarted(): Replica {
    const replica = new Replica(this.space);
    replica.machine.restore(restoreRows(this.space));
    return replica;
  }

  /** All rows in hexadecimal. */
  rows(): string[] {
    return [...this.space.rows()].map(({ key, value }) => `${hex(key)} = ${hex(value)}`);
  }
}

export function restoreRows(space: MemoryKeySpace): Row[] {
  const found: Row[] = [];
  for (const { from, to } of RESTORE_RANGES) {
    space.scan(from, to, Number.MAX_SAFE_INTEGER, (_, rows) => found.push(...rows));
  }
  return found;
}
