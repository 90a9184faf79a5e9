import { Module } from '@nestjs/common';
import { Election, type Random } from '@app/raft';
import { PeersModule } from '../peers/peers.module.js';
import { RaftNodeConfig } from '../raft-node.config.js';
import { ElectionController } from './election.controller.js';
import { RANDOM, systemRandom } from './system-random.js';
import { NoticeClient } from './notice-client.js';
import { VoteClient } from './vote-client.js';
import { VoteDesk } from './vote-desk.js';

/** Leader election: the core's part, and raft.v1.Election in both directions. */
@Module({
  imports: [PeersModule],
  controllers: [ElectionController],
  providers: [
    VoteClient,
    VoteDesk,
    NoticeClient,
    { provide: RANDOM, useFactory: systemRandom },
    {
      provide: Election,
      inject: [RaftNodeConfig, RANDOM],
      useFactory: (config: RaftNodeConfig, random: Random) => new Election(config.toRaftConfig(), random),
    },
  ],
  exports: [Election, RANDOM, VoteClient, VoteDesk, NoticeClient],
})
export class ElectionModule {}
