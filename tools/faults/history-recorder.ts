import type { HistoryEvent } from '@app/simulator';
import type { Availability } from './availability.js';

type Value = HistoryEvent['value'];

/** What became of an operation: `value` is the answer of an `ok`. */
export type Completion = { readonly type: 'ok'; readonly value: Value } | { readonly type: 'fail' | 'info' };

export interface OperationCounts {
  readonly ok: number;
  readonly unknown: number;
  readonly failed: number;
}

/** All clients of one run, in the order in which they asked and were answered. Times are microseconds from its start. */
export class HistoryRecorder {
  readonly events: HistoryEvent[] = [];
  private readonly startedAtMs = performance.now();
  private readonly totals = { ok: 0, info: 0, fail: 0 };

  constructor(private readonly availability: Pick<Availability, 'succeeded'>) {}

  get counts(): OperationCounts {
    return { ok: this.totals.ok, unknown: this.totals.info, failed: this.totals.fail };
  }

  /** Records both ends of an operation. `perform` never rejects; it asks when it is called, and says how it ended. */
  async record(
    process: number,
    clusterId: string,
    { f, key, value }: Pick<HistoryEvent, 'f' | 'key' | 'value'>,
    perform: () => Promise<Completion>,
  ): Promise<Completion> {
    const invokedAtMs = performance.now();
    this.events.push({ process, type: 'invoke', f, key, value, time: this.timeOf(invokedAtMs) });
    const completion = await perform();
    const completedAtMs = performance.now();
    const { type } = completion;
    this.totals[type] += 1;
    const answer = completion.type === 'ok' ? completion.value : null;
    this.events.push({ process, type, f, key, value: answer, time: this.timeOf(completedAtMs) });
    if (type === 'ok') this.availability.succeeded(clusterId, invokedAtMs, completedAtMs);
    return completion;
  }

  private timeOf(ms: number): number {
    return Math.round((ms - this.startedAtMs) * 1000);
  }
}
