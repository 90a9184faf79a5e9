import { Module } from '@nestjs/common';
import { HashingModule } from '../hashing/hashing.module.js';
import { LeaderCacheModule } from '../leader-cache/leader-cache.module.js';
import { MembersModule } from '../members/members.module.js';
import { ClusterCaller } from './cluster-caller.js';
import { ClusterOverview } from './cluster-overview.js';
import { ClusterWatch } from './cluster-watch.js';
import { KvRouter } from './kv-router.js';
import { NodeStreams } from './node-streams.js';
import { WriteSessions } from './write-sessions.js';

/** From a key to an answer: locate, call, follow the hint, try again within the deadline. */
@Module({
  imports: [HashingModule, LeaderCacheModule, MembersModule],
  providers: [NodeStreams, ClusterCaller, WriteSessions, KvRouter, ClusterOverview, ClusterWatch],
  exports: [KvRouter, ClusterOverview, ClusterWatch],
})
export class RoutingModule {}
