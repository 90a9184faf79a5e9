import fc from 'fast-check';
import { HistoryError, type EventType, type HistoryEvent, type JsonValue } from './history.js';
import { fromJsonLines, toJsonLines } from './json-lines.js';

const EVENT: HistoryEvent = { process: 3, type: 'ok', f: 'read', key: 'x', value: 'a', time: 17 };

function messageOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof HistoryError) return error.message;
    throw error;
  }
  throw new Error('no error');
}

function line(changes: Record<string, unknown>): string {
  return JSON.stringify({ ...EVENT, ...changes });
}

const scalar: fc.Arbitrary<JsonValue> = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.string({ unit: 'binary' }),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true, min: -1e9, max: 1e9 }).map((number) => number + 0),
);
const value: fc.Arbitrary<JsonValue> = fc.oneof(
  scalar,
  fc.array(scalar),
  fc.dictionary(fc.string(), fc.oneof(scalar, fc.array(scalar)), { noNullPrototype: true }),
);
const event: fc.Arbitrary<HistoryEvent> = fc.record(
  {
    process: fc.maxSafeNat(),
    type: fc.constantFrom<EventType>('invoke', 'ok', 'fail', 'info'),
    f: fc.string({ minLength: 1 }),
    key: fc.string({ unit: 'binary' }),
    value,
    time: fc.maxSafeInteger(),
  },
  { noNullPrototype: true },
);

describe('a history as JSON lines', () => {
  it('has one object of six fields for each event, always in the same order', () => {
    const { time, value: answer, ...rest } = EVENT;
    expect([
      ...toJsonLines([
        { time, value: answer, ...rest },
        { ...EVENT, type: 'invoke', value: null, time: 16 },
      ]),
    ]).toEqual([
      '{"process":3,"type":"ok","f":"read","key":"x","value":"a","time":17}',
      '{"process":3,"type":"invoke","f":"read","key":"x","value":null,"time":16}',
    ]);
  });

  it('comes back as it was', () => {
    fc.assert(
      fc.property(fc.array(event), (events) => {
        const lines = [...toJsonLines(events)];
        for (const text of lines) expect(text).not.toMatch(/[\r\n]/);
        expect(fromJsonLines(lines)).toEqual(events);
        expect(fromJsonLines(lines.join('\r\n').split('\n'))).toEqual(events);
      }),
    );
  });

  it('may end with an empty line, and have blank ones', () => {
    expect(fromJsonLines([line({}), '', '  \n'])).toEqual([EVENT]);
    expect(fromJsonLines([])).toEqual([]);
  });

  it.each([
    ['{"process":3', /^line 2: is no JSON: /],
    ['[]', /^line 2: must be an object of process, type, f, key, value, time$/],
    ['null', /^line 2: must be an object of/],
    ['{"process":3,"type":"ok","f":"read","key":"x","time":17}', /^line 2: value: is missing$/],
    [line({ operation: 'read' }), /^line 2: operation: is no field; there are process, type, f, key, value, time$/],
    [line({ process: -1 }), /^line 2: process: is -1, must be a whole number from 0$/],
    [line({ process: '3' }), /^line 2: process: is "3", must be a whole number from 0$/],
    [line({ type: 'okay' }), /^line 2: type: is "okay", must be one of invoke, ok, fail, info$/],
    [line({ f: '' }), /^line 2: f: is "", must be the name of a function$/],
    [line({ f: 7 }), /^line 2: f: is 7, /],
    [line({ key: null }), /^line 2: key: is null, must be text$/],
    [line({ value: 2 ** 53 }), /^line 2: value: is 9007199254740992, must be a JSON value with exact numbers/],
    [line({ value: { revision: [1e300] } }), /^line 2: value: /],
    [line({ time: 1.5 }), /^line 2: time: is 1.5, must be a whole number$/],
  ])('refuses %s', (text, message) => {
    expect(messageOf(() => fromJsonLines([line({}), text]))).toMatch(message);
  });

  it.each([
    ['not a number', { value: NaN }, 'event 1: value: is null, must be a JSON value'],
    ['infinite', { time: Infinity }, 'event 1: time: is null, must be a whole number'],
    ['undefined', { value: undefined }, 'event 1: value: is undefined, must be a JSON value'],
    ['an instance of a class', { value: new Date(0) }, 'event 1: value: is "1970-01-01T00:00:00.000Z", must be'],
    ['undefined inside', { value: { revision: undefined } }, 'event 1: value: is {}, must be a JSON value'],
  ])('is not written if JSON would change it: %s', (_, changes, message) => {
    const events = [{ ...EVENT, ...changes } as HistoryEvent];
    expect(messageOf(() => [...toJsonLines(events)])).toContain(message);
  });
});
