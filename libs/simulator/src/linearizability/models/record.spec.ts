import type { JsonValue } from '../history.js';
import { checkLinearizability } from '../check-linearizability.js';
import { historyOf, sequentialHistory, type EventRow } from '../testing/event-rows.js';
import { recordModel } from './record.js';

type Done = readonly [f: string, argument: JsonValue, answer: JsonValue];

function one(...operations: readonly Done[]): boolean | 'unknown' {
  return checkLinearizability(sequentialHistory(...operations), recordModel).isLinearizable;
}

function is(...rows: readonly EventRow[]): boolean | 'unknown' {
  return checkLinearizability(historyOf(...rows), recordModel).isLinearizable;
}

const write = (value: string, answer: JsonValue, condition = {}): Done => ['write', { value, ...condition }, answer];
const read = (value: string, revision: number): Done => ['read', null, { value, revision }];
const refused = (revision: number): JsonValue => ({ refused: 'PRECONDITION_FAILED', revision });

describe('a record', () => {
  it('is read with the revision of its last write', () => {
    expect(one(write('a', { revision: 3 }), read('a', 3))).toBe(true);
    expect(one(write('a', { revision: 3 }), read('a', 4))).toBe(false);
    expect(one(write('a', { revision: 3 }), write('a', { revision: 5 }), read('a', 3))).toBe(false);
    expect(one(['read', null, null], write('a', { revision: 3 }), ['read', null, null])).toBe(false);
  });

  it('has growing revisions, deletes and increments included', () => {
    expect(one(write('a', { revision: 3 }), write('b', { revision: 4 }))).toBe(true);
    expect(one(write('a', { revision: 3 }), write('b', { revision: 3 }))).toBe(false);
    expect(one(write('a', { revision: 3 }), ['delete', null, { revision: 3 }])).toBe(false);
    expect(one(write('1', { revision: 3 }), ['increment', { delta: 1 }, { value: '2', revision: 2 }])).toBe(false);
    const deleted: Done = ['delete', null, { revision: 7, deleted: true }];
    expect(one(write('a', { revision: 3 }), deleted, write('b', { revision: 8, created: true }))).toBe(true);
    expect(one(write('a', { revision: 3 }), deleted, write('b', { revision: 7, created: true }))).toBe(false);
  });

  it('orders concurrent writes by their revisions', () => {
    const both: EventRow[] = [
      [0, 'invoke', 'write', { value: 'a' }],
      [1, 'invoke', 'write', { value: 'b' }],
      [0, 'ok', 'write', { revision: 9 }],
      [1, 'ok', 'write', { revision: 8 }],
      [0, 'invoke', 'read'],
    ];
    expect(is(...both, [0, 'ok', 'read', { value: 'a', revision: 9 }])).toBe(true);
    expect(is(...both, [0, 'ok', 'read', { value: 'b', revision: 8 }])).toBe(false);
  });

  it('learns the cluster revision from a delete that found nothing', () => {
    const nothing: Done = ['delete', null, { revision: 6, deleted: false }];
    expect(one(nothing, write('a', { revision: 7 }))).toBe(true);
    expect(one(nothing, write('a', { revision: 6 }))).toBe(false);
    expect(one(write('a', { revision: 7 }), ['delete', null, { revision: 8, deleted: false }])).toBe(false);
    expect(one(write('a', { revision: 7 }), ['delete', null, { revision: 9 }], nothing)).toBe(false);
  });

  it('says whether it was created', () => {
    expect(one(write('a', { revision: 1, created: true }), write('a', { revision: 2, created: false }))).toBe(true);
    expect(one(write('a', { revision: 1, created: false }))).toBe(false);
    expect(one(write('a', { revision: 1, created: true }), write('a', { revision: 2, created: true }))).toBe(false);
  });

  it('is changed by an expected revision only', () => {
    const first = write('a', { revision: 3 });
    expect(one(first, write('b', { revision: 4 }, { ifRevision: 3 }))).toBe(true);
    expect(one(first, write('b', { revision: 4 }, { ifRevision: 2 }))).toBe(false);
    expect(one(first, write('b', refused(3), { ifRevision: 2 }))).toBe(true);
    expect(one(first, write('b', refused(3), { ifRevision: 3 }))).toBe(false);
    expect(one(first, write('b', refused(2), { ifRevision: 1 }))).toBe(false);
    expect(one(write('b', refused(0), { ifRevision: 1 }))).toBe(true);
    expect(one(first, write('b', refused(0), { ifRevision: 1 }))).toBe(false);
    expect(one(first, ['delete', { ifRevision: 2 }, { revision: 4 }])).toBe(false);
    expect(one(first, write('b', refused(3)))).toBe(false);
  });

  it('is created or replaced only', () => {
    const first = write('a', { revision: 3 });
    expect(one(write('a', { revision: 3 }, { ifAbsent: true }))).toBe(true);
    expect(one(first, write('b', { revision: 4 }, { ifAbsent: true }))).toBe(false);
    expect(one(first, write('b', refused(3), { ifAbsent: true }))).toBe(true);
    expect(one(first, write('b', refused(2), { ifAbsent: true }))).toBe(false);
    expect(one(write('b', refused(0), { ifAbsent: true }))).toBe(false);
    expect(one(write('b', { revision: 4 }, { ifPresent: true }))).toBe(false);
    expect(one(write('b', refused(0), { ifPresent: true }))).toBe(true);
    expect(one(first, write('b', refused(3), { ifPresent: true }))).toBe(false);
  });

  it('lets one of two that expect the same revision win', () => {
    const both: EventRow[] = [
      [0, 'invoke', 'write', { value: 'a' }],
      [0, 'ok', 'write', { revision: 1 }],
      [1, 'invoke', 'write', { value: 'b', ifRevision: 1 }],
      [2, 'invoke', 'write', { value: 'c', ifRevision: 1 }],
    ];
    expect(is(...both, [1, 'ok', 'write', { revision: 2 }], [2, 'ok', 'write', refused(2)])).toBe(true);
    expect(is(...both, [1, 'ok', 'write', { revision: 2 }], [2, 'ok', 'write', { revision: 3 }])).toBe(false);
    expect(is(...both, [1, 'info', 'write'], [2, 'ok', 'write', refused(2)])).toBe(true);
    expect(is(...both, [1, 'info', 'write'], [2, 'ok', 'write', refused(1)])).toBe(false);
  });

  it('counts from its text, in 64 bits', () => {
    const increment = (delta: JsonValue, answer: JsonValue): Done => ['increment', { delta }, answer];
    expect(one(increment(2, { value: '2', revision: 1 }), increment('-5', { value: '-3', revision: 2 }))).toBe(true);
    expect(one(increment(2, { value: '3', revision: 1 }))).toBe(false);
    expect(one(write('x', {}), increment(1, { refused: 'NOT_AN_INTEGER' }))).toBe(true);
    expect(one(write('7', {}), increment(1, { refused: 'NOT_AN_INTEGER' }))).toBe(false);
    expect(one(write('007', {}), increment(1, { refused: 'NOT_AN_INTEGER' }))).toBe(true);
    expect(one(write('x', {}), increment(1, { value: '1', revision: 2 }))).toBe(false);
    expect(one(write('9223372036854775807', {}), increment(1, { refused: 'OVERFLOW' }))).toBe(true);
    expect(one(write('9223372036854775806', {}), increment(1, { value: '9223372036854775807' }))).toBe(true);
    expect(one(write('9223372036854775806', {}), increment(1, { refused: 'OVERFLOW' }))).toBe(false);
  });
});

describe('a record written by an operation of unknown outcome', () => {
  const lost: readonly EventRow[] = [
    [0, 'invoke', 'write', { value: 'a' }],
    [0, 'ok', 'write', { revision: 3 }],
    [8, 'invoke', 'write', { value: 'b' }],
    [8, 'info', 'write'],
    [9, 'invoke', 'write', { value: 'c' }],
    [9, 'info', 'write'],
  ];
  const readRows = (value: string, revision: number): EventRow[] => [
    [0, 'invoke', 'read'],
    [0, 'ok', 'read', { value, revision }],
  ];

  it('has a revision that is not known before it is seen, but a greater one', () => {
    expect(is(...lost, ...readRows('b', 40))).toBe(true);
    expect(is(...lost, ...readRows('b', 4))).toBe(true);
    expect(is(...lost, ...readRows('b', 3))).toBe(false);
    expect(is(...lost, ...readRows('b', 5), ...readRows('b', 6))).toBe(false);
    expect(is(...lost, ...readRows('b', 5), ...readRows('c', 5))).toBe(false);
    expect(is(...lost, ...readRows('b', 5), ...readRows('c', 6))).toBe(true);
  });

  it('is changed by a condition that then says its revision', () => {
    const replace = (ifRevision: number, answer: JsonValue): EventRow[] => [
      [0, 'invoke', 'write', { value: 'd', ifRevision }],
      [0, 'ok', 'write', answer],
    ];
    expect(is(...lost, ...replace(5, { revision: 6 }))).toBe(true);
    expect(is(...lost, ...replace(5, { revision: 5 }))).toBe(false);
    expect(is(...lost, ...replace(4, refused(5)), ...readRows('b', 5))).toBe(true);
    expect(is(...lost, ...replace(4, refused(5)), ...readRows('a', 3))).toBe(false);
    expect(is(...lost, ...replace(4, refused(5)), ...readRows('b', 6), ...readRows('c', 7))).toBe(false);
  });

  it('leaves a place for its revision between those that are known', () => {
    const next = (revision: number): EventRow[] => [
      [1, 'invoke', 'increment', { delta: 1 }],
      [1, 'ok', 'increment', { value: '9', revision }],
    ];
    const eight: EventRow[] = [
      [0, 'invoke', 'write', { value: 'a' }],
      [0, 'ok', 'write', { revision: 3 }],
      [8, 'invoke', 'write', { value: '8' }],
      [8, 'info', 'write'],
    ];
    expect(is(...eight, ...next(5))).toBe(true);
    expect(is(...eight, ...next(4))).toBe(false);
  });
});
