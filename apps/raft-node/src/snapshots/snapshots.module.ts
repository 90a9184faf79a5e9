import { Module } from '@nestjs/common';
import { ConditionModule } from '../condition/condition.module.js';
import { PeersModule } from '../peers/peers.module.js';
import { StorageModule } from '../storage/storage.module.js';
import { DEFAULT_SNAPSHOT_LIMITS, SNAPSHOT_LIMITS } from './snapshot-limits.js';
import { SnapshotMetrics } from './snapshot-metrics.js';
import { SnapshotReceiver } from './snapshot-receiver.js';
import { SnapshotSenders } from './snapshot-senders.js';
import { SnapshotsController } from './snapshots.controller.js';

/** The state instead of the log, in both directions: raft.v1.Snapshots. */
@Module({
  imports: [ConditionModule, PeersModule, StorageModule],
  controllers: [SnapshotsController],
  providers: [
    SnapshotSenders,
    SnapshotReceiver,
    SnapshotMetrics,
    { provide: SNAPSHOT_LIMITS, useValue: DEFAULT_SNAPSHOT_LIMITS },
  ],
  exports: [SnapshotSenders],
})
export class SnapshotsModule {}
