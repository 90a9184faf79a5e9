import type { SimTime } from './observer.js';

/** Something that happens at a time. Whoever schedules it sees to it that it does nothing once it makes no sense any more. */
export interface SimEvent {
  run(): void;
}

const SLOTS = 1024;

const NOTHING: SimEvent = { run: () => undefined };

interface FarEvent {
  readonly time: SimTime;
  readonly sequence: number;
  readonly event: SimEvent;
}

/**
 * What is going to happen, in the order of time; events of one time in the order in which they were scheduled. Times are whole numbers, so
 * the near future is an array with a slot per unit: scheduling and taking cost a few instructions. What is further away waits in a heap
 * until its slot comes within reach, which is before anything else can be put into that slot: so the order is kept.
 */
export class EventQueue {
  private readonly slots: SimEvent[][] = Array.from({ length: SLOTS }, () => []);
  private readonly counts = new Int32Array(SLOTS);
  private readonly far: FarEvent[] = [];
  private sequence = 0;
  private current: SimTime = 0;
  /** Events of the current time that were taken. */
  private taken = 0;

  get now(): SimTime {
    return this.current;
  }

  /** Throws a `RangeError` for the past and for what is no whole number. */
  schedule(time: SimTime, event: SimEvent): void {
    if (!(time >= this.current) || !Number.isSafeInteger(time)) {
      throw new RangeError(`an event at ${time}: it is ${this.current} now, and times are whole numbers`);
    }
    if (time < this.current + SLOTS) this.put(time & (SLOTS - 1), event);
    else this.pushFar({ time, sequence: this.sequence++, event });
  }

  /** Takes the next event that is due by `until`, and moves the time there; undefined, and the time is `until`, when there is none. */
  take(until: SimTime): SimEvent | undefined {
    for (;;) {
      const slot = this.current & (SLOTS - 1);
      if (this.taken < this.counts[slot]!) {
        const events = this.slots[slot]!;
        const event = events[this.taken]!;
        // Or it would live until the slot is used again, and garbage that grows old costs a tenth of the run.
        events[this.taken++] = NOTHING;
        return event;
      }
      if (this.current >= until) return undefined;
      this.counts[slot] = 0;
      this.taken = 0;
      this.current += 1;
      const horizon = this.current + SLOTS - 1;
      while (this.far.length > 0 && this.far[0]!.time <= horizon) this.put(horizon & (SLOTS - 1), this.popFar());
    }
  }

  private put(slot: number, event: SimEvent): void {
    this.slots[slot]![this.counts[slot]!++] = event;
  }

  private pushFar(added: FarEvent): void {
    const heap = this.far;
    let at = heap.length;
    heap.push(added);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (isBefore(heap[parent]!, added)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = added;
  }

  private popFar(): SimEvent {
    const heap = this.far;
    const first = heap[0]!;
    const last = heap.pop()!;
    if (heap.length > 0) {
      let at = 0;
      for (;;) {
        let child = 2 * at + 1;
        if (child >= heap.length) break;
        if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
        if (isBefore(last, heap[child]!)) break;
        heap[at] = heap[child]!;
        at = child;
      }
      heap[at] = last;
    }
    return first.event;
  }
}

function isBefore(one: FarEvent, other: FarEvent): boolean {
  return one.time !== other.time ? one.time < other.time : one.sequence < other.sequence;
}
