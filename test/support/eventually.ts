import { setTimeout as delay } from 'node:timers/promises';

const PAUSE_MS = 20;

/**
 * Waits until `condition` gives something truthy and returns it. An exception counts as "not yet". Fails after
 * `deadlineMs` with what was waited for and the last exception.
 */
export async function eventually<T>(
  what: string,
  condition: () => T | Promise<T>,
  deadlineMs: number,
): Promise<NonNullable<T>> {
  const deadline = performance.now() + deadlineMs;
  let cause: unknown;
  for (;;) {
    try {
      const outcome = await condition();
      if (outcome) return outcome;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    if (performance.now() >= deadline) {
      const why = cause instanceof Error ? `: ${cause.message}` : '';
      throw new Error(`not within ${deadlineMs} ms: ${what}${why}`, { cause });
    }
    await delay(PAUSE_MS);
  }
}
