import { checkLinearizability } from '../check-linearizability.js';
import { HistoryError, type JsonValue } from '../history.js';
import type { Model } from '../model.js';
import { sequentialHistory } from '../testing/event-rows.js';
import { casRegisterModel } from './cas-register.js';
import { counterModel } from './counter.js';
import { recordModel } from './record.js';
import { registerModel } from './register.js';

type Row = readonly [model: Model, f: string, argument: JsonValue, answer: JsonValue, message: string];

const rows: readonly Row[] = [
  [registerModel, 'cas', [1, 2], [1, 2], 'event 1: f: is "cas", the model "register" knows read, write, delete'],
  [registerModel, 'read', 1, 1, 'event 1: value: is 1 as the argument of read, must be null'],
  [
    registerModel,
    'read',
    null,
    [],
    'event 2: value: is [] as the answer of read, must be text, a number, a boolean or',
  ],
  [registerModel, 'write', null, null, 'event 1: value: is null as the argument of write, must be text'],
  [registerModel, 'write', { a: 1 }, null, 'event 1: value: is {"a":1} as the argument of write, must be text'],
  [registerModel, 'delete', 1, null, 'event 1: value: is 1 as the argument of delete, must be null'],
  [casRegisterModel, 'add', 1, 1, 'event 1: f: is "add", the model "cas-register" knows read, write, delete, cas'],
  [casRegisterModel, 'cas', 1, 1, 'event 1: value: is 1 as the argument of cas, must be [expected, value]'],
  [casRegisterModel, 'cas', [1, [2]], null, 'event 1: value: is [1,[2]] as the argument of cas'],
  [casRegisterModel, 'cas', [1, 2], true, 'event 2: value: is true as the answer of cas, must be [expected, value] as'],
  [casRegisterModel, 'cas', [1, 2], [1, 3], 'event 2: value: is [1,3] as the answer of cas, must be [expected, value]'],
  [counterModel, 'write', 1, 1, 'event 1: f: is "write", the model "counter" knows read, increment'],
  [counterModel, 'read', 1, 1, 'event 1: value: is 1 as the argument of read, must be null'],
  [counterModel, 'read', null, '1', 'event 2: value: is "1" as the answer of read, must be a whole number'],
  [counterModel, 'increment', 1.5, 1, 'event 1: value: is 1.5 as the argument of increment, must be a whole number'],
  [recordModel, 'cas', [1, 2], null, 'event 1: f: is "cas", the model "record" knows read, write, delete, increment'],
  [
    recordModel,
    'read',
    null,
    'a',
    'event 2: value: is "a" as the answer of read, must be an object of value, revision',
  ],
  [recordModel, 'read', null, { value: 'a' }, 'event 2: value: is {"value":"a"} as the answer of read, must be {value'],
  [recordModel, 'read', {}, null, 'event 1: value: is {} as the argument of read, must be null'],
  [recordModel, 'write', 'a', {}, 'event 1: value: is "a" as the argument of write, must be an object of value, ifRev'],
  [recordModel, 'write', { value: 1 }, {}, 'event 1: value: is {"value":1} as the argument of write, must be {value'],
  [recordModel, 'write', { value: 'a', ttl: 1 }, {}, 'event 1: value: is {"value":"a","ttl":1} as the argument of'],
  [recordModel, 'write', { value: 'a', ifAbsent: true, ifPresent: true }, {}, 'event 1: value: is {"value":"a","ifA'],
  [recordModel, 'write', { value: 'a', ifAbsent: false }, {}, 'event 1: value: is {"value":"a","ifAbsent":false} as'],
  [recordModel, 'delete', { ifRevision: '1' }, {}, 'event 1: value: is {"ifRevision":"1"} as the argument of delete'],
  [recordModel, 'write', { value: 'a' }, { revision: -1 }, 'event 2: value: is {"revision":-1} as the answer of write'],
  [recordModel, 'write', { value: 'a' }, { created: 1 }, 'event 2: value: is {"created":1} as the answer of write'],
  [
    recordModel,
    'write',
    { value: 'a' },
    { refused: 'NO' },
    'event 2: value: is {"refused":"NO"} as the answer of write',
  ],
  [recordModel, 'write', { value: 'a' }, { refused: 'OVERFLOW' }, 'event 2: value: is {"refused":"OVERFLOW"} as the'],
  [recordModel, 'delete', null, { refused: 'PRECONDITION_FAILED' }, 'event 2: value: is {"refused":"PRECONDITION_FAI'],
  [recordModel, 'increment', { delta: 0.5 }, {}, 'event 1: value: is {"delta":0.5} as the argument of increment, must'],
  [recordModel, 'increment', { delta: '01' }, {}, 'event 1: value: is {"delta":"01"} as the argument of increment, mu'],
  [
    recordModel,
    'increment',
    { delta: 1 },
    { value: 1 },
    'event 2: value: is {"value":1} as the answer of increment, m',
  ],
];

describe('a value that an operation cannot have', () => {
  it.each(rows.map((row) => [row[4], ...row] as const))('%s', (_, model, f, argument, answer, message) => {
    const check = () => checkLinearizability(sequentialHistory([f, argument, answer]), model);
    expect(check).toThrow(HistoryError);
    expect(check).toThrow(message);
  });
});
