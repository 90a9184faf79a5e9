import type { Answer, FailureAnswer, FailureCode, GetAnswer, VisibleRecord } from './answers.js';
import { ByteReader } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';
import { CONTENT_TYPE_LENGTH_MAX } from './commands.js';
import { DecodeError, UnsupportedVersionError } from './decode-error.js';

/*
 * version, kind, then for
 *   openSession  clientId
 *   get          found (0 or 1), and if found: revision, contentType, value
 *   set          created (0 or 1), revision
 *   delete       deleted (0 or 1), revision
 *   increment    revision, value (8 bytes)
 *   expire       removed, revision
 *   failure      code, then revision for PRECONDITION_FAILED, field and reason for INVALID_COMMAND
 * Answers to writes are kept in the replicated state, so these bytes are for ever.
 */
const VERSION = 1;

const Kind = { OpenSession: 1, Get: 2, Set: 3, Delete: 4, Increment: 5, Expire: 6, Failure: 7 } as const;

/** A code's byte is its place here. Add at the end, never reorder. */
const FAILURE_CODES: readonly FailureCode[] = [
  'PRECONDITION_FAILED',
  'INVALID_COMMAND',
  'NOT_AN_INTEGER',
  'OVERFLOW',
  'SESSION_EXPIRED',
  'SEQUENCE_FORGOTTEN',
  'SESSION_FULL',
];

const TEXT_LENGTH_MAX = 1_024;

const writer = new ByteWriter();

export function encodeAnswer(answer: Answer): Uint8Array {
  writer.start().byte(VERSION);
  switch (answer.kind) {
    case 'openSession':
      writer.byte(Kind.OpenSession).varint(answer.clientId);
      break;
    case 'get':
      writer.byte(Kind.Get).byte(answer.found ? 1 : 0);
      if (answer.found) writeRecord(answer.record);
      break;
    case 'set':
      writer
        .byte(Kind.Set)
        .byte(answer.created ? 1 : 0)
        .varint(answer.revision);
      break;
    case 'delete':
      writer
        .byte(Kind.Delete)
        .byte(answer.deleted ? 1 : 0)
        .varint(answer.revision);
      break;
    case 'increment':
      writer.byte(Kind.Increment).varint(answer.revision).int64(answer.value);
      break;
    case 'expire':
      writer.byte(Kind.Expire).varint(answer.removed).varint(answer.revision);
      break;
    case 'failure':
      writer.byte(Kind.Failure).byte(FAILURE_CODES.indexOf(answer.code));
      if (answer.code === 'PRECONDITION_FAILED') writer.varint(answer.revision);
      if (answer.code === 'INVALID_COMMAND') {
        writer.ascii(answer.field, TEXT_LENGTH_MAX).ascii(answer.reason, TEXT_LENGTH_MAX);
      }
      break;
  }
  return writer.finish();
}

/** The value of a record is a view into `bytes`. Throws a `DecodeError` that names the field. */
export function decodeAnswer(bytes: Uint8Array): Answer {
  const reader = new ByteReader(bytes);
  const version = reader.byte('version');
  if (version !== VERSION) throw new UnsupportedVersionError('answer', 'version', version);
  const answer = readBody(reader);
  reader.end();
  return answer;
}

function readBody(reader: ByteReader): Answer {
  const kind = reader.byte('kind');
  switch (kind) {
    case Kind.OpenSession:
      return { kind: 'openSession', clientId: reader.varint('clientId') };
    case Kind.Get:
      return readGet(reader);
    case Kind.Set: {
      const created = readFlag(reader, 'created');
      return { kind: 'set', created, revision: reader.varint('revision') };
    }
    case Kind.Delete: {
      const deleted = readFlag(reader, 'deleted');
      return { kind: 'delete', deleted, revision: reader.varint('revision') };
    }
    case Kind.Increment: {
      const revision = reader.varint('revision');
      return { kind: 'increment', revision, value: reader.int64('value') };
    }
    case Kind.Expire: {
      const removed = reader.varint('removed');
      return { kind: 'expire', removed, revision: reader.varint('revision') };
    }
    case Kind.Failure:
      return readFailure(reader);
    default:
      throw new UnsupportedVersionError('answer', 'kind', kind);
  }
}

function writeRecord({ revision, contentType, value }: VisibleRecord): void {
  writer.varint(revision).ascii(contentType, CONTENT_TYPE_LENGTH_MAX).bytes(value);
}

function readGet(reader: ByteReader): GetAnswer {
  if (!readFlag(reader, 'found')) return { kind: 'get', found: false };
  const revision = reader.varint('record.revision');
  const contentType = reader.ascii('record.contentType', CONTENT_TYPE_LENGTH_MAX);
  return { kind: 'get', found: true, record: { revision, contentType, value: reader.bytes('record.value') } };
}

function readFailure(reader: ByteReader): FailureAnswer {
  const place = reader.byte('code');
  const code = FAILURE_CODES[place];
  switch (code) {
    case undefined:
      throw new DecodeError('code', `${place} is not known here`);
    case 'PRECONDITION_FAILED':
      return { kind: 'failure', code, revision: reader.varint('revision') };
    case 'INVALID_COMMAND': {
      const field = reader.ascii('field', TEXT_LENGTH_MAX);
      return { kind: 'failure', code, field, reason: reader.ascii('reason', TEXT_LENGTH_MAX) };
    }
    default:
      return { kind: 'failure', code };
  }
}

function readFlag(reader: ByteReader, field: string): boolean {
  const byte = reader.byte(field);
  if (byte > 1) throw new DecodeError(field, `${byte} is neither 0 nor 1`);
  return byte === 1;
}
