import { ByteReader } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';
import { UnsupportedVersionError } from './decode-error.js';
import type { Word64 } from './hash64.js';

/** What a cluster's state says of itself. It is written with every `apply`; no number in it ever falls, but the hashes. */
export interface Meta {
  /** The last entry in the state. The key space knows it too: they can differ only if one of them was damaged. */
  readonly appliedIndex: number;
  readonly revision: number;
  readonly logTimeMs: number;
  readonly lastClientId: number;
  readonly content: Word64;
  readonly history: Word64;
}

/**
 * version, then in the order of `Meta` the numbers and the hashes, 8 bytes each.
 * Version 1 had neither the index nor the hashes; no release has written it.
 */
const VERSION = 2;

const writer = new ByteWriter();

export function encodeMeta({ appliedIndex, revision, logTimeMs, lastClientId, content, history }: Meta): Uint8Array {
  return writer
    .start()
    .byte(VERSION)
    .varint(appliedIndex)
    .varint(revision)
    .varint(logTimeMs)
    .varint(lastClientId)
    .word64(content)
    .word64(history)
    .finish();
}

/** Throws `DecodeError` or `UnsupportedVersionError`. */
export function decodeMeta(bytes: Uint8Array): Meta {
  const reader = new ByteReader(bytes);
  const version = reader.byte('version');
  if (version !== VERSION) throw new UnsupportedVersionError('meta row', 'version', version);
  const appliedIndex = reader.varint('appliedIndex');
  const revision = reader.varint('revision');
  const logTimeMs = reader.varint('logTimeMs');
  const lastClientId = reader.varint('lastClientId');
  const content = reader.word64('content');
  const history = reader.word64('history');
  reader.end();
  return { appliedIndex, revision, logTimeMs, lastClientId, content, history };
}
