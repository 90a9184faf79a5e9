import type { HistoryEvent, JsonValue } from '../linearizability/history.js';
import { fail } from './fail.js';

/**
 * No acknowledged write is lost: a last read of a key shows the latest revision that a client was told of, or a later one. A key
 * that is gone must have been deleted by someone. The linearizability of the history says more; this says it in fewer words.
 */
export function checkAcknowledged(events: readonly HistoryEvent[], key: string, found: JsonValue): void {
  let latest = 0;
  let mayBeDeleted = false;
  for (const event of events) {
    if (event.key !== key) continue;
    if (event.f === 'delete' && event.type === 'invoke') mayBeDeleted = true;
    if (event.type !== 'ok' || (event.f !== 'write' && event.f !== 'increment')) continue;
    latest = Math.max(latest, revisionOf(event.value));
  }
  if (found === null) {
    if (latest > 0 && !mayBeDeleted)
      fail('acknowledged_write_lost', `${key} was written at revision ${latest} and is gone`);
  } else if (revisionOf(found) < latest) {
    fail('acknowledged_write_lost', `${key} was written at revision ${latest}, and is read at ${revisionOf(found)}`);
  }
}

function revisionOf(answer: JsonValue): number {
  if (answer === null || typeof answer !== 'object' || !('revision' in answer) || 'refused' in answer) return 0;
  return Number(answer.revision);
}
