import type { Random } from '@app/raft';
import { MemoryDisk, type DiskOperation, type KeepUnsynced, type TornWrite } from '@app/storage';
import type { EventQueue, SimEvent } from './event-queue.js';
import { goodDisk, type DiskBehaviour, type PowerLossLeaves } from './world-control.js';

/** A file of so many bytes holds several records, and those in its first half were synced before the last was written. */
const DAMAGE_BYTES_MIN = 512;

/** The process whose disk it is. */
export interface DiskUser {
  /** It has begun an operation. */
  begun(): void;
  /** An operation is about to end: the process may be paused, or die just then. */
  due(operation: DiskEvent): void;
}

export interface DiskEvent extends SimEvent {
  /** The operation takes effect, and the process learns of it. */
  complete(): void;
}

class Operation implements DiskEvent {
  constructor(
    private readonly disk: SimulatedDisk,
    readonly user: DiskUser,
    private readonly queued: { complete(): void },
  ) {}

  run(): void {
    this.disk.end(this);
  }

  complete(): void {
    this.queued.complete();
  }
}

/**
 * A machine's disk: a `MemoryDisk`, which knows what is durable and what a crash takes, whose operations take time. It belongs to the
 * machine, and outlives its processes.
 */
export class SimulatedDisk {
  files: MemoryDisk;
  private behaviour: DiskBehaviour = goodDisk;
  private user: DiskUser | undefined;
  /** Due, but the disk hangs. */
  private held: Operation[] = [];
  private lastDue = 0;
  private faultCount = 0;

  constructor(
    private readonly name: string,
    private readonly events: EventQueue,
    private readonly random: Random,
  ) {
    this.files = this.emptyDisk();
  }

  /** While no process uses it. */
  wipe(): void {
    this.files = this.emptyDisk();
  }

  /** Changes a bit of a synced record in the last file that is followed by others; false if there is none. While no process uses it. */
  flipBit(): boolean {
    let names: readonly string[] = [];
    this.files.list((_, found) => (names = found ?? []));
    this.files.run();
    const name = names.at(-1);
    const bytes = name === undefined ? undefined : this.files.contentOf(name);
    const end = bytes === undefined ? 0 : bytes.findLastIndex((byte) => byte !== 0) + 1;
    if (name === undefined || end < DAMAGE_BYTES_MIN) return false;
    this.files.flip(name, this.random.nextInt(0, end >> 1), 1 << this.random.nextInt(0, 7));
    return true;
  }

  /** A process has done something wrong if its log fails without any. */
  get hasFailed(): boolean {
    return this.faultCount > 0;
  }

  become(behaviour: Partial<DiskBehaviour>): void {
    this.behaviour = { ...this.behaviour, ...behaviour };
    this.files.capacityBytes = this.behaviour.isFull ? 0 : Infinity;
    if (this.behaviour.isHung) return;
    const held = this.held;
    this.held = [];
    for (const operation of held) this.schedule(operation);
  }

  processStarted(user: DiskUser): void {
    this.user = user;
    this.faultCount = 0;
  }

  /** An operation of something else on this disk, such as the state database. */
  start(queued: { complete(): void }): void {
    if (this.user === undefined) return;
    this.schedule(new Operation(this, this.user, queued));
    this.user.begun();
  }

  /** What the process was doing has happened or not. */
  processEnded(powerLoss: PowerLossLeaves | undefined): void {
    this.user = undefined;
    this.held = [];
    this.lastDue = 0;
    if (powerLoss === undefined) this.files.kill();
    else this.files.crash({ keepUnsynced: this.kept(powerLoss) });
  }

  end(operation: Operation): void {
    if (operation.user !== this.user) return;
    if (this.behaviour.isHung) this.held.push(operation);
    else this.user.due(operation);
  }

  private emptyDisk(): MemoryDisk {
    const files = new MemoryDisk({
      name: this.name,
      completions: 'queued',
      onQueued: (queued) => this.start(queued),
      intercept: (operation) => this.fault(operation),
    });
    files.capacityBytes = this.behaviour.isFull ? 0 : Infinity;
    return files;
  }

  private kept(leaves: PowerLossLeaves): KeepUnsynced {
    if (leaves === 'all') return 'all';
    return leaves === 'nothing' ? 'none' : () => this.random.nextInt(0, 1) === 1;
  }

  private schedule(operation: Operation): void {
    const { delayMin, delayMax, isReordering } = this.behaviour;
    let time = this.events.now + this.random.nextInt(delayMin, delayMax);
    if (!isReordering) time = this.lastDue = Math.max(this.lastDue, time);
    this.events.schedule(time, operation);
  }

  private fault({ kind, bytes }: DiskOperation): Error | TornWrite | undefined {
    if (this.behaviour.isFull && (kind === 'write' || kind === 'create' || kind === 'truncate')) this.faultCount += 1;
    if (this.behaviour.failNextSync && kind === 'sync') {
      this.behaviour = { ...this.behaviour, failNextSync: false };
      return this.failure('the sync failed');
    }
    if (this.behaviour.failNextRead && kind === 'read' && bytes > 0) {
      this.behaviour = { ...this.behaviour, failNextRead: false };
      return this.failure('the read failed');
    }
    return undefined;
  }

  private failure(text: string): Error {
    this.faultCount += 1;
    return Object.assign(new Error(`EIO: ${text}`), { code: 'EIO' });
  }
}
