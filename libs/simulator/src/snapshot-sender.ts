import type { InstallSnapshot } from '@app/raft';
import type { StateImage } from './durable-key-space.js';
import type { EventQueue, SimEvent } from './event-queue.js';
import type { Network } from './network.js';
import { UNITS_PER_TICK, type SimTime } from './observer.js';

const ROWS_PER_PART = 16;
const PARTS_MAX = 5;
/** Without an answer for so long, it has failed. */
const TIMEOUT = UNITS_PER_TICK * 20;

/**
 * Brings a state to a follower, in parts that are acknowledged one by one; with the last one the follower gets the message. Ends once,
 * unless it is cancelled.
 */
export class SnapshotSender implements SimEvent {
  private readonly parts: number;
  private acknowledged = 0;
  private lastProgress: SimTime;
  private isOver = false;
  /** Whoever has the first part must get the others, too: a new process there has forgotten it. */
  private receiver: object | undefined;

  constructor(
    private readonly events: EventQueue,
    private readonly network: Network,
    private readonly message: InstallSnapshot,
    private readonly image: StateImage,
    private readonly incarnation: string,
    private readonly onEnd: (isDelivered: boolean) => void,
  ) {
    this.parts = Math.min(PARTS_MAX, 1 + Math.floor(image.rows.size / ROWS_PER_PART));
    this.lastProgress = events.now;
  }

  start(): void {
    this.sendPart();
    this.events.schedule(this.lastProgress + TIMEOUT, this);
  }

  cancel(): void {
    this.isOver = true;
  }

  /** The timer. */
  run(): void {
    if (this.isOver) return;
    const deadline = this.lastProgress + TIMEOUT;
    if (this.events.now < deadline) this.events.schedule(deadline, this);
    else this.end(false);
  }

  private sendPart(): void {
    const part = this.acknowledged + 1;
    this.network.carry(this.message.from, this.message.to, () => this.arrived(part));
  }

  private arrived(part: number): void {
    const { from, to } = this.message;
    const end = this.network.end(to);
    const listener = end?.listener;
    if (end === undefined || listener === undefined) return;
    if (part === 1) this.receiver ??= listener;
    if (this.receiver !== listener) return;
    if (part === this.parts) end.receiveSnapshot(this.message, this.image, this.incarnation);
    this.network.carry(to, from, () => this.answered(part));
  }

  private answered(part: number): void {
    if (this.isOver || part !== this.acknowledged + 1) return;
    this.acknowledged = part;
    this.lastProgress = this.events.now;
    if (part === this.parts) this.end(true);
    else this.sendPart();
  }

  private end(isDelivered: boolean): void {
    this.isOver = true;
    this.onEnd(isDelivered);
  }
}
