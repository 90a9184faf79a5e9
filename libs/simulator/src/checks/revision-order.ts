import type { HistoryEvent, JsonValue } from '../linearizability/history.js';
import { fail } from './fail.js';

/**
 * Revisions are of the whole cluster: no two writes have the same one, whatever their keys, and a write that was answered before another was
 * asked for has the lower one. Linearizability is checked per key and says nothing of this.
 */
export function checkRevisionOrder(events: readonly HistoryEvent[]): void {
  const taken = new Map<number, HistoryEvent>();
  /** By process: the highest revision that was answered before its operation began. */
  const floors = new Map<number, number>();
  let highest = 0;
  for (const event of events) {
    if (event.type === 'invoke') floors.set(event.process, highest);
    if (event.type !== 'ok' || event.f === 'read') continue;
    const revision = takenBy(event.value);
    if (revision === undefined) continue;
    const other = taken.get(revision);
    if (other !== undefined) {
      fail('revision_order', `writes of ${other.key} and of ${event.key} both have revision ${revision}`);
    }
    taken.set(revision, event);
    const floor = floors.get(event.process) ?? 0;
    if (revision <= floor) {
      fail('revision_order', `a write of ${event.key} has revision ${revision}, ${floor} was answered before it began`);
    }
    highest = Math.max(highest, revision);
  }
}

/** Undefined for what changed nothing. */
function takenBy(answer: JsonValue): number | undefined {
  if (answer === null || typeof answer !== 'object' || !('revision' in answer)) return undefined;
  if ('refused' in answer || ('deleted' in answer && answer.deleted !== true)) return undefined;
  return Number(answer.revision);
}
