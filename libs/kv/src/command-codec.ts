import { ByteReader } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';
import {
  CONTENT_TYPE_LENGTH_MAX,
  type Condition,
  type DeleteCommand,
  type IncrementCommand,
  type Request,
  type SessionStamp,
  type SetCommand,
} from './commands.js';
import { DecodeError, UnsupportedVersionError } from './decode-error.js';

/*
 * version, kind, then for
 *   openSession  nothing
 *   get          key
 *   set          head, contentType, ttlMs, value
 *   delete       head
 *   increment    head, delta (8 bytes)
 *   expire       count, keys
 * with head = flags, clientId sequence acknowledgedBelow (if SESSION), revision (if IF_REVISION), key.
 * Numbers are varints, strings carry their length.
 */
const VERSION = 1;

const Kind = { OpenSession: 1, Get: 2, Set: 3, Delete: 4, Increment: 5, Expire: 6 } as const;

const Flag = { Session: 1, IfRevision: 2, IfAbsent: 4, IfPresent: 8 } as const;
const CONDITION_FLAGS = Flag.IfRevision | Flag.IfAbsent | Flag.IfPresent;
const ALL_FLAGS = Flag.Session | CONDITION_FLAGS;

const writer = new ByteWriter();

/** Throws a `RangeError` for a number that is no integer from 0 to 2^53 - 1, and for a bad content type or delta. */
export function encodeCommand(request: Request): Uint8Array {
  writer.start().byte(VERSION);
  switch (request.kind) {
    case 'openSession':
      writer.byte(Kind.OpenSession);
      break;
    case 'get':
      writer.byte(Kind.Get).bytes(request.key);
      break;
    case 'set':
      writer.byte(Kind.Set);
      writeHead(request);
      writer.ascii(request.contentType, CONTENT_TYPE_LENGTH_MAX).varint(request.ttlMs).bytes(request.value);
      break;
    case 'delete':
      writer.byte(Kind.Delete);
      writeHead(request);
      break;
    case 'increment':
      writer.byte(Kind.Increment);
      writeHead(request);
      writer.int64(request.delta);
      break;
    case 'expire':
      writer.byte(Kind.Expire).varint(request.keys.length);
      for (const key of request.keys) writer.bytes(key);
      break;
  }
  return writer.finish();
}

/**
 * Reads a command or query, from whatever source. Keys and values are views into `bytes`.
 *
 * Throws a `DecodeError` that names the field; `UnsupportedVersionError`, one of them, for a version or kind
 * that is not known here.
 */
export function decodeCommand(bytes: Uint8Array): Request {
  const reader = new ByteReader(bytes);
  const version = reader.byte('version');
  if (version !== VERSION) throw new UnsupportedVersionError('command', 'version', version);
  const request = readBody(reader);
  reader.end();
  return request;
}

function readBody(reader: ByteReader): Request {
  const kind = reader.byte('kind');
  switch (kind) {
    case Kind.OpenSession:
      return { kind: 'openSession' };
    case Kind.Get:
      return { kind: 'get', key: reader.bytes('key') };
    case Kind.Set: {
      const { key, condition, session } = readHead(reader);
      const contentType = reader.ascii('contentType', CONTENT_TYPE_LENGTH_MAX);
      const ttlMs = reader.varint('ttlMs');
      return { kind: 'set', key, contentType, ttlMs, value: reader.bytes('value'), condition, session };
    }
    case Kind.Delete: {
      const { key, condition, session } = readHead(reader);
      return { kind: 'delete', key, condition, session };
    }
    case Kind.Increment: {
      const { key, condition, session } = readHead(reader);
      return { kind: 'increment', key, delta: reader.int64('delta'), condition, session };
    }
    case Kind.Expire:
      return { kind: 'expire', keys: readKeys(reader) };
    default:
      throw new UnsupportedVersionError('command', 'kind', kind);
  }
}

interface Head {
  readonly key: Uint8Array;
  readonly condition: Condition | undefined;
  readonly session: SessionStamp | undefined;
}

function writeHead({ key, condition, session }: SetCommand | DeleteCommand | IncrementCommand): void {
  writer.byte((session === undefined ? 0 : Flag.Session) | conditionFlag(condition));
  if (session !== undefined) {
    writer.varint(session.clientId).varint(session.sequence).varint(session.acknowledgedBelow);
  }
  if (condition?.kind === 'ifRevision') writer.varint(condition.revision);
  writer.bytes(key);
}

function readHead(reader: ByteReader): Head {
  const flags = reader.byte('flags');
  if ((flags & ~ALL_FLAGS) !== 0) throw new DecodeError('flags', `unknown bits in ${flags}`);
  const session = (flags & Flag.Session) === 0 ? undefined : readSession(reader);
  const condition = readCondition(flags & CONDITION_FLAGS, reader);
  return { key: reader.bytes('key'), condition, session };
}

function readSession(reader: ByteReader): SessionStamp {
  const clientId = reader.varint('session.clientId');
  const sequence = reader.varint('session.sequence');
  return { clientId, sequence, acknowledgedBelow: reader.varint('session.acknowledgedBelow') };
}

function conditionFlag(condition: Condition | undefined): number {
  switch (condition?.kind) {
    case undefined:
      return 0;
    case 'ifRevision':
      return Flag.IfRevision;
    case 'ifAbsent':
      return Flag.IfAbsent;
    case 'ifPresent':
      return Flag.IfPresent;
  }
}

function readCondition(flags: number, reader: ByteReader): Condition | undefined {
  switch (flags) {
    case 0:
      return undefined;
    case Flag.IfRevision:
      return { kind: 'ifRevision', revision: reader.varint('condition.revision') };
    case Flag.IfAbsent:
      return { kind: 'ifAbsent' };
    case Flag.IfPresent:
      return { kind: 'ifPresent' };
    default:
      throw new DecodeError('condition', 'more than one condition');
  }
}

function readKeys(reader: ByteReader): Uint8Array[] {
  const count = reader.varint('keys');
  // A key takes a byte at least: a count beyond that is a lie, found before anything is read.
  if (count > reader.remaining) throw new DecodeError('keys', `${count} keys are announced, there is no room for them`);
  const keys: Uint8Array[] = [];
  for (let i = 0; i < count; i++) keys.push(reader.bytes('keys'));
  return keys;
}
