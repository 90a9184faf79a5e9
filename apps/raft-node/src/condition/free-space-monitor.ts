import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { LOG, type Log } from '@app/platform';
import { WriteAheadLog } from '@app/storage';
import { RaftNodeConfig } from '../raft-node.config.js';
import { DiskPulse } from './disk-pulse.js';
import { FREE_SPACE, type FreeSpace } from './free-space.js';
import { NodeCondition } from './node-condition.js';

const INTERVAL_MS = 500;

/** What frees space is taken down to this share of the reserve. */
const EXHAUSTED_SHARE = 0.25;

/** A trouble ends only when there is so much more room than where it began, so that it does not come and go with every write. */
const RECOVERY_FACTOR = 1.25;

/**
 * Watches the file system of the data directory, so that the node refuses writes before one of them finds no space; and when one has,
 * lets the log try it again.
 */
@Injectable()
export class FreeSpaceMonitor implements OnApplicationBootstrap, OnApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;
  private isLooking = false;
  /** Something has happened since the look under way began. */
  private isLookDue = false;
  private isBlind = false;
  private lastFreeBytes: number | undefined;

  constructor(
    private readonly config: RaftNodeConfig,
    private readonly condition: NodeCondition,
    private readonly pulse: DiskPulse,
    @Inject(WriteAheadLog) private readonly wal: Pick<WriteAheadLog, 'isFull' | 'retry'>,
    @Inject(FREE_SPACE) private readonly freeSpace: FreeSpace,
    @Inject(LOG) private readonly log: Log,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => this.look(), INTERVAL_MS);
    this.pulse.onFull(() => this.look());
    this.look();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** As of the last look; undefined before the first. */
  get freeBytes(): number | undefined {
    return this.lastFreeBytes;
  }

  private look(): void {
    this.isLookDue = true;
    if (!this.isLooking) void this.lookWhileDue();
  }

  /** Never rejects. On a disk that hangs it waits, as everything else does. */
  private async lookWhileDue(): Promise<void> {
    this.isLooking = true;
    while (this.isLookDue && this.timer !== undefined) {
      this.isLookDue = false;
      try {
        const freeBytes = await this.freeSpace(this.config.dataDir);
        this.lastFreeBytes = freeBytes;
        this.judge(freeBytes);
        this.isBlind = false;
      } catch (error) {
        if (!this.isBlind) this.log.error({ err: error }, 'the free space of the disk is not known');
        this.isBlind = true;
      }
    }
    this.isLooking = false;
  }

  private judge(freeBytes: number): void {
    const { dataDir, diskReserveBytes } = this.config;
    // A write that waits for space is the truth, whatever the file system says (quotas, reserved blocks).
    const isWaiting = this.pulse.isFull;
    const detail =
      `the file system of ${dataDir} has ${freeBytes} bytes free, and ${diskReserveBytes} are to stay free` +
      (isWaiting ? '; a write found no space and waits for it' : '');
    const wasFull = this.condition.has('storage_full');
    const isBelow = (bytes: number, isRaised: boolean) => freeBytes < (isRaised ? bytes * RECOVERY_FACTOR : bytes);
    const isFull = isWaiting || isBelow(diskReserveBytes, wasFull);
    const isExhausted =
      isWaiting || isBelow(diskReserveBytes * EXHAUSTED_SHARE, this.condition.has('storage_exhausted'));

    if (isExhausted) this.condition.raise('storage_exhausted', `${detail}; not even deletes are taken`);
    else this.condition.clear('storage_exhausted');
    if (isFull) this.condition.raise('storage_full', detail);
    else this.condition.clear('storage_full');
    if (isFull && !wasFull)
      this.log.error({ freeBytes, diskReserveBytes, dataDir }, 'the disk is full: no writes are taken');
    if (!isFull && wasFull) this.log.info({ freeBytes, diskReserveBytes, dataDir }, 'the disk has room again');
    if (this.wal.isFull && freeBytes > 0) this.wal.retry();
  }
}
