import type { IncomingHttpHeaders } from 'node:http';
import type { Condition } from '@app/kv';
import { RingraftError } from '@app/rpc';

/** The entity tag of a revision. */
export function etagOf(revision: number): string {
  return `"${revision}"`;
}

/**
 * What a write demands: `If-Match: "revision"` or `*`, or `If-None-Match: *`. Throws INVALID_REQUEST for anything
 * else, because a condition that is not understood must not be passed over.
 */
export function writeCondition(headers: IncomingHttpHeaders): Condition | undefined {
  const ifMatch = headers['if-match'];
  const ifNoneMatch = headers['if-none-match'];
  if (ifMatch !== undefined && ifNoneMatch !== undefined) {
    throw malformed('If-None-Match', 'cannot be combined with If-Match');
  }
  if (ifNoneMatch !== undefined) {
    if (ifNoneMatch.trim() !== '*') throw malformed('If-None-Match', 'must be * on a write');
    return { kind: 'ifAbsent' };
  }
  if (ifMatch === undefined) return undefined;
  if (ifMatch.trim() === '*') return { kind: 'ifPresent' };
  const revision = revisionOf(/^"([^"]*)"$/.exec(ifMatch.trim())?.[1]);
  if (revision === undefined) throw malformed('If-Match', 'must be * or one ETag of this key, such as "17"');
  return { kind: 'ifRevision', revision };
}

/**
 * Whether a read that found `revision` is answered 304. `If-None-Match` may list several tags, weak ones too. Throws
 * INVALID_REQUEST for what is no such list, and for If-Match, which a read does not evaluate.
 */
export function isNotModified(headers: IncomingHttpHeaders): ((revision: number) => boolean) | undefined {
  if (headers['if-match'] !== undefined) throw malformed('If-Match', 'is for writes');
  const ifNoneMatch = headers['if-none-match']?.trim();
  if (ifNoneMatch === undefined) return undefined;
  if (ifNoneMatch === '*') return () => true;
  if (!/^(W\/)?"[^"]*"(\s*,\s*(W\/)?"[^"]*")*$/.test(ifNoneMatch)) {
    throw malformed('If-None-Match', 'must be * or ETags, such as "17"');
  }
  const revisions = [...ifNoneMatch.matchAll(/"([^"]*)"/g)].map(([, tag]) => revisionOf(tag));
  return (revision) => revisions.includes(revision);
}

function revisionOf(tag: string | undefined): number | undefined {
  if (tag === undefined || !/^(0|[1-9]\d{0,15})$/.test(tag)) return undefined;
  const revision = Number(tag);
  return Number.isSafeInteger(revision) ? revision : undefined;
}

function malformed(field: string, message: string): RingraftError {
  return new RingraftError('INVALID_REQUEST', `${field} ${message}`, { errors: [{ field, message }] });
}
