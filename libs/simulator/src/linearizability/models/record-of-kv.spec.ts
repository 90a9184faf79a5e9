import {
  decodeAnswer,
  encodeBatch,
  encodeCommand,
  MemoryKeySpace,
  StateMachine,
  type Answer,
  type Command,
} from '@app/kv';
import fc from 'fast-check';
import { checkLinearizability } from '../check-linearizability.js';
import type { HistoryEvent, JsonValue } from '../history.js';
import { subjects } from '../testing/calls.js';
import type { Call } from '../testing/history-arbitrary.js';
import type { RecordArgument } from '../testing/sequential-objects.js';
import { answerOf } from '../../workload/history-recorder.js';
import { recordModel } from './record.js';

const encode = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

/** The state machine that the database replicates, driven by calls in the model's form. */
class Database {
  private readonly machine = new StateMachine(new MemoryKeySpace());

  answer(key: string, call: Call): JsonValue {
    const answer = answerOf(this.ask(encode(key), call));
    if (answer === undefined) throw new Error(`${call.f} is not answered`);
    return answer;
  }

  private ask(key: Uint8Array, { f, argument }: Call): Answer {
    if (f === 'read') return this.machine.read({ kind: 'get', key });
    const index = this.machine.appliedIndex + 1;
    const data = encodeBatch(0, [encodeCommand(commandOf(key, f, argument))]);
    return decodeAnswer(this.machine.apply([{ index, data }])[0]![0]!);
  }
}

function commandOf(key: Uint8Array, f: string, argument: JsonValue): Command {
  const { value, delta, ifRevision, ifAbsent, ifPresent } = argument as RecordArgument;
  const condition =
    ifRevision !== undefined
      ? ({ kind: 'ifRevision', revision: ifRevision } as const)
      : ifAbsent
        ? ({ kind: 'ifAbsent' } as const)
        : ifPresent
          ? ({ kind: 'ifPresent' } as const)
          : undefined;
  if (f === 'write') return { kind: 'set', key, value: encode(value!), contentType: '', ttlMs: 0, condition };
  if (f === 'delete') return { kind: 'delete', key, condition };
  return { kind: 'increment', key, delta: BigInt(delta!), condition };
}

describe('the record model', () => {
  const { call } = subjects.find(({ model }) => model === recordModel)!;
  const calls = fc.array(fc.tuple(fc.constantFrom('x', 'y'), call), { minLength: 20, maxLength: 60, size: 'max' });

  it('describes the state machine, refusals and revisions over several keys included', () => {
    const answered = new Set<string>();
    fc.assert(
      fc.property(calls, (list) => {
        const database = new Database();
        const events = list.flatMap(([key, { f, argument }], i): HistoryEvent[] => {
          const answer = database.answer(key, { f, argument });
          answered.add(`${f} ${Object.keys(answer ?? {}).join()}`);
          const event = { process: 0, f, key };
          return [
            { ...event, type: 'invoke', value: argument, time: 2 * i },
            { ...event, type: 'ok', value: answer, time: 2 * i + 1 },
          ];
        });
        expect(checkLinearizability(events, recordModel)).toMatchObject({ isLinearizable: true });
      }),
      { numRuns: 200 },
    );
    expect([...answered].sort()).toEqual([
      'delete refused,revision',
      'delete revision,deleted',
      'increment refused',
      'increment refused,revision',
      'increment revision,value',
      'read ',
      'read value,revision',
      'write refused,revision',
      'write revision,created',
    ]);
  });
});
