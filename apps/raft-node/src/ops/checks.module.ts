import { Module } from '@nestjs/common';
import { ConsensusModule } from '../consensus/consensus.module.js';
import { StorageModule } from '../storage/storage.module.js';
import { HasCaughtUp } from './has-caught-up.check.js';
import { KnowsLeader } from './knows-leader.check.js';
import { LogIsHealthy } from './log-is-healthy.check.js';

/** What this node's health consists of. */
@Module({
  imports: [ConsensusModule, StorageModule],
  providers: [KnowsLeader, HasCaughtUp, LogIsHealthy],
  exports: [KnowsLeader, HasCaughtUp, LogIsHealthy],
})
export class ChecksModule {}
