import fc from 'fast-check';
import type { Model } from '../model.js';
import { casRegisterModel } from '../models/cas-register.js';
import { counterModel } from '../models/counter.js';
import { recordModel } from '../models/record.js';
import { registerModel } from '../models/register.js';
import type { Call } from './history-arbitrary.js';
import {
  sequentialCounter,
  sequentialRecord,
  sequentialRegister,
  type SequentialObject,
} from './sequential-objects.js';

/** A model, what it means, and calls of few different values, so that operations often have to do with each other. */
export interface Subject {
  readonly model: Model;
  readonly object: SequentialObject;
  readonly call: fc.Arbitrary<Call>;
}

const read: Call = { f: 'read', argument: null };
const remove: Call = { f: 'delete', argument: null };
const value = fc.integer({ min: 1, max: 3 });
const write = value.map((argument): Call => ({ f: 'write', argument }));
const cas = fc.tuple(fc.constantFrom(null, 1, 2, 3), value).map(([...argument]): Call => ({ f: 'cas', argument }));

const condition = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  { weight: 1, arbitrary: fc.constant({ ifAbsent: true as const }) },
  { weight: 1, arbitrary: fc.constant({ ifPresent: true as const }) },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 5 }).map((ifRevision) => ({ ifRevision })) },
);
const recordCall: fc.Arbitrary<Call> = fc.oneof(
  { weight: 4, arbitrary: fc.constant(read) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.constantFrom('a', '1', '2'), condition)
      .map(([text, when]): Call => ({ f: 'write', argument: { value: text, ...when } })),
  },
  { weight: 2, arbitrary: condition.map((when): Call => ({ f: 'delete', argument: when })) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom(1, 2), condition)
      .map(([delta, when]): Call => ({ f: 'increment', argument: { delta, ...when } })),
  },
);

export const subjects: readonly Subject[] = [
  {
    model: registerModel,
    object: sequentialRegister,
    call: fc.oneof({ weight: 6, arbitrary: fc.constant(read) }, { weight: 3, arbitrary: write }, fc.constant(remove)),
  },
  {
    model: casRegisterModel,
    object: sequentialRegister,
    call: fc.oneof(
      { weight: 2, arbitrary: fc.constant(read) },
      { weight: 2, arbitrary: cas },
      write,
      fc.constant(remove),
    ),
  },
  {
    model: counterModel,
    object: sequentialCounter,
    call: fc.oneof(
      fc.constant(read),
      fc.constantFrom(1, 1, 1, 2, -1).map((argument): Call => ({ f: 'increment', argument })),
    ),
  },
  { model: recordModel, object: sequentialRecord, call: recordCall },
];
