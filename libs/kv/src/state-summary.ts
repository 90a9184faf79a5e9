import { hex64 } from './hash64.js';
import type { StateHashes } from './hash-trail.js';
import { decodeMeta } from './meta-row.js';
import { metaRowKey } from './rows.js';

/** What a state says of itself. */
export interface StateSummary {
  /** The entry that it ends with. */
  readonly appliedIndex: number;
  readonly revision: number;
  readonly logTimeMs: number;
  readonly hashes: StateHashes;
}

/** The key of the row that `decodeStateSummary` reads. */
export const SUMMARY_ROW_KEY: Uint8Array = metaRowKey();

/** From the value of the row with `SUMMARY_ROW_KEY`. Throws `DecodeError` or `UnsupportedVersionError`. */
export function decodeStateSummary(value: Uint8Array): StateSummary {
  const { appliedIndex, revision, logTimeMs, content, history } = decodeMeta(value);
  return { appliedIndex, revision, logTimeMs, hashes: { content: hex64(content), history: hex64(history) } };
}
