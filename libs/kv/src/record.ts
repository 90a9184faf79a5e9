import type { VisibleRecord } from './answers.js';
import { ByteReader } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';
import { CONTENT_TYPE_LENGTH_MAX } from './commands.js';
import { UnsupportedVersionError } from './decode-error.js';
import type { Row } from './key-space.js';
import { userKeyOf } from './rows.js';

export interface RecordHead {
  readonly revision: number;
  /** In log time; 0 is never. */
  readonly expiresAtMs: number;
}

/** What the row of a user's key holds. */
export interface StoredRecord extends VisibleRecord, RecordHead {}

/** version, revision, expiresAtMs, contentType, then the value to the end. */
const VERSION = 1;

const writer = new ByteWriter();

export function encodeRecord({ revision, expiresAtMs, contentType, value }: StoredRecord): Uint8Array {
  return writer
    .start()
    .byte(VERSION)
    .varint(revision)
    .varint(expiresAtMs)
    .ascii(contentType, CONTENT_TYPE_LENGTH_MAX)
    .raw(value)
    .finish();
}

/** The value is a view into `bytes`. */
export function decodeRecord(bytes: Uint8Array): StoredRecord {
  const reader = new ByteReader(bytes);
  const { revision, expiresAtMs } = readHead(reader);
  const contentType = reader.ascii('contentType', CONTENT_TYPE_LENGTH_MAX);
  return { revision, expiresAtMs, contentType, value: reader.rest() };
}

/** What most commands want to know of a record. */
export function decodeRecordHead(bytes: Uint8Array): RecordHead {
  return readHead(new ByteReader(bytes));
}

function readHead(reader: ByteReader): RecordHead {
  const version = reader.byte('version');
  if (version !== VERSION) throw new UnsupportedVersionError('record', 'version', version);
  const revision = reader.varint('revision');
  return { revision, expiresAtMs: reader.varint('expiresAtMs') };
}

/** From its expiry time on a record is gone, whether or not its row has been removed yet. */
export function isExpired(record: RecordHead, logTimeMs: number): boolean {
  return record.expiresAtMs !== 0 && record.expiresAtMs <= logTimeMs;
}

/** What a row of `userRange` says to a client; undefined if it has expired. Key and value are views into the row. */
export function decodeUserRow(
  row: Row,
  logTimeMs: number,
): { readonly key: Uint8Array; readonly record: VisibleRecord } | undefined {
  const record = decodeRecord(row.value);
  return isExpired(record, logTimeMs) ? undefined : { key: userKeyOf(row.key), record: visible(record) };
}

export function visible({ value, contentType, revision }: StoredRecord): VisibleRecord {
  return { value, contentType, revision };
}
