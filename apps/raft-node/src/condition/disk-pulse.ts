import { Injectable } from '@nestjs/common';

/** How many of the last writes are remembered, and for how long. */
const RECENT_WRITES = 16;
const RECENT_MS = 30_000;

/** Who found no space on the disk. */
type Writer = 'log' | 'state';

/**
 * What the log and the state database tell of the disk while they use it, for those who watch over it. It decides nothing. The clock is
 * given, in milliseconds that no change of the wall clock moves.
 */
@Injectable()
export class DiskPulse {
  private startedAtMs: number | undefined;
  private recent: { readonly endedAtMs: number; readonly durationMs: number }[] = [];
  private readonly full = new Set<Writer>();
  private readonly writtenListeners: ((durationMs: number) => void)[] = [];
  private readonly fullListeners: (() => void)[] = [];

  constructor(private readonly nowMs: () => number) {}

  /** The log begins a write, with the sync behind it. There is never more than one under way. */
  writeStarted(): void {
    this.startedAtMs = this.nowMs();
  }

  /** It is on the disk. */
  writeEnded(): void {
    if (this.startedAtMs === undefined) return;
    const endedAtMs = this.nowMs();
    const durationMs = endedAtMs - this.startedAtMs;
    this.startedAtMs = undefined;
    this.recent = [...this.recent.slice(1 - RECENT_WRITES), { endedAtMs, durationMs }];
    for (const listener of this.writtenListeners) listener(durationMs);
  }

  /** It came to nothing: it waits for space, or the log has failed. That says nothing about how fast the disk is. */
  writeAbandoned(): void {
    this.startedAtMs = undefined;
  }

  /** A write has found no space, and waits; or went through after all. */
  reportFull(writer: Writer, isFull: boolean): void {
    if (isFull) this.full.add(writer);
    else this.full.delete(writer);
    for (const listener of this.fullListeners) listener();
  }

  /** How long the log's write under way, with its sync, has taken so far; 0 when there is none. */
  get ageMs(): number {
    return this.startedAtMs === undefined ? 0 : this.nowMs() - this.startedAtMs;
  }

  /** Of the log's last writes, unless they are half a minute old; 0 when there was none. */
  get medianMs(): number {
    const since = this.nowMs() - RECENT_MS;
    const durations = this.recent.filter(({ endedAtMs }) => endedAtMs >= since).map(({ durationMs }) => durationMs);
    durations.sort((one, other) => one - other);
    return durations[Math.floor(durations.length / 2)] ?? 0;
  }

  /** Whether a write waits for space now. */
  get isFull(): boolean {
    return this.full.size > 0;
  }

  /** Called with the duration of each write of the log that is on the disk, with its sync. */
  onWritten(listener: (durationMs: number) => void): void {
    this.writtenListeners.push(listener);
  }

  /** Called when a write found no space, and when it went through. */
  onFull(listener: () => void): void {
    this.fullListeners.push(listener);
  }
}
