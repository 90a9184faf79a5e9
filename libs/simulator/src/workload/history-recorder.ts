import type { Answer, Command } from '@app/kv';
import { fail } from '../checks/fail.js';
import { textOf } from '../checks/write-record.js';
import type { HistoryEvent, JsonValue } from '../linearizability/history.js';
import type { SimTime } from '../observer.js';

/** One operation of a client while it runs. */
export interface OpenOperation {
  readonly process: number;
  readonly f: string;
  readonly key: string;
  readonly value: JsonValue;
}

/** What the clients saw, in the words of the record model. */
export class HistoryRecorder {
  readonly events: HistoryEvent[] = [];
  readonly counts = { ok: 0, fail: 0, info: 0 };
  private processes = 0;

  /** Of a new client, or of one whose last operation has an unknown outcome. */
  newProcess(): number {
    return this.processes++;
  }

  invoke(operation: OpenOperation, time: SimTime): void {
    this.events.push({ ...operation, type: 'invoke', time });
  }

  complete(operation: OpenOperation, type: 'ok' | 'fail' | 'info', time: SimTime, value: JsonValue = null): void {
    this.counts[type] += 1;
    this.events.push({ ...operation, type, time, value });
  }
}

export function argumentOf(command: Command): JsonValue {
  const condition = 'condition' in command ? conditionOf(command.condition) : {};
  switch (command.kind) {
    case 'set':
      return { value: textOf(command.value), ...condition };
    case 'increment':
      return { delta: String(command.delta), ...condition };
    case 'delete':
      return condition;
    default:
      throw new Error(`${command.kind} has no place in a history`);
  }
}

/** Undefined for answers that say nothing of what became of the command. */
export function answerOf(answer: Answer): JsonValue | undefined {
  switch (answer.kind) {
    case 'get':
      if (!answer.found) return null;
      return { value: textOf(answer.record.value), revision: answer.record.revision };
    case 'set':
      return { revision: answer.revision, created: answer.created };
    case 'delete':
      return { revision: answer.revision, deleted: answer.deleted };
    case 'increment':
      return { revision: answer.revision, value: String(answer.value) };
    case 'failure':
      switch (answer.code) {
        case 'PRECONDITION_FAILED':
          return { refused: answer.code, revision: answer.revision };
        case 'NOT_AN_INTEGER':
        case 'OVERFLOW':
          return { refused: answer.code };
        case 'INVALID_COMMAND':
          return fail(
            'unexpected_answer',
            `a valid command is answered with ${answer.code}: ${answer.field} ${answer.reason}`,
          );
        default:
          return undefined;
      }
    default:
      return fail('unexpected_answer', `a ${answer.kind} is answered to a client that asked for something else`);
  }
}

function conditionOf(condition: Extract<Command, { kind: 'set' }>['condition']): {
  readonly [field: string]: JsonValue;
} {
  if (condition === undefined) return {};
  return condition.kind === 'ifRevision' ? { ifRevision: condition.revision } : { [condition.kind]: true };
}
