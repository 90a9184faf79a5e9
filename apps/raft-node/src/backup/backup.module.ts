import { Module } from '@nestjs/common';
import { ConditionModule } from '../condition/condition.module.js';
import { FsmModule } from '../fsm/fsm.module.js';
import { PeersModule } from '../peers/peers.module.js';
import { StorageModule } from '../storage/storage.module.js';
import { BackupDesk } from './backup-desk.js';
import { BackupMetrics } from './backup-metrics.js';
import { BackupController } from './backup.controller.js';

/** A copy of the state for keeping elsewhere: admin.v1.Backup. */
@Module({
  imports: [ConditionModule, FsmModule, PeersModule, StorageModule],
  controllers: [BackupController],
  providers: [BackupDesk, BackupMetrics],
})
export class BackupModule {}
