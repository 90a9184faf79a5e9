/** Something that ends by itself when its time is over. */
export interface Expiring {
  /** Owned by the wheel that holds it: the tick at which it expires, 0 while no wheel does. */
  expiryTick: number;
  expire(): void;
}

/**
 * Deadlines of many short-lived things on one timer. An item expires at or up to one tick after its deadline, never
 * before. Adding and removing are cheap and make no timer; the timer runs only while the wheel holds something.
 */
export class DeadlineWheel {
  private readonly slots = new Map<number, Set<Expiring>>();
  private timer: NodeJS.Timeout | undefined;
  private sweptTick = 0;

  constructor(private readonly tickMs: number) {}

  add(item: Expiring, timeoutMs: number): void {
    const nowMs = performance.now();
    if (this.timer === undefined) {
      this.sweptTick = Math.floor(nowMs / this.tickMs);
      this.timer = setInterval(() => this.sweep(), this.tickMs);
    }
    item.expiryTick = Math.max(this.sweptTick + 1, Math.ceil((nowMs + timeoutMs) / this.tickMs));
    const slot = this.slots.get(item.expiryTick);
    if (slot === undefined) this.slots.set(item.expiryTick, new Set([item]));
    else slot.add(item);
  }

  remove(item: Expiring): void {
    this.slots.get(item.expiryTick)?.delete(item);
    item.expiryTick = 0;
  }

  /** Forgets all items without expiring them. */
  clear(): void {
    this.slots.clear();
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private sweep(): void {
    const tick = Math.floor(performance.now() / this.tickMs);
    while (this.sweptTick < tick && this.slots.size > 0) {
      this.sweptTick += 1;
      const slot = this.slots.get(this.sweptTick);
      if (slot === undefined) continue;
      this.slots.delete(this.sweptTick);
      for (const item of slot) {
        item.expiryTick = 0;
        item.expire();
      }
    }
    this.sweptTick = Math.max(this.sweptTick, tick);
    if (this.slots.size === 0) this.clear();
  }
}
