import type { Socket } from 'node:net';

/** How bytes travel in one direction; what is left out is as without a proxy. */
export interface LinkQuality {
  /**
   * Nothing comes through, not even the end of a connection. As with lost packets under TCP, what was sent arrives when the link is
   * whole again, if the connection still lives.
   */
  readonly isCut?: boolean;
  readonly delayMs?: number;
  /** Up to so much more, drawn for each piece; pieces never overtake each other. */
  readonly jitterMs?: number;
  readonly bytesPerSecond?: number;
}

/** What a lane keeps before it stops reading: about what the buffers of a long line hold. */
const HELD_BYTES_MAX = 256 * 1024;

/** A slow line passes on what it may in this time at once. */
const SLICE_S = 0.02;

interface Piece {
  readonly what: Buffer | 'end' | 'reset';
  readonly dueMs: number;
}

/** One direction of one connection: reads from `source`, writes to `sink` in the same order, no faster than it may. */
export class Lane {
  /** Bytes that have been passed on. */
  bytes = 0;
  private quality: LinkQuality = {};
  private readonly held: Piece[] = [];
  private heldBytes = 0;
  private lastDueMs = 0;
  /** Until when the bytes that were passed on take, at the rate that holds. */
  private busyUntilMs = 0;
  private isSinkFull = false;
  private isClosed = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly source: Socket,
    private readonly sink: Socket,
    /** From 0 inclusive to 1 exclusive. */
    private readonly draw: () => number,
    quality: LinkQuality,
  ) {
    source.on('data', (data: Buffer) => this.add(data));
    source.on('end', () => this.add('end'));
    source.on('error', () => this.add('reset'));
    sink.on('drain', () => {
      this.isSinkFull = false;
      this.pass();
    });
    this.set(quality);
  }

  set(quality: LinkQuality): void {
    this.quality = quality;
    this.busyUntilMs = 0;
    this.pass();
  }

  /** Passes on nothing any more. */
  close(): void {
    this.isClosed = true;
    clearTimeout(this.timer);
    this.held.length = 0;
  }

  private add(what: Piece['what']): void {
    const { delayMs = 0, jitterMs = 0 } = this.quality;
    this.lastDueMs = Math.max(this.lastDueMs, performance.now() + delayMs + jitterMs * this.draw());
    this.held.push({ what, dueMs: this.lastDueMs });
    if (typeof what !== 'string') this.heldBytes += what.length;
    this.pass();
  }

  /** Passes on what may go now, and sees to it that the rest goes when it may. */
  private pass(): void {
    clearTimeout(this.timer);
    while (!this.isClosed && !this.quality.isCut && !this.isSinkFull && this.held.length > 0) {
      const waitMs = Math.max(this.isDelayed ? this.held[0]!.dueMs : 0, this.busyUntilMs) - performance.now();
      if (waitMs > 0) {
        this.timer = setTimeout(() => this.pass(), Math.ceil(waitMs));
        break;
      }
      this.write(this.next());
    }
    if (this.isClosed || this.source.destroyed) return;
    // A source that is not read is held up, as by a full window.
    if (this.heldBytes >= HELD_BYTES_MAX) this.source.pause();
    else if (this.source.isPaused()) this.source.resume();
  }

  private get isDelayed(): boolean {
    return (this.quality.delayMs ?? 0) + (this.quality.jitterMs ?? 0) > 0;
  }

  /** Takes the first piece, or as much of it as a slow line takes at once. */
  private next(): Piece['what'] {
    const { what, dueMs } = this.held.shift()!;
    if (typeof what === 'string') return what;
    const sliceBytes = Math.max(1, Math.ceil((this.quality.bytesPerSecond ?? Infinity) * SLICE_S));
    if (what.length > sliceBytes) this.held.unshift({ what: what.subarray(sliceBytes), dueMs });
    const slice = what.subarray(0, Math.min(what.length, sliceBytes));
    this.heldBytes -= slice.length;
    return slice;
  }

  private write(what: Piece['what']): void {
    if (this.sink.destroyed) return;
    if (what === 'end') {
      this.sink.end();
    } else if (what === 'reset') {
      this.sink.resetAndDestroy();
    } else {
      this.bytes += what.length;
      const { bytesPerSecond } = this.quality;
      if (bytesPerSecond !== undefined) this.busyUntilMs = performance.now() + (what.length / bytesPerSecond) * 1000;
      this.isSinkFull = !this.sink.write(what);
    }
  }
}
