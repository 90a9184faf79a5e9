import fc from 'fast-check';
import type { Answer } from '../answers.js';
import { CONTENT_TYPE_LENGTH_MAX, type Condition, type Request, type SessionStamp } from '../commands.js';

/** Every count of bits is as likely as any other, so that each length of a varint appears. */
export const number: fc.Arbitrary<number> = fc
  .integer({ min: 0, max: 53 })
  .chain((bits) => fc.maxSafeNat().map((value) => value % 2 ** bits));

export const bytes = fc.uint8Array({ maxLength: 300 });

export const contentType = fc.string({
  unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
  maxLength: CONTENT_TYPE_LENGTH_MAX,
});

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });

const condition: fc.Arbitrary<Condition | undefined> = fc.oneof(
  fc.constant(undefined),
  fc.record({ kind: fc.constant('ifRevision' as const), revision: number }),
  fc.constant({ kind: 'ifAbsent' as const }),
  fc.constant({ kind: 'ifPresent' as const }),
);

const session: fc.Arbitrary<SessionStamp | undefined> = fc.option(
  fc.record({ clientId: number, sequence: number, acknowledgedBelow: number }),
  { nil: undefined },
);

export const request: fc.Arbitrary<Request> = fc.oneof(
  fc.record({ kind: fc.constant('openSession' as const) }),
  fc.record({ kind: fc.constant('get' as const), key: bytes }),
  fc.record({
    kind: fc.constant('set' as const),
    key: bytes,
    value: bytes,
    contentType,
    ttlMs: number,
    condition,
    session,
  }),
  fc.record({ kind: fc.constant('delete' as const), key: bytes, condition, session }),
  fc.record({ kind: fc.constant('increment' as const), key: bytes, delta: int64, condition, session }),
  fc.record({ kind: fc.constant('expire' as const), keys: fc.array(bytes, { maxLength: 5 }) }),
);

export const answer: fc.Arbitrary<Answer> = fc.oneof(
  fc.record({ kind: fc.constant('openSession' as const), clientId: number }),
  fc.constant({ kind: 'get' as const, found: false as const }),
  fc.record({
    kind: fc.constant('get' as const),
    found: fc.constant(true as const),
    record: fc.record({ value: bytes, contentType, revision: number }),
  }),
  fc.record({ kind: fc.constant('set' as const), created: fc.boolean(), revision: number }),
  fc.record({ kind: fc.constant('delete' as const), deleted: fc.boolean(), revision: number }),
  fc.record({ kind: fc.constant('increment' as const), value: int64, revision: number }),
  fc.record({ kind: fc.constant('expire' as const), removed: number, revision: number }),
  fc.record({
    kind: fc.constant('failure' as const),
    code: fc.constant('PRECONDITION_FAILED' as const),
    revision: number,
  }),
  fc.record({
    kind: fc.constant('failure' as const),
    code: fc.constant('INVALID_COMMAND' as const),
    field: contentType,
    reason: contentType,
  }),
  fc.record({
    kind: fc.constant('failure' as const),
    code: fc.constantFrom(
      'NOT_AN_INTEGER' as const,
      'OVERFLOW' as const,
      'SESSION_EXPIRED' as const,
      'SEQUENCE_FORGOTTEN' as const,
      'SESSION_FULL' as const,
    ),
  }),
);
