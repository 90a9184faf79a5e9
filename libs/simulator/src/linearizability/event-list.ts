import type { Operation } from './history.js';

/**
 * The calls and returns of the operations that must be placed, in the order in which they happened. Placing an
 * operation lifts both of its events out of the list; putting them back in the opposite order restores it exactly.
 *
 * An operation may come next in the order if its call stands before the first return: all that was completed before
 * it was invoked is then placed already. Operation `i` has the events `2i` (call) and `2i + 1` (return).
 */
export class EventList {
  /** Stands before the first and after the last event. */
  readonly end: number;
  private readonly next: Int32Array;
  private readonly previous: Int32Array;

  constructor(operations: readonly Operation[]) {
    this.end = 2 * operations.length;
    this.next = new Int32Array(this.end + 1);
    this.previous = new Int32Array(this.end + 1);
    const positions = operations.flatMap(({ invokedAt, completedAt }) => [invokedAt, completedAt]);
    const order = positions.map((_, event) => event).sort((a, b) => positions[a]! - positions[b]!);
    let last = this.end;
    for (const event of [...order, this.end]) {
      this.next[last] = event;
      this.previous[event] = last;
      last = event;
    }
  }

  after(event: number): number {
    return this.next[event]!;
  }

  isCall(event: number): boolean {
    return event !== this.end && (event & 1) === 0;
  }

  lift(operation: number): void {
    this.unlink(2 * operation);
    this.unlink(2 * operation + 1);
  }

  putBack(operation: number): void {
    this.link(2 * operation + 1);
    this.link(2 * operation);
  }

  private unlink(event: number): void {
    this.next[this.previous[event]!] = this.next[event]!;
    this.previous[this.next[event]!] = this.previous[event]!;
  }

  private link(event: number): void {
    this.next[this.previous[event]!] = event;
    this.previous[this.next[event]!] = event;
  }
}
