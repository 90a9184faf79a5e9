import { Injectable } from '@nestjs/common';

/** How many of the last writes are remembered. */
const RECENT_WRITES = 16;

/** Who found no space on the disk. */
export type Writer = 'log' | 'state';

/**
 * What the log and the state database tell of the disk while they use it, for those who watch over it. It decides nothing. The clock is
 * given, in milliseconds that no change of the wall clock moves.
 */
@Injectable()
export class DiskPulse {
  private startedAtMs: number | undefined;
  private recent: number[] = [];
  private readonly full = new Set<Writer>();
  private readonly durationListeners: ((durationMs: number) => void)[] = [];
  private readonly fullListeners: (() => void)[] = [];

  constructor(private readonly nowMs: () => number) {}

  /** The log begins a write, with the sync behind it. There is never more than one under way. */
  writeStarted(): void {
    this.startedAtMs = this.nowMs();
  }

  /** It is on the disk. */
  writeEnded(): void {
    if (this.startedAtMs === undefined) return;
    const durationMs = this.nowMs() - this.startedAtMs;
    this.startedAtMs = undefined;
    this.recent = [...this.recent.slice(1 - RECENT_WRITES), durationMs];
    for (const listener of this.durationListeners) listener(durationMs);
  }

  /** A write found no space, and waits; or went through after all. */
  reportFull(writer: Writer, isFull: boolean): void {
    if (isFull) this.full.add(writer);
    else this.full.delete(writer);
    // A write that waits for space says nothing about how fast the disk is.
    if (writer === 'log') this.startedAtMs = isFull ? undefined : this.nowMs();
    for (const listener of this.fullListeners) listener();
  }

  /** How long the write under way has taken so far; 0 when there is none. */
  get ageMs(): number {
    return this.startedAtMs === undefined ? 0 : this.nowMs() - this.startedAtMs;
  }

  /** Of the last writes, in no order that matters; 0 when there was none. */
  get medianMs(): number {
    const sorted = [...this.recent].sort((one, other) => one - other);
    return sorted[Math.floor(sorted.length / 2)] ?? 0;
  }

  /** Whether a write waits for space now. */
  get isFull(): boolean {
    return this.full.size > 0;
  }

  onWritten(listener: (durationMs: number) => void): void {
    this.durationListeners.push(listener);
  }

  /** Called when a write found no space, and when it went through. */
  onFull(listener: () => void): void {
    this.fullListeners.push(listener);
  }
}
