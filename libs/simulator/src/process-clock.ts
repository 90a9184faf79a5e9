import type { EventQueue, SimEvent } from './event-queue.js';
import { UNITS_PER_TICK, type SimTime } from './observer.js';

/** Of a real node's clock, in a unit of simulated time: a tick is 50 ms then. */
export const MS_PER_UNIT = 5;

/** The clock of one machine, right or wrong: it says when ticks are due, and which time of day a leader believes it to be. */
export class ProcessClock implements SimEvent {
  private rate = 1;
  /** When the next tick is due, with a fraction; infinite while the clock is frozen or nobody wants ticks. */
  private due = Infinity;
  /** What is left of the tick that a frozen clock has begun. */
  private left = 1;
  private shownMs: number;
  private shownAt: SimTime;

  constructor(
    private readonly events: EventQueue,
    startMs: number,
    /** Called when ticks are due: to call `takeDue`. */
    private readonly onDue: () => void,
  ) {
    this.shownMs = startMs;
    this.shownAt = events.now;
  }

  /** A process starts: its first tick is due a tick from now. */
  start(): void {
    this.left = 1;
    this.setDue(this.rate === 0 ? Infinity : this.events.now + UNITS_PER_TICK / this.rate);
  }

  stop(): void {
    this.due = Infinity;
  }

  setRate(rate: number): void {
    if (rate === this.rate) return;
    const isRunning = this.due !== Infinity || this.rate === 0;
    this.shownMs = this.exactMs();
    this.shownAt = this.events.now;
    if (this.rate > 0 && isRunning) this.left = ((this.due - this.events.now) * this.rate) / UNITS_PER_TICK;
    this.rate = rate;
    if (isRunning) this.setDue(rate === 0 ? Infinity : this.events.now + (this.left * UNITS_PER_TICK) / rate);
  }

  /** The ticks that are due and have not been taken. */
  takeDue(): number {
    if (this.due > this.events.now) return 0;
    let ticks = 0;
    while (this.due <= this.events.now) {
      this.due += UNITS_PER_TICK / this.rate;
      ticks += 1;
    }
    this.setDue(this.due);
    return ticks;
  }

  /** Whole milliseconds. */
  nowMs(): number {
    return Math.floor(this.exactMs());
  }

  run(): void {
    if (this.due <= this.events.now) this.onDue();
  }

  private exactMs(): number {
    return this.shownMs + (this.events.now - this.shownAt) * this.rate * MS_PER_UNIT;
  }

  private setDue(due: number): void {
    this.due = due;
    if (due !== Infinity) this.events.schedule(Math.max(this.events.now, Math.ceil(due)), this);
  }
}
