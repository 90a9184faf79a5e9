import { Module } from '@nestjs/common';
import { ConditionModule } from '../condition/condition.module.js';
import { ConsensusModule } from '../consensus/consensus.module.js';
import { FsmModule } from '../fsm/fsm.module.js';
import { PeersModule } from '../peers/peers.module.js';
import { StorageModule } from '../storage/storage.module.js';
import { MembershipChanges } from './membership-changes.js';
import { MembershipController } from './membership.controller.js';
import { NewcomerCheck } from './newcomer-check.js';
import { NodeStatus } from './node-status.js';

/** Who is in the cluster and how they are: admin.v1.Membership. */
@Module({
  imports: [ConditionModule, ConsensusModule, FsmModule, PeersModule, StorageModule],
  controllers: [MembershipController],
  providers: [NodeStatus, MembershipChanges, NewcomerCheck],
})
export class MembershipModule {}
