import { Module } from '@nestjs/common';
import { HealthModule } from '@app/platform';
import { ConditionModule } from '../condition/condition.module.js';
import { DiskMonitorsModule } from '../condition/disk-monitors.module.js';
import { ConsensusModule } from '../consensus/consensus.module.js';
import { ConsistencyModule } from '../consistency/consistency.module.js';
import { FsmModule } from '../fsm/fsm.module.js';
import { PeersModule } from '../peers/peers.module.js';
import { StorageModule } from '../storage/storage.module.js';
import { ChecksModule } from './checks.module.js';
import { DiskIsWell } from './disk-is-well.check.js';
import { GrpcHealthController } from './grpc-health.controller.js';
import { HasCaughtUp } from './has-caught-up.check.js';
import { IsMember } from './is-member.check.js';
import { KnowsLeader } from './knows-leader.check.js';
import { LogIsHealthy } from './log-is-healthy.check.js';
import { PeerProbe } from './peer-probe.js';
import { RaftMetrics } from './raft-metrics.js';
import { StateIsSound } from './state-is-sound.check.js';
import { StorageMetrics } from './storage-metrics.js';

/** What operators look at: health over HTTP and gRPC, and metrics. */
@Module({
  imports: [
    HealthModule.forRoot({
      imports: [ChecksModule],
      liveness: [LogIsHealthy],
      readiness: [LogIsHealthy, IsMember, KnowsLeader, HasCaughtUp, DiskIsWell, StateIsSound],
    }),
    ConditionModule,
    ConsensusModule,
    ConsistencyModule,
    DiskMonitorsModule,
    FsmModule,
    PeersModule,
    StorageModule,
  ],
  controllers: [GrpcHealthController],
  providers: [PeerProbe, RaftMetrics, StorageMetrics],
})
export class OpsModule {}
