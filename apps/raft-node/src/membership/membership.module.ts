import { Module } from '@nestjs/common';
import { ConsensusModule } from '../consensus/consensus.module.js';
import { FsmModule } from '../fsm/fsm.module.js';
import { PeersModule } from '../peers/peers.module.js';
import { StorageModule } from '../storage/storage.module.js';
import { MembershipController } from './membership.controller.js';
import { NodeStatus } from './node-status.js';

/** Who is in the cluster and how they are: admin.v1.Membership. */
@Module({
  imports: [ConsensusModule, FsmModule, PeersModule, StorageModule],
  controllers: [MembershipController],
  providers: [NodeStatus],
})
export class MembershipModule {}
