import { Module } from '@nestjs/common';
import { StorageModule } from '../storage/storage.module.js';
import { ConditionModule } from './condition.module.js';
import { DiskSpeedMonitor } from './disk-speed-monitor.js';
import { FREE_SPACE, freeSpaceOf } from './free-space.js';
import { FreeSpaceMonitor } from './free-space-monitor.js';

/** Watches the disk, and says in the node's condition what is wrong with it. */
@Module({
  imports: [ConditionModule, StorageModule],
  providers: [FreeSpaceMonitor, DiskSpeedMonitor, { provide: FREE_SPACE, useValue: freeSpaceOf }],
  exports: [FreeSpaceMonitor],
})
export class DiskMonitorsModule {}
