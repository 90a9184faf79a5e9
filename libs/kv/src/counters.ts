import { ByteReader } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';
import { UnsupportedVersionError } from './decode-error.js';

/** The counters of a cluster. None of them ever falls. */
export interface Counters {
  revision: number;
  logTimeMs: number;
  lastClientId: number;
}

/** version, then the counters in the order of `Counters`. */
const VERSION = 1;

const writer = new ByteWriter();

export function encodeCounters({ revision, logTimeMs, lastClientId }: Counters): Uint8Array {
  return writer.start().byte(VERSION).varint(revision).varint(logTimeMs).varint(lastClientId).finish();
}

export function decodeCounters(bytes: Uint8Array): Counters {
  const reader = new ByteReader(bytes);
  const version = reader.byte('version');
  if (version !== VERSION) throw new UnsupportedVersionError('counters row', 'version', version);
  const revision = reader.varint('revision');
  const logTimeMs = reader.varint('logTimeMs');
  const lastClientId = reader.varint('lastClientId');
  reader.end();
  return { revision, logTimeMs, lastClientId };
}
