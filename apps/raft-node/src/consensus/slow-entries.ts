import { decodeCommand } from '@app/kv';
import { LogBudget, type Log } from '@app/platform';
import type { SlowEntry } from './pending-proposals.js';

const LINES_PER_SECOND_MAX = 10;

/** Of an entry with many commands, the first ones are named. */
const NAMED_MAX = 8;

/** Logs entries that took long, with the sessions and sequences of their commands, by which gateways know their requests. */
export class SlowEntries {
  private readonly budget = new LogBudget(LINES_PER_SECOND_MAX);

  constructor(private readonly log: Log) {}

  tell({ index, term, tookMs, writes }: SlowEntry): void {
    const leftOut = this.budget.spend(performance.now());
    if (leftOut === undefined) return;
    const stamps = writes.slice(0, NAMED_MAX).flatMap((write) => (write === undefined ? [] : stampOf(write.command)));
    const fields = { index, term, durationMs: Math.round(tookMs), commands: writes.length, stamps };
    this.log.warn({ ...fields, ...(leftOut > 0 && { leftOut }) }, 'slow entry');
  }
}

/** `clientId/sequence`; nothing for what has no session. */
function stampOf(command: Uint8Array): string[] {
  // A change of the membership waits here, too, and is no command.
  if (command.byteLength === 0) return [];
  const request = decodeCommand(command);
  return 'session' in request && request.session !== undefined
    ? [`${request.session.clientId}/${request.session.sequence}`]
    : [];
}
