import { Module } from '@nestjs/common';
import { ConditionModule } from '../condition/condition.module.js';
import { ConsensusModule } from '../consensus/consensus.module.js';
import { ConsistencyModule } from '../consistency/consistency.module.js';
import { StorageModule } from '../storage/storage.module.js';
import { DiskIsWell } from './disk-is-well.check.js';
import { HasCaughtUp } from './has-caught-up.check.js';
import { IsMember } from './is-member.check.js';
import { KnowsLeader } from './knows-leader.check.js';
import { LogIsHealthy } from './log-is-healthy.check.js';
import { StateIsSound } from './state-is-sound.check.js';

/** What this node's health consists of. */
@Module({
  imports: [ConditionModule, ConsensusModule, ConsistencyModule, StorageModule],
  providers: [IsMember, KnowsLeader, HasCaughtUp, LogIsHealthy, DiskIsWell, StateIsSound],
  exports: [IsMember, KnowsLeader, HasCaughtUp, LogIsHealthy, DiskIsWell, StateIsSound],
})
export class ChecksModule {}
