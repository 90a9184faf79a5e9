import { Module } from '@nestjs/common';
import { Replication } from '@app/raft';
import { PeersModule } from '../peers/peers.module.js';
import { RaftNodeConfig } from '../raft-node.config.js';
import { LeaderStreams } from './leader-streams.js';
import { PeerStreams } from './peer-streams.js';
import { ReplicationController } from './replication.controller.js';

/** Log replication: the core's part, and raft.v1.Replication in both directions. */
@Module({
  imports: [PeersModule],
  controllers: [ReplicationController],
  providers: [
    PeerStreams,
    LeaderStreams,
    {
      provide: Replication,
      inject: [RaftNodeConfig],
      useFactory: (config: RaftNodeConfig) => new Replication(config.toRaftConfig()),
    },
  ],
  exports: [Replication, PeerStreams, LeaderStreams],
})
export class ReplicationModule {}
